"""Remove bands along a page's edges, and lines across all of it.

A copy of this file is part of every logged model, so it imports numpy and Pillow only.
"""

import numpy as np
from numpy.typing import NDArray

from .ink import outer_zone
from .pixels import otsu_threshold, runs_of_true, slices_of

_THIN = 0.03  # of a page's side: the most that a line at its edge or across it is wide


def without_bands(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the page without the bands along its edges that are not paper.

    Such bands are lines, the black around a scan, or title bars.
    """
    for _ in range(4):
        dark = grey < otsu_threshold(grey)
        marked = ~dark if dark[outer_zone(dark.shape)].mean() > 0.5 else dark
        box = (
            _band(marked),
            _band(marked.T),
            len(marked) - _band(marked[::-1]),
            marked.shape[1] - _band(marked.T[::-1]),
        )
        if box == (0, 0, *grey.shape):
            break
        grey = grey[slices_of(box)]
    return grey


def _band(marked: NDArray[np.bool_]) -> int:
    """Return how many of the first rows are a band.

    A band is thin, or wider and nothing is attached to it. `marked` are the pixels that are not
    paper.
    """
    height = len(marked)
    share = marked.mean(axis=1)
    full = share >= 0.9
    if not full[0]:
        return 0
    width = int(np.argmin(full)) if not full.all() else height
    if width > 0.4 * height:
        return 0
    soft = width
    while soft < height and soft - width <= max(1, 0.01 * height) and share[soft] > 0.05:
        soft += 1  # the band's edge may be blurred
    attached = share[min(soft, height - 1)] > 0.02
    if not attached:
        return soft
    return width + 1 if width <= max(1, _THIN * height) else 0


def without_rules(ink: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the page without thin lines that cross all of it, in both directions.

    The strokes that cross such lines stay.
    """
    return _without_rows(_without_rows(ink).T).T


def _without_rows(ink: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the page without the thin horizontal lines that cross all of it."""
    height, width = ink.shape
    side = max(1, width // 32)
    level = np.minimum(
        np.quantile(ink, 0.25, axis=1),
        np.minimum(ink[:, :side].mean(axis=1), ink[:, -side:].mean(axis=1)),
    )
    level = np.where(level > 0.1, np.quantile(ink, 0.5, axis=1), 0)
    cleaned = ink.copy()
    for start, end in runs_of_true(level > 0):
        if end - start > max(1, _THIN * height):
            continue
        above, below = ink[max(start - 1, 0)], ink[min(end, height - 1)]
        for row in range(start, end):
            cleaned[row] = np.clip((ink[row] - level[row]) / max(1 - level[row], 0.3), 0, 1)
            cleaned[row] = np.maximum(cleaned[row], np.minimum(above, below))
    return cleaned
