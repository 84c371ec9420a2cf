"""A picture of a digit as people have it -> 28x28 pixels as MNIST has them.

How MNIST was made (LeCun, Cortes and Burges, http://yann.lecun.com/exdb/mnist): "The original black and white (bilevel)
images from NIST were size normalized to fit in a 20x20 pixel box while preserving their aspect ratio. The resulting
images contain grey levels as a result of the anti-aliasing technique used by the normalization algorithm. the images
were centered in a 28x28 image by computing the center of mass of the pixels, and translating the image so as to
position this point at the center of the 28x28 field." NIST's images were scans of one digit each, free of paper and
light. What comes before that here makes such a scan of a photo or a drawing.

A copy of this file travels with every logged model, which loads where mnist_exp is not installed: it imports numpy and
Pillow only.
"""

import io
import re
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

MOST_PIXELS = 64_000_000  # of a picture; decoded, that many take 64 to 256 MB
FORMATS = ("PNG", "JPEG")
SIZE, BOX = 28, 20  # of MNIST's images, and of the box that their ink fits
_OVERVIEW = 512  # longest side in pixels at which the ink is looked for
_WORKING = 4 * BOX  # longest side of the ink's box while noise is told from ink: four pixels for one of MNIST
_LEAST_CONTRAST = 0.08  # between ink and paper, of the range from black to white; below that a page is empty
_SMALLEST_PART = 0.04  # of all the ink; a smaller piece that touches no other is dust

# Pillow warns of large pictures before they can be refused here, by name.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)


class PictureError(ValueError):
    """A picture that no digit can be read from; the message is one line and says why."""


def from_bytes(content: bytes) -> NDArray[np.uint8]:
    """A PNG or JPEG file of any size, polarity, colour and rotation -> [28, 28], ink 255 on 0, as in MNIST.

    Raises PictureError for a file that is no such picture, is damaged, too large, or shows nothing.
    """
    try:
        grey = _grey(_open(content))
    except (PictureError, MemoryError):
        raise
    except Exception as error:  # Pillow passes on whatever its readers stumble over
        raise PictureError(f"the file is damaged ({_first_line(error)})") from error
    return from_grey(grey)


