"""A picture's file as people have it -> its brightness [H, W], upright, on paper of one colour.

A copy of this file travels with every logged model, which loads where mnist_exp is not installed: it imports numpy and
Pillow only. HEIC, which Pillow does not read itself, is read where pillow-heif is installed.
"""

import contextlib
import io
import re
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

MOST_PIXELS = 64_000_000  # of a picture; decoded, that many take 64 to 256 MB
LONGEST = 1024  # pixels of the longer side that a picture is worked on with
_SMALL = 0.08  # of a page's longer side: ink that is cut out of the page before that
_LEAST_INK = 0.05  # of the range from black to white, by which ink differs from an even page
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "HEIC", "AVIF", "JPEG2000", "PPM")
_PILLOW_FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP", "DIB", "TIFF", "AVIF", "JPEG2000", "PPM")
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_NO_PICTURES = {
    b"%PDF": "a PDF",
    b"<svg": "an SVG drawing",
    b"<?xml": "an XML file",
    b"<!DOCTYPE": "a web page",
}

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_EXTRAS = (b"tRNS", b"eXIf")  # transparency, and how the picture is turned

# Pillow warns of large pictures before they can be refused here, by name.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)
warnings.filterwarnings(
    "ignore", module=r"PIL\."
)  # of damaged EXIF and the like, which are no matter here


class PictureError(ValueError):
    """A picture that no digit can be read from; the message is one line and says why."""


def read_grey(content: bytes) -> NDArray[np.float32]:
    """A picture's file -> its brightness [H, W] from 0 (black) to 1 (white), longest side at most `LONGEST`.

    Of an animation or several pages it is the first. Raises PictureError for a file that is no picture, is damaged,
    too large, or transparent all over.
    """
    try:
        return _grey(_open(content))
    except (PictureError, MemoryError):
        raise
    except Exception as error:  # Pillow passes on whatever its readers stumble over
        raise PictureError(f"the file is damaged ({_first_line(error)})") from error


def shown(content: bytes, longest: int) -> Image.Image:
    """The picture as a person sees it, RGB, upright, not larger than that; transparent paper is grey.

    Raises PictureError as `read_grey`.
    """
    try:
        picture = _reduced(_upright(_open(content), longest), longest)
    except (PictureError, MemoryError):
        raise
    except Exception as error:
        raise PictureError(f"the file is damaged ({_first_line(error)})") from error
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    paper = Image.new(
        "RGBA", picture.size, (190, 190, 190, 255)
    )  # black and white ink both show on grey
    return Image.alpha_composite(paper, picture.convert("RGBA")).convert("RGB")


def _open(content: bytes) -> Image.Image:
    """The picture, not decoded yet, unless it is none or has too many pixels."""
    formats = list(_PILLOW_FORMATS)
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC_BRANDS:
        formats.append(_heic_reader())
    try:
        picture = Image.open(io.BytesIO(_pixels_alone(content)), formats=formats)
    except Image.UnidentifiedImageError:
        raise _no_picture(content) from None
    except Image.DecompressionBombError as error:
        count = re.search(r"\d+", str(error))
        raise _too_large(int(count[0]) if count else None) from None
    if picture.width * picture.height > MOST_PIXELS:
        raise _too_large(picture.width * picture.height)
    return picture


def _pixels_alone(content: bytes) -> bytes:
    """A PNG without what its pixels do without: texts, profiles and times, which may be damaged or of many megabytes.

    Pillow refuses the file for them, and every other program shows it. What is left of a cut file stays for Pillow.
    """
    if not content.startswith(_PNG):
        return content
    kept, at, end = [_PNG], len(_PNG), len(_PNG)
    while at + 12 <= len(content):
        length, kind = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8]
        end = at + 12 + length
        if kind[:1].isupper() or kind in _PNG_EXTRAS:  # a large letter: no picture without it
            kept.append(content[at:end])
        at = end
        if kind == b"IEND":
            return b"".join(kept)
    return b"".join([*kept, content[end:]])


