"""The connected pieces of ink on a page, of which one or several near one another are the digit.

A copy of this file travels with every logged model, which loads where mnist_exp is not installed: it imports numpy and
Pillow only.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .picture_files import PictureError
from .pixels import Box, empty_page, running

PAGE_CELLS = 256  # of the longer side, in which the page's pieces of ink are looked for


_SMALLEST_PART = 0.04  # of all the ink; a smaller piece that touches no other is dust


_APART = 0.18  # of the larger one's height: the gap that makes two pieces two digits


@dataclass(frozen=True)
class Piece:
    """Cells with ink that touch one another: their label, how many pixels have ink, and their box in cells."""

    label: int
    area: float
    box: Box

    @property
    def sides(self) -> tuple[int, int]:
        """The shorter and the longer one."""
        height, width = self.box[2] - self.box[0], self.box[3] - self.box[1]
        return min(height, width), max(height, width)


def digit_mask(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask without its small pieces. Raises PictureError if nothing is left, or several digits are."""
    cells, step = count_in_cells(mask, 128)
    labels = label_connected(cells > 0)
    pieces = without_dust(find_pieces(labels, cells))
    digit = _only_group(pieces, labels)
    return cells_to_pixels(cells_of(digit, labels), step, mask.shape) & mask


def count_in_cells(mask: NDArray[np.bool_], longest: int) -> tuple[NDArray[np.int64], int]:
    """(How many pixels with ink each cell has, the cells' side in pixels); at most `longest` cells a side."""
    step = -(-max(mask.shape) // longest)
    height, width = (-(-n // step) for n in mask.shape)
    padded = np.zeros((height * step, width * step), bool)
    padded[: mask.shape[0], : mask.shape[1]] = mask
    return padded.reshape(height, step, width, step).sum(axis=(1, 3)), step


def cells_to_pixels(
    cells: NDArray[np.bool_], step: int, shape: tuple[int, ...]
) -> NDArray[np.bool_]:
    return np.kron(cells, np.ones((step, step), bool))[: shape[0], : shape[1]]


def cells_of(pieces: list[Piece], labels: NDArray[np.int32]) -> NDArray[np.bool_]:
    return np.isin(labels, [piece.label for piece in pieces])


def label_connected(flags: NDArray[np.bool_]) -> NDArray[np.int32]:
    """A number above 0 for each cell that is set, the same for cells that are connected, corners included."""
    height, width = flags.shape
    padded = np.zeros((height + 2, width + 2), np.int32)
    labels = padded[1:-1, 1:-1]
    labels[:] = np.where(flags, np.arange(1, height * width + 1).reshape(height, width), 0)
    while (
        True
    ):  # each takes the largest label around it, and that one's own, until every piece has one
        before = labels.copy()
        wide = np.maximum(np.maximum(padded[:, :-2], padded[:, 2:]), padded[:, 1:-1])
        around = np.maximum(np.maximum(wide[:-2], wide[2:]), wide[1:-1])
        np.copyto(labels, around, where=flags)
        labels[:] = np.concatenate([[0], labels.ravel()])[labels]
        if np.array_equal(before, labels):
            return labels.copy()


def find_pieces(labels: NDArray[np.int32], cells: NDArray[np.int64]) -> list[Piece]:
    """The pieces with three pixels or more, the largest first; of very many the largest hundred."""
    rows, columns = np.nonzero(labels)
    if not len(rows):
        return []
    chosen = labels[rows, columns]
    order = np.argsort(chosen, kind="stable")
    rows, columns, chosen = rows[order], columns[order], chosen[order]
    starts = np.flatnonzero(np.diff(chosen, prepend=0))
    areas = np.add.reduceat(cells[rows, columns], starts)
    found = []
    for index in np.argsort(-areas, kind="stable")[:100]:
        if areas[index] < 3:
            break
        end = starts[index + 1] if index + 1 < len(starts) else len(chosen)
        r, c = rows[starts[index] : end], columns[starts[index] : end]
        box = int(r.min()), int(c.min()), int(r.max()) + 1, int(c.max()) + 1
        found.append(Piece(int(chosen[starts[index]]), float(areas[index]), box))
    return found


def without_dust(pieces: list[Piece]) -> list[Piece]:
    """The pieces that are more than a few hundredths of them all, or all if none is. Raises PictureError for none."""
    if not pieces:
        raise empty_page()
    least = _SMALLEST_PART * sum(piece.area for piece in pieces)
    return [piece for piece in pieces if piece.area >= least] or pieces


def _only_group(pieces: list[Piece], labels: NDArray[np.int32]) -> list[Piece]:
    """The pieces near one another that are the digit, without small ones far from it.

    Raises PictureError if pieces apart from one another are about as large.
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
    """The longer side of the box around all of them."""
    boxes = np.array([piece.box for piece in pieces])
    return int((boxes[:, 2:].max(axis=0) - boxes[:, :2].min(axis=0)).max())
