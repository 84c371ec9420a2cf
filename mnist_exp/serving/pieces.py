"""Find the connected pieces of ink on a page; one, or several near one another, are the digit.

A copy of this file is part of every logged model, so it imports numpy and Pillow only.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .picture_files import PictureError
from .pixels import Box, empty_page, running

PAGE_CELLS = 256  # of the page's longer side, when its pieces of ink are searched
_SMALLEST_PART = 0.04  # of all the ink: a smaller piece that touches no other is dust
_APART = 0.18  # of the larger piece's longer side: the gap that makes two pieces two digits


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Cells with ink that touch one another.

    Attributes:
        label: The number that its cells have among the labels.
        area: How many pixels have ink.
        box: Its box in cells.
    """

    label: int
    area: float
    box: Box

    @property
    def sides(self) -> tuple[int, int]:
        """The shorter and the longer side of the box."""
        height, width = self.box[2] - self.box[0], self.box[3] - self.box[1]
        return min(height, width), max(height, width)


def digit_mask(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the mask without its small pieces.

    Raises PictureError if nothing is left, or several digits are.
    """
    cells, step = count_in_cells(mask, 128)
    labels = label_connected(cells > 0)
    pieces = without_dust(find_pieces(labels, cells))
    digit = _only_group(pieces, labels)
    return cells_to_pixels(cells_of(digit, labels), step, mask.shape) & mask


def count_in_cells(mask: NDArray[np.bool_], longest: int) -> tuple[NDArray[np.int64], int]:
    """Return how many pixels with ink each cell has, and the cells' side in pixels.

    There are at most `longest` cells along each side of the page.
    """
    step = -(-max(mask.shape) // longest)
    height, width = (-(-n // step) for n in mask.shape)
    padded = np.zeros((height * step, width * step), bool)
    padded[: mask.shape[0], : mask.shape[1]] = mask
    return padded.reshape(height, step, width, step).sum(axis=(1, 3)), step


def cells_to_pixels(
    cells: NDArray[np.bool_], step: int, shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    """Return the mask [H, W] of the pixels in the flagged cells, which are `step` pixels wide."""
    return np.kron(cells, np.ones((step, step), bool))[: shape[0], : shape[1]]


def cells_of(pieces: list[Piece], labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Return a mask of the cells of these pieces."""
    return np.isin(labels, [piece.label for piece in pieces])


def label_connected(flags: NDArray[np.bool_]) -> NDArray[np.int32]:
    """Return a label above 0 for each flagged cell, the same one for connected cells.

    Cells that touch at a corner are connected. scipy.ndimage.label does the same, but each served
    model would have to install SciPy for this one function.
    """
    height, width = flags.shape
    padded = np.zeros((height + 2, width + 2), np.int32)
    labels = padded[1:-1, 1:-1]
    labels[:] = np.where(flags, np.arange(1, height * width + 1).reshape(height, width), 0)
    while True:
        # A cell takes the largest label around it, then the label of the cell that began with that
        # label, until each piece has one label.
        before = labels.copy()
        wide = np.maximum(np.maximum(padded[:, :-2], padded[:, 2:]), padded[:, 1:-1])
        around = np.maximum(np.maximum(wide[:-2], wide[2:]), wide[1:-1])
        np.copyto(labels, around, where=flags)
        labels[:] = np.concatenate([[0], labels.ravel()])[labels]
        if np.array_equal(before, labels):
            return labels.copy()


def find_pieces(labels: NDArray[np.int32], cells: NDArray[np.int64]) -> list[Piece]:
    """Return the pieces with three pixels or more, at most a hundred, the largest first."""
    rows, columns = np.nonzero(labels)
    if not len(rows):
        return []
    chosen = labels[rows, columns]
    order = np.argsort(chosen, kind="stable")
    rows, columns, chosen = rows[order], columns[order], chosen[order]
    starts = np.flatnonzero(np.diff(chosen, prepend=0))
    areas = np.add.reduceat(cells[rows, columns], starts)
    pieces = []
    for index in np.argsort(-areas, kind="stable")[:100]:
        if areas[index] < 3:
            break
        end = starts[index + 1] if index + 1 < len(starts) else len(chosen)
        r, c = rows[starts[index] : end], columns[starts[index] : end]
        box = int(r.min()), int(c.min()), int(r.max()) + 1, int(c.max()) + 1
        label = int(chosen[starts[index]])
        pieces.append(Piece(label=label, area=float(areas[index]), box=box))
    return pieces


def without_dust(pieces: list[Piece]) -> list[Piece]:
    """Return the pieces that have at least 4% of all the ink, or all pieces if none has.

    Raises PictureError if there are no pieces.
    """
    if not pieces:
        raise empty_page()
    least = _SMALLEST_PART * sum(piece.area for piece in pieces)
    return [piece for piece in pieces if piece.area >= least] or pieces


def _only_group(pieces: list[Piece], labels: NDArray[np.int32]) -> list[Piece]:
    """Return the pieces near one another that are the digit, without small pieces far from it.

    Raises PictureError if several groups of pieces are of about the same size.
    """
    ink = cells_of(pieces, labels)
    reach = round(_APART * max(piece.sides[1] for piece in pieces))
    near = ink.astype(np.float32)
    for axis in (0, 1):
        near = np.pad(near, [(reach, reach) if axis == i else (0, 0) for i in (0, 1)])
        near = running(near, reach + 1, axis, np.maximum)
        near = near[reach : -reach or None] if axis == 0 else near[:, reach : -reach or None]
    grouped = label_connected(near > 0)
    groups: dict[int, list[Piece]] = {}
    for piece in pieces:
        row, column = np.argwhere(labels == piece.label)[0]
        groups.setdefault(int(grouped[row, column]), []).append(piece)
    lengths = {label: _longest(group) for label, group in groups.items()}
    largest = max(lengths.values())
    alike = [groups[label] for label, length in lengths.items() if length >= 0.6 * largest]
    if len(alike) > 1:
        raise PictureError(f"{len(alike)} digits: draw or cut out one")
    return alike[0]


def _longest(pieces: list[Piece]) -> int:
    """Return the longer side of the box around all the pieces."""
    boxes = np.array([piece.box for piece in pieces])
    return int((boxes[:, 2:].max(axis=0) - boxes[:, :2].min(axis=0)).max())