def _heic_reader() -> str:
    """Pillow's name of the format, once pillow-heif has taught it to Pillow."""
    try:
        import pillow_heif
    except ImportError:
        raise PictureError(
            "a picture in HEIC format, which is read with the package pillow-heif (`pip install pillow-heif`); "
            "or save it as JPEG"
        ) from None
    pillow_heif.register_heif_opener()
    return "HEIF"


def _no_picture(content: bytes) -> PictureError:
    expected = f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
    start = content[:200].lstrip()
    for begin, kind in _NO_PICTURES.items():
        if start.startswith(begin):
            return PictureError(f"{kind}, not a picture in {expected} format; save it as PNG")
    return PictureError(f"not a picture in {expected} format")


def _too_large(pixels: int | None) -> PictureError:
    has = "too many pixels" if pixels is None else f"{pixels:,} pixels"
    return PictureError(f"the picture has {has}; at most {MOST_PIXELS:,} are read")


def _upright(picture: Image.Image, longest: int) -> Image.Image:
    """The picture as EXIF turns it, with 8 bits a channel, in a mode that Pillow converts to all others."""
    picture.draft(None, (longest, longest))  # a large JPEG is decoded smaller, which is much faster
    with contextlib.suppress(
        Exception
    ):  # damaged EXIF, for which Pillow raises anything; damaged pixels come up later
        picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I") or picture.mode == "F":
        picture = _eight_bits(picture)
    elif picture.mode == "LAB":
        picture = picture.getchannel("L")
    elif picture.mode in ("La", "RGBa"):  # with colours multiplied by their opacity
        picture = picture.convert("LA" if picture.mode == "La" else "RGBA")
    return picture


def _eight_bits(picture: Image.Image) -> Image.Image:
    """A picture of 16 or 32 bits, or of fractions, of which any number of bits may be in use; Pillow would cut it."""
    values = np.asarray(picture, np.float64)
    if not np.isfinite(values).all():
        raise PictureError(
            "some pixels are no numbers (NaN or infinite): save it with a number for each"
        )
    values = values - (values.min() if values.min() < 0 or _faint(values) else 0.0)
    highest = values.max()
    if highest > 1:  # whole numbers, of the least number of bits that holds the highest
        highest = 2.0 ** np.ceil(np.log2(highest + 1)) - 1
    return Image.fromarray(np.round(255 * values / max(highest, 1e-9)).astype(np.uint8))


def _faint(values: NDArray[np.float64]) -> bool:
    """Whether the picture is of two brightnesses, hardly apart for how bright both are; noise and light are not."""
    low, high = float(values.min()), float(values.max())
    light = values > (low + high) / 2
    share = float(light.mean())
    if high - low >= 0.1 * high or not 0 < share < 1:
        return False
    apart = float(values[light].mean() - values[~light].mean())
    return share * (1 - share) * apart**2 > 0.8 * float(values.var())


def _reduced(picture: Image.Image, longest: int) -> Image.Image:
    """The picture no larger than that, in a mode in which pixels can be averaged."""
    if max(picture.size) <= longest:
        return picture
    if picture.has_transparency_data and picture.mode not in ("RGBA", "LA"):
        picture = picture.convert("RGBA")
    elif picture.mode in ("P", "1"):
        picture = picture.convert("RGB")
    # Fully transparent pixels have a colour, too, which must not mix with that of the others.
    multiplied = {"RGBA": "RGBa", "LA": "La"}.get(picture.mode, picture.mode)
    reduced = picture.convert(multiplied)
    reduced.thumbnail((longest, longest), Image.Resampling.BOX)
    return reduced.convert(picture.mode)


def _grey(picture: Image.Image) -> NDArray[np.float32]:
    """See `read_grey`."""
    picture = _upright(picture, LONGEST)
    grey = _brightness_of(_reduced(picture, LONGEST))
    box = _small_ink(grey)
    if box is None:
        return grey
    scales = np.array([picture.width, picture.height] * 2) / np.array([*grey.shape[::-1]] * 2)
    left, top, right, bottom = (np.array(box) * scales).astype(int).tolist()
    return _brightness_of(_reduced(picture.crop((left, top, right, bottom)), LONGEST))


