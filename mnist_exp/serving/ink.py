"""Measure how much ink each pixel of a page has, whatever the light and the colours.

A copy of this file is part of every logged model, so it imports numpy and Pillow only.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .pixels import blurred, empty_page, otsu_threshold, resized, robust_deviation, running

# The least difference of ink and paper, of the range from black to white.
_LEAST_CONTRAST = 0.08


def outer_zone(shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return a mask of where a page is mostly paper: its outer quarter without the outermost 4%."""
    zone = np.zeros(shape, bool)
    for part, value in ((0.04, True), (0.25, False)):
        rows, columns = (max(int(np.ceil(part * n)), 1) for n in shape)
        zone[rows:-rows, columns:-columns] = value
    return zone if zone.any() else ~zone


def ink_of(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how much ink each pixel has: 0 for paper, 1 for the ink's own colour.

    Ink may be darker or lighter than paper. Raises PictureError for an empty page.
    """
    smooth = blurred(grey)
    dark = smooth < otsu_threshold(smooth)
    if _explained(smooth, dark) < 0.85:  # the page has light and shadow beside its two colours
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
    strong = smooth[smooth > smooth.max() / 2]
    strongest = float(np.quantile(strong, 0.5)) if smooth.max() > 0 else 0.0
    if strongest < _LEAST_CONTRAST:
        raise empty_page()
    clipped: NDArray[np.float32] = np.clip(ink / strongest, 0, 1).astype(np.float32)
    return clipped


def _explained(values: NDArray[np.float32], flags: NDArray[np.bool_]) -> float:
    """Return the share of the variance that lies between the flagged values and the others."""
    share = float(flags.mean())
    if not 0 < share < 1:
        return 0.0
    apart = float(values[flags].mean() - values[~flags].mean())
    return share * (1 - share) * apart**2 / max(float(values.var()), 1e-12)


def _corners(flags: NDArray[np.bool_]) -> float:
    """Return the share of flagged pixels in the four corners, each a tenth of the page's sides."""
    rows, columns = (max(1, n // 10) for n in flags.shape)
    left, right = flags[:, :columns], flags[:, -columns:]
    corners = (left[:rows], right[:rows], left[-rows:], right[-rows:])
    return float(np.mean([corner.mean() for corner in corners]))


def _surroundings_of(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the median brightness around each pixel: that of the paper there, lit or in a shadow.

    The window has 19/32 of the page's sides, a third of its area.
    """
    small = np.asarray(Image.fromarray(grey).resize((32, 32), Image.Resampling.BOX))
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(small, 9, mode="reflect"), (19, 19))
    medians = np.median(windows, axis=(2, 3)).astype(np.float32)
    wide = Image.fromarray(medians).resize(grey.shape[::-1], Image.Resampling.BILINEAR)
    return np.asarray(wide, np.float32)


def _background(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the paper's brightness everywhere, from what surrounds each pixel; ink is brighter.

    This is a morphological opening, which removes all that is narrower than 0.4 of the page and
    keeps the edges of shadows.
    """
    small = resized(values, 128) if max(values.shape) > 128 else values
    length = max(3, round(0.4 * max(small.shape)))
    for choose in (np.minimum, np.maximum):
        for axis in (0, 1):
            small = running(small, length, axis, choose)
    wide = Image.fromarray(small).resize(values.shape[::-1], Image.Resampling.BILINEAR)
    return np.asarray(wide, np.float32)


def _paper(grey: NDArray[np.float32], where: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the paper's brightness everywhere: a quadratic surface, because light is uneven.

    It is fitted to the pixels that are paper, those in the mask `where`.
    """
    rows, columns = (np.linspace(-1, 1, n, dtype=np.float32) for n in grey.shape)
    y, x = np.meshgrid(rows, columns, indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1)
    chosen = np.flatnonzero(where)
    chosen = chosen[:: max(1, len(chosen) // 3_000)]
    flat = np.full_like(grey, np.median(grey.reshape(-1)[chosen]))
    if len(chosen) < 200:
        return flat
    inputs, values = terms.reshape(-1, 6)[chosen].astype(np.float64), grey.reshape(-1)[chosen]
    for _ in range(3):  # pixels that are far from the surface are not paper
        coefficients = np.linalg.solve(inputs.T @ inputs + 1e-6 * np.eye(6), inputs.T @ values)
        distances = np.abs(values - inputs @ coefficients)
        near = distances <= 2.5 * max(float(np.median(distances)), 0.004)
        inputs, values = inputs[near], values[near]
        if len(values) < 200:
            return flat
    return terms @ coefficients.astype(np.float32)


def ink_mask(ink: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return a mask of where ink is, as opposed to noise, which spreads around 0."""
    smooth = blurred(ink)
    paper = smooth[smooth < otsu_threshold(smooth)]
    return smooth > min(max(0.15, 4 * robust_deviation(paper)), 0.6)
