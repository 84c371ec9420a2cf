"""Remove what surrounds a digit: ink at the page's edges, frames, boxes, lines, a table's surface.

A copy of this file is part of every logged model, so it imports numpy and Pillow only.
"""

import numpy as np
from numpy.typing import NDArray

from .ink import ink_mask
from .pieces import (
    PAGE_CELLS,
    Piece,
    cells_of,
    cells_to_pixels,
    count_in_cells,
    find_pieces,
    label_connected,
    without_dust,
)
from .pixels import Box, bounding_box, grown, running, slices_of

# If an inner piece has this share of the page's longer side, the pieces at the edges are removed.
_LARGE = 0.08


def digit_of_page(ink: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the page without what surrounds the digit, and a mask of the digit's ink.

    Raises PictureError if nothing is left.
    """
    mask = ink_mask(ink)
    cells, step = count_in_cells(mask, PAGE_CELLS)
    drawn = _edge_bands(cells > 0)
    drawn |= _box_lines(np.where(drawn, 0, cells))
    cells[drawn] = 0
    labels = label_connected(cells > 0)
    pieces = find_pieces(labels, cells)
    surroundings = _surroundings(pieces, labels)
    digit = without_dust([piece for piece in pieces if piece not in surroundings])
    kept = cells_to_pixels(cells_of(digit, labels), step, mask.shape) & mask
    removed = cells_to_pixels(cells_of(surroundings, labels) | drawn, step, mask.shape)
    return np.where(grown(removed) & ~grown(kept), 0, ink).astype(np.float32), kept


def _surroundings(pieces: list[Piece], labels: NDArray[np.int32]) -> list[Piece]:
    """Return the pieces around the digit: at the page's edges, frames, and lines across it."""
    rest = list(pieces)
    for choose in (_at_edges, _frames, _long_lines):
        removed = choose(rest, labels)
        rest = [piece for piece in rest if piece not in removed]
    return [piece for piece in pieces if piece not in rest]


def _at_edges(pieces: list[Piece], labels: NDArray[np.int32]) -> list[Piece]:
    """Return the pieces that touch the page's edge, if an inner piece can be a digit."""
    height, width = labels.shape
    touching = [p for p in pieces if min(p.box[:2]) == 0 or p.box[2] == height or p.box[3] == width]
    inner = [piece for piece in pieces if piece not in touching]
    rim = np.ones(labels.shape, bool)
    rows, columns = (max(1, n // 10) for n in labels.shape)
    rim[rows:-rows, columns:-columns] = False
    along = [piece for piece in touching if rim[labels == piece.label].mean() > 0.9]
    deep = [piece for piece in touching if piece not in along]
    largest = max((piece.sides[1] for piece in without_dust(inner)), default=0) if inner else 0
    if largest >= max([_LARGE * max(labels.shape), *(0.3 * piece.sides[1] for piece in deep)]):
        return touching
    return along if deep or largest >= 0.02 * max(labels.shape) else []


def _frames(pieces: list[Piece], labels: NDArray[np.int32]) -> list[Piece]:
    """Return the pieces that are drawn around another piece."""
    return [
        outer
        for outer in pieces
        if any(_surrounds(outer, inner, labels) for inner in pieces if inner is not outer)
    ]


def _surrounds(outer: Piece, inner: Piece, labels: NDArray[np.int32]) -> bool:
    """Return whether the outer piece has ink on all four sides of the inner one.

    The inner piece has to be large enough for a digit.
    """
    top, left, bottom, right = inner.box
    inside = all(a < b for a, b in zip(outer.box[:2], inner.box[:2], strict=True)) and all(
        a > b for a, b in zip(outer.box[2:], inner.box[2:], strict=True)
    )
    ink = labels == outer.label
    if (
        not inside
        or inner.sides[1] < 0.3 * outer.sides[0]
        or ink[slices_of(outer.box)].mean() > 0.5
    ):
        return False
    rows, columns = ink[top:bottom], ink[:, left:right]
    sides = (rows[:, :left], rows[:, right:], columns[:top].T, columns[bottom:].T)
    return all(side.any(axis=1).mean() >= 0.9 for side in sides)


def _long_lines(pieces: list[Piece], labels: NDArray[np.int32]) -> list[Piece]:
    """Return the straight lines along most of the page that are longer than all other pieces."""
    lines: list[Piece] = []
    for line in pieces:
        others = [piece.sides[1] for piece in pieces if piece is not line and piece not in lines]
        short, long = line.sides
        if (
            others
            and short <= max(2, long / 12)
            and long >= max(0.6 * min(labels.shape), 1.3 * max(others))
            and max(others) >= 0.15 * long
        ):
            lines.append(line)
    return lines


def _edge_bands(ink: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the cells of bands along whole edges of the page.

    A band need not be straight, and ink may be attached to it. It is no band if the remaining ink
    reaches the opposite edge: the picture is a digit that was cut out closely.
    """
    bands = [np.zeros(ink.shape, bool) for _ in range(4)]
    for turn, band in enumerate(bands):
        turned = np.rot90(ink, turn)
        if turned[0].mean() < 0.9:
            continue
        reach = np.where(turned.all(axis=0), len(turned), np.argmin(turned, axis=0))
        depth = reach.astype(np.float32)[None]
        length = max(3, turned.shape[1] // 4)
        for choose in (np.minimum, np.maximum):  # an opening: attached ink that is narrower stays
            depth = running(depth, length, 1, choose)
        if depth.max() <= 0.2 * len(turned):
            np.rot90(band, turn)[:] = turned & (np.arange(len(turned))[:, None] < depth + 1)
    rest = ink & ~np.logical_or.reduce(bands)
    kept = [band for turn, band in enumerate(bands) if not np.rot90(rest, turn)[-1].any()]
    chosen: NDArray[np.bool_] = np.logical_or.reduce([np.zeros(ink.shape, bool), *kept])
    return chosen


def _box_lines(cells: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return the cells of the four sides of boxes around ink that is connected with the box."""
    labels = label_connected(cells > 0)
    drawn = np.zeros(cells.shape, bool)
    for piece in find_pieces(labels, cells)[:5]:
        ink = labels[slices_of(piece.box)] == piece.label
        if min(ink.shape) < 8:
            continue
        lines = [_line(ink), _line(ink[::-1]), _line(ink.T), _line(ink.T[::-1])]
        if not all(lines):
            continue
        above, below, before, after = lines
        inner = slices_of((above, before, len(ink) - below, ink.shape[1] - after))
        inside = find_pieces(label_connected(ink[inner]), ink[inner].astype(np.int64))
        if inside and inside[0].sides[1] >= 0.25 * min(ink.shape):
            sides = ink.copy()
            sides[inner] = False
            drawn[slices_of(piece.box)] |= sides
    return drawn


def _line(ink: NDArray[np.bool_]) -> int:
    """Return how many of the first rows a straight line takes; 0 if there is no line."""
    share = ink.mean(axis=1)
    most = max(2, len(ink) // 8)
    full = np.flatnonzero(share[:most] >= 0.75)
    if not len(full):
        return 0
    end = int(full[-1]) + 1
    return 0 if end == most else end + int(share[end] > 0.3)


def sheet_around(kept: NDArray[np.bool_]) -> Box | None:
    """Return the box of a filled rectangle in which a digit is left out, or None.

    It is a sheet, a plate or a card, straight or turned.
    """
    cells, step = count_in_cells(kept[slices_of(bounding_box(kept))], 64)
    ink = np.pad(cells > step * step / 2, 16)
    filled = ink.astype(np.float32)
    for choose in (np.maximum, np.minimum):
        for axis in (0, 1):
            filled = running(filled, 13, axis, choose)
    holes = (filled > 0) & ~ink
    if (
        min(cells.shape) < 0.3 * max(cells.shape)
        or not 0.03 < holes.sum() / (filled > 0).sum() < 0.4
    ):
        return None
    pieces = find_pieces(label_connected(holes), holes.astype(np.int64))
    longest = max((piece.sides[1] for piece in pieces), default=0)
    if longest < 0.15 * max(cells.shape) or _rectangular(filled > 0) < 0.9:
        return None
    top, left, bottom, right = bounding_box(kept)
    inset = max(1, min(bottom - top, right - left) // 50)
    return top + inset, left + inset, bottom - inset, right - inset


def _rectangular(filled: NDArray[np.bool_]) -> float:
    """Return the share that a shape takes of the smallest rectangle around it, at any angle."""
    y, x = np.nonzero(filled)
    angles = np.deg2rad(np.arange(-45, 45, 3))[:, None]
    across, along = x * np.cos(angles) + y * np.sin(angles), y * np.cos(angles) - x * np.sin(angles)
    areas = (np.ptp(across, axis=1) + 1) * (np.ptp(along, axis=1) + 1)
    return float(filled.sum() / areas.min())