def _small_ink(grey: NDArray[np.float32]) -> tuple[int, int, int, int] | None:
    """(left, top, right, bottom) of the only ink on an even page, with some paper, if it is very small for its page.

    In a picture of the whole page, which is made smaller, it would have too few pixels.
    """
    ink = np.abs(grey - np.median(grey)) > _LEAST_INK
    y, x = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not len(y):
        return None
    side = int(max(np.ptp(y), np.ptp(x))) + 1
    if side > _SMALL * max(grey.shape):
        return None
    around = max(side, 4)
    return (
        max(int(x[0]) - around, 0),
        max(int(y[0]) - around, 0),
        min(int(x[-1]) + 1 + around, grey.shape[1]),
        min(int(y[-1]) + 1 + around, grey.shape[0]),
    )


def _brightness_of(picture: Image.Image) -> NDArray[np.float32]:
    """The brightness of a picture that `_reduced` returned, on paper of one colour."""
    transparent = picture.has_transparency_data
    if picture.mode in ("L", "1") and not transparent:
        return _stretched((np.asarray(picture.convert("L")) / 255).astype(np.float32))
    parts = (np.asarray(picture.convert("RGBA" if transparent else "RGB")) / 255).astype(np.float32)
    opacity = parts[:, :, 3] if transparent else None
    grey = _stretched(_brightness(parts[:, :, :3], opacity))
    return grey if opacity is None else _on_paper(grey, opacity)


def _stretched(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """A picture that uses the lowest of its bits only, as one that uses all: scaled up by a power of two."""
    highest = float(grey.max())
    return grey if highest >= 0.25 or highest <= 0.01 else grey * 2.0 ** np.floor(-np.log2(highest))


def _brightness(
    colors: NDArray[np.float32], opacity: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """[H, W, 3] -> [H, W]: the luminance, or where ink and paper differ in colour more than in that, how far along
    the main axis of the picture's colours a pixel is."""
    luminance = colors @ np.array([0.299, 0.587, 0.114], np.float32)
    chosen = colors.reshape(-1, 3) if opacity is None else colors[opacity > 0.02]
    chosen = chosen[:: max(1, len(chosen) // 50_000)].astype(np.float64)
    if len(chosen) < 2:
        return luminance
    covariance = np.cov(chosen.T)
    strengths, axes = np.linalg.eigh(covariance)
    main = axes[:, -1] * (1 if axes[:, -1].sum() >= 0 else -1)
    grey_axis = np.full(3, 3**-0.5)
    if grey_axis @ covariance @ grey_axis > 0.6 * strengths.sum():
        return luminance
    weights = main / np.abs(main).sum()
    values = colors @ weights.astype(np.float32) - min(0.0, weights[weights < 0].sum())
    return values.astype(np.float32)


def _on_paper(grey: NDArray[np.float32], opacity: NDArray[np.float32]) -> NDArray[np.float32]:
    """The picture on paper of the colour that its transparent pixels stand for: black or white.

    The visible pixels beside transparent ones have the paper's colour, where ink was smoothed against it; where they
    have the ink's own, the paper is the opposite of the ink.
    """
    visible = opacity > 0.02
    if not visible.any():
        raise PictureError("the picture is transparent all over")
    near = np.logical_or.reduce(
        [np.roll(~visible, step, axis) for axis in (0, 1) for step in (1, -1)]
    )
    edge, core = visible & near, visible & ~near
    if not edge.any():
        paper = 1.0
    else:
        border = float(np.average(grey[edge], weights=opacity[edge]))
        inside = float(np.average(grey[core], weights=opacity[core])) if core.any() else border
        paper = float(border > inside) if abs(border - inside) > 0.1 else float(inside < 0.5)
    return (grey * opacity + paper * (1 - opacity)).astype(np.float32)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:150]