def from_grey(grey: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A grey picture [H, W] from 0 (black) to 1 (white), ink dark or light -> [28, 28] as `from_bytes`."""
    ink = _ink(grey)
    ink = _crop(ink, _box(_parts(_mask(ink)), margin=0.1))
    ink = _resized(ink, _WORKING) if max(ink.shape) > _WORKING else ink
    kept = _parts(_mask(ink))
    around = _grown(kept)
    # What is left of noise and of the paper's texture is as strong in the ink's place as it is elsewhere.
    noise = 2 * _deviation(ink[~around])
    ink = np.where(around, np.maximum(ink - noise, 0), 0)
    ink = _resized(_crop(ink, _box(kept)), BOX, both_ways=True)
    # A thin pen's line is narrower than a pixel now, and would be fainter than any line in MNIST.
    ink /= np.quantile(ink[ink > 0], 0.95) if (ink > 0.02).sum() > 5 else ink.max()
    return _centred(np.round(255 * np.clip(ink, 0, 1)).astype(np.uint8))


def _open(content: bytes) -> Image.Image:
    """The picture, not decoded yet, unless it is none or has too many pixels."""
    try:
        picture = Image.open(io.BytesIO(content), formats=FORMATS)
    except Image.UnidentifiedImageError:
        raise PictureError(f"not a picture in {' or '.join(FORMATS)} format") from None
    except Image.DecompressionBombError as error:
        count = re.search(r"\d+", str(error))
        raise _too_large(int(count[0]) if count else None) from None
    if picture.width * picture.height > MOST_PIXELS:
        raise _too_large(picture.width * picture.height)
    return picture


def _too_large(pixels: int | None) -> PictureError:
    has = "too many pixels" if pixels is None else f"{pixels:,} pixels"
    return PictureError(f"the picture has {has}; at most {MOST_PIXELS:,} are read")


def _grey(picture: Image.Image) -> NDArray[np.float32]:
    """[H, W] from 0 (black) to 1 (white), upright, longest side at most `_OVERVIEW`."""
    picture.draft(None, (_OVERVIEW, _OVERVIEW))  # a large JPEG is decoded smaller, which is much faster
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I;16") or picture.mode in ("I", "F"):  # Pillow would cut these to 8 bits
        values = np.asarray(picture, np.float32) / 65535
        picture = Image.fromarray(np.clip(values * 255, 0, 255).astype(np.uint8))
    transparent = picture.has_transparency_data
    picture = picture.convert("LA" if transparent else "L")
    if max(picture.size) > _OVERVIEW:
        picture.thumbnail((_OVERVIEW, _OVERVIEW), Image.Resampling.BOX)
    parts = (np.asarray(picture) / 255).astype(np.float32)
    return _on_paper(parts[:, :, 0], parts[:, :, 1]) if transparent else parts


def _on_paper(grey: NDArray[np.float32], opacity: NDArray[np.float32]) -> NDArray[np.float32]:
    """Transparent pixels in the colour of the paper: that of the rest, or if the rest is all ink, the opposite."""
    visible = grey[opacity > 0.5]
    if visible.size == 0:
        raise _nothing()
    low, high = np.quantile(visible, [0.02, 0.98])
    paper = np.median(visible) if high - low > 0.3 else float(np.median(visible) < 0.5)
    return (grey * opacity + paper * (1 - opacity)).astype(np.float32)


def _ink(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much ink each pixel has: 0 for paper, 1 for the ink's own colour, whichever of the two is darker."""
    smooth = _blurred(grey) if min(grey.shape) >= 2 * SIZE else grey
    threshold = _otsu(smooth)
    dark = smooth < threshold
    ring = np.concatenate([dark[0], dark[-1], dark[1:-1, 0], dark[1:-1, -1]])
    inverted = dark.mean() + ring.mean() > 1  # paper is most of a picture, and most of its edge
    ink = (grey - _paper(grey, dark)) if inverted else (_paper(grey, ~dark) - grey)
    smooth = _blurred(ink) if min(grey.shape) >= 2 * SIZE else ink
    strongest = float(np.quantile(smooth[smooth > smooth.max() / 2], 0.5)) if smooth.max() > 0 else 0.0
    if strongest < _LEAST_CONTRAST:
        raise _nothing()
    return np.clip(ink / strongest, 0, 1).astype(np.float32)


def _nothing() -> PictureError:
    return PictureError("the page is empty: there is no ink that stands out from the paper")


def _paper(grey: NDArray[np.float32], where: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The paper's brightness everywhere, a quadratic surface through the pixels that are paper: light is uneven."""
    rows, columns = (np.linspace(-1, 1, n, dtype=np.float32) for n in grey.shape)
    y, x = np.meshgrid(rows, columns, indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1)
    chosen = np.flatnonzero(where)
    chosen = chosen[:: max(1, len(chosen) // 3_000)]
    flat = np.full_like(grey, np.median(grey[where]))
    if len(chosen) < 200:
        return flat
    at, values = terms.reshape(-1, 6)[chosen], grey.reshape(-1)[chosen]
    for _ in range(3):  # what is far from the surface is no paper
        coefficients = np.linalg.lstsq(at, values, rcond=None)[0]
        off = np.abs(values - at @ coefficients)
        near = off <= 2.5 * max(float(np.median(off)), 0.004)
        at, values = at[near], values[near]
        if len(values) < 200:
            return flat
    return (terms @ coefficients).astype(np.float32)


def _mask(ink: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where ink is, told from noise by the spread of the pixels around 0."""
    smooth = _blurred(ink) if max(ink.shape) > _WORKING + SIZE else ink
    paper = smooth[smooth < _otsu(smooth)]
    return smooth > min(max(0.15, 4 * _deviation(paper)), 0.6)


def _parts(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask without its small pieces. Raises PictureError if nothing is left."""
    # Pieces are looked for in an image of at most 128 pixels: a cell has ink where any of its pixels has.
    step = -(-max(mask.shape) // 128)
    height, width = (-(-n // step) for n in mask.shape)
    padded = np.zeros((height * step, width * step), bool)
    padded[: mask.shape[0], : mask.shape[1]] = mask
    cells = padded.reshape(height, step, width, step).sum(axis=(1, 3))
    labels = np.zeros((height + 2, width + 2), np.int32)
    inside = labels[1:-1, 1:-1]
    inside[:] = np.where(cells > 0, np.arange(1, height * width + 1).reshape(height, width), 0)
    while True:  # each cell takes the largest label around it, until every piece has one
        before = inside.copy()
        wide = np.maximum(np.maximum(labels[:, :-2], labels[:, 2:]), labels[:, 1:-1])
        around = np.maximum(np.maximum(wide[:-2], wide[2:]), wide[1:-1])
        np.copyto(inside, around, where=inside > 0)
        if np.array_equal(before, inside):
            break
    areas = np.bincount(inside.ravel(), weights=cells.ravel())
    areas[0] = 0
    keep = areas >= max(_SMALLEST_PART * areas.sum(), 3)
    if not keep.any():
        raise _nothing()
    kept = np.kron(keep[inside], np.ones((step, step), bool))[: mask.shape[0], : mask.shape[1]]
    return kept & mask


def _box(mask: NDArray[np.bool_], margin: float = 0.0) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) of what is set, and a margin as a fraction of the longer side."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    more = int(np.ceil(margin * max(bottom - top, right - left)))
    return (
        max(top - more, 0), max(left - more, 0),
        min(bottom + more, mask.shape[0]), min(right + more, mask.shape[1]),
    )  # fmt: skip


def _crop(values: NDArray[np.float32], box: tuple[int, int, int, int]) -> NDArray[np.float32]:
    top, left, bottom, right = box
    return values[top:bottom, left:right]


def _resized(ink: NDArray[np.float32], longest: int, *, both_ways: bool = False) -> NDArray[np.float32]:
    """With that longest side and the same aspect ratio. Smaller is averaged over areas, which is anti-aliasing."""
    scale = longest / max(ink.shape)
    height, width = (max(1, round(n * scale)) for n in ink.shape)
    how = Image.Resampling.BICUBIC if both_ways and scale > 1 else Image.Resampling.HAMMING
    resized = Image.fromarray(ink).resize((width, height), how)
    return np.clip(np.asarray(resized, np.float32), 0, 1)


def _centred(ink: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """[<=20, <=20] -> [28, 28] with the centre of mass in the middle, moved by whole pixels as MNIST's images are.

    In 300 of 300 of its test images the centre is 14.0 to 15.0 pixels from the upper left corner: rounded up, not off.
    """
    corner = []
    for axis, length in enumerate(ink.shape):
        weights = ink.sum(axis=1 - axis, dtype=np.float64)
        centre = (weights * (np.arange(length) + 0.5)).sum() / weights.sum()
        corner.append(int(np.clip(np.ceil(SIZE / 2 - centre), 0, SIZE - length)))
    image = np.zeros((SIZE, SIZE), np.uint8)
    image[corner[0] : corner[0] + ink.shape[0], corner[1] : corner[1] + ink.shape[1]] = ink
    return image


def _grown(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask and the pixels that touch it."""
    grown = Image.fromarray(mask.astype(np.uint8) * 255).filter(ImageFilter.MaxFilter(3))
    return np.asarray(grown) > 0


def _blurred(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Without the noise of single pixels, by a blur that is narrow beside any stroke."""
    radius = max(values.shape) / 200
    eight_bits = Image.fromarray(np.clip(values * 127.5 + 64, 0, 255).astype(np.uint8))
    blurred = eight_bits.filter(ImageFilter.MedianFilter(3)).filter(ImageFilter.GaussianBlur(radius))
    return (np.asarray(blurred, np.float32) - 64) / 127.5


def _otsu(values: NDArray[np.float32]) -> float:
    """The threshold between two kinds of pixels that leaves the least variance in both (Otsu, 1979)."""
    low, high = float(values.min()), float(values.max())
    if high - low < 1e-6:
        raise _nothing()
    counts, edges = np.histogram(values, bins=128, range=(low, high))
    middles = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    mass = np.cumsum(counts * middles)
    above = below[-1] - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (mass[-1] * below / below[-1] - mass) ** 2 / (below * above)
    return float(edges[1:][np.nanargmax(np.where(np.isfinite(between), between, -1))])


def _deviation(values: NDArray[np.float32]) -> float:
    """A standard deviation that outliers do not move: 1.4826 times the median distance from the median."""
    if values.size == 0:
        return 0.0
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:150]
