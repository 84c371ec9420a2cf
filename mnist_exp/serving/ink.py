"""How much ink each pixel of a page has, whatever the light and the colours.

A copy of this file travels with every logged model, which loads where mnist_exp is not installed: it imports numpy and
Pillow only.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .pixels import blurred, empty_page, otsu_threshold, resized, robust_deviation, running

_LEAST_CONTRAST = (
    0.08  # between ink and paper, of the range from black to white; below that a page is empty
)


def outer_zone(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Where a page is paper mostly: its outer quarter, but for the outermost twentieth."""
    zone = np.zeros(shape, bool)
    for part, value in ((0.04, True), (0.25, False)):
        rows, columns = (max(int(np.ceil(part * n)), 1) for n in shape)
        zone[rows:-rows, columns:-columns] = value
    return zone if zone.any() else ~zone


def ink_of(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much ink each pixel has: 0 for paper, 1 for the ink's own colour, whichever of the two is darker."""
    smooth = blurred(grey)
    dark = smooth < otsu_threshold(smooth)
    if _explained(smooth, dark) < 0.85:  # not two colours but light and shadow, too
        uneven = smooth - _surroundings_of(smooth)
        dark = uneven < otsu_threshold(uneven)
    # Paper is most of a picture, of its outer part, and of its corners.
    inverted = dark.mean() + dark[outer_zone(dark.shape)].mean() + _corners(dark) > 1.5
    sign = 1 if inverted else -1
    background = sign * _background(sign * smooth)
    ink = sign * (grey - background)
    ink = np.minimum(ink, sign * (grey - _paper(grey, dark if inverted else ~dark)))
    if not inverted:  # in a shadow ink and paper are both darker
        ink /= np.clip(background / max(float(background.max()), 0.01), 0.25, 1)
    smooth = blurred(ink)
    strongest = (
        float(np.quantile(smooth[smooth > smooth.max() / 2], 0.5)) if smooth.max() > 0 else 0.0
    )
    if strongest < _LEAST_CONTRAST:
        raise empty_page()
    return np.clip(ink / strongest, 0, 1).astype(np.float32)


def _explained(values: NDArray[np.float32], flags: NDArray[np.bool_]) -> float:
    """The share of the variance that lies between the values that are set and those that are not."""
    share = float(flags.mean())
    if not 0 < share < 1:
        return 0.0
    apart = float(values[flags].mean() - values[~flags].mean())
    return share * (1 - share) * apart**2 / max(float(values.var()), 1e-12)


def _corners(flags: NDArray[np.bool_]) -> float:
    """The share that is set of the four corners, a tenth of each side."""
    rows, columns = (max(1, n // 10) for n in flags.shape)
    return float(
        np.mean(
            [
                flags[r, c].mean()
                for r in (slice(rows), slice(-rows, None))
                for c in (slice(columns), slice(-columns, None))
            ]
        )
    )


def _surroundings_of(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """The median brightness of the third of the page around each pixel: that of the paper, lit or in a shadow."""
    small = np.asarray(Image.fromarray(grey).resize((32, 32), Image.Resampling.BOX))
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(small, 9, mode="reflect"), (19, 19))
    medians = np.median(windows, axis=(2, 3)).astype(np.float32)
    wide = Image.fromarray(medians).resize(grey.shape[::-1], Image.Resampling.BILINEAR)
    return np.asarray(wide, np.float32)


def _background(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """The paper's brightness everywhere, where ink is brighter, by what surrounds it: shadows have edges.

    An opening, which takes away all that is narrower than 0.4 of the page.
    """
    small = resized(values, 128) if max(values.shape) > 128 else values
    length = max(3, round(0.4 * max(small.shape)))
    for choose in (np.minimum, np.maximum):
        for axis in (0, 1):
            small = running(small, length, axis, choose)
    wide = Image.fromarray(small).resize(values.shape[::-1], Image.Resampling.BILINEAR)
    return np.asarray(wide, np.float32)


def _paper(grey: NDArray[np.float32], where: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The paper's brightness everywhere, a quadratic surface through the pixels that are paper: light is uneven."""
    rows, columns = (np.linspace(-1, 1, n, dtype=np.float32) for n in grey.shape)
    y, x = np.meshgrid(rows, columns, indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1)
    chosen = np.flatnonzero(where)
    chosen = chosen[:: max(1, len(chosen) // 3_000)]
    flat = np.full_like(grey, np.median(grey.reshape(-1)[chosen]))
    if len(chosen) < 200:
        return flat
    at, values = terms.reshape(-1, 6)[chosen].astype(np.float64), grey.reshape(-1)[chosen]
    for _ in range(3):  # what is far from the surface is no paper
        coefficients = np.linalg.solve(at.T @ at + 1e-6 * np.eye(6), at.T @ values)
        off = np.abs(values - at @ coefficients)
        near = off <= 2.5 * max(float(np.median(off)), 0.004)
        at, values = at[near], values[near]
        if len(values) < 200:
            return flat
    return terms @ coefficients.astype(np.float32)


def ink_mask(ink: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where ink is, told from noise by the spread of the pixels around 0."""
    smooth = blurred(ink)
    paper = smooth[smooth < otsu_threshold(smooth)]
    return smooth > min(max(0.15, 4 * robust_deviation(paper)), 0.6)
