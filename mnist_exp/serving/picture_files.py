"""Read a picture's file: its brightness [H, W], upright, on paper of one colour.

A copy of this file is part of every logged model, so it imports numpy and Pillow only. Pillow reads
HEIC where pillow-heif is installed.
"""

import contextlib
import io
import re
import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

MOST_PIXELS = 64_000_000  # of a picture; decoded, that many take 64 to 256 MB
LONGEST = 1024  # pixels: the longer side to which a picture is reduced
_SMALL = 0.08  # of a page's longer side: smaller ink is cut out before the page is reduced
_LEAST_INK = 0.05  # of the range from black to white: the least that ink differs from an even page
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
_GREY = (190, 190, 190, 255)  # a paper on which black and white ink both show

# Pillow warns of large pictures, which are refused here, and of damaged EXIF, which is ignored.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", module=r"PIL\.")


class PictureError(ValueError):
    """No digit can be read from a picture; the message is one line and says why."""


def read_grey(content: bytes) -> NDArray[np.float32]:
    """Return a picture's brightness [H, W] from 0 (black) to 1 (white).

    The longer side is at most `LONGEST`. Of an animation or several pages the first is read. Raises
    PictureError for a file that is not a picture, is damaged, too large, or transparent all over.
    """
    with _damage_reported():
        return _grey(_open(content))


def shown(content: bytes, longest: int) -> Image.Image:
    """Return the picture as a person sees it: RGB, upright, its longer side at most `longest`.

    Transparent paper is grey. Raises PictureError as `read_grey`.
    """
    with _damage_reported():
        picture = _reduced(_upright(_open(content), longest), longest)
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    paper = Image.new("RGBA", picture.size, _GREY)
    return Image.alpha_composite(paper, picture.convert("RGBA")).convert("RGB")


def upright(content: bytes, mode: str, least: int) -> Image.Image:
    """Return the picture in Pillow's mode L or RGB, turned as its EXIF says, without its opacity.

    A large JPEG is decoded smaller, with sides of at least `least`. Raises PictureError as
    `read_grey`.
    """
    with _damage_reported():
        return _upright(_open(content), least).convert(mode)


@contextlib.contextmanager
def _damage_reported() -> Iterator[None]:
    """Raise PictureError for whatever Pillow's readers raise in the block: the file is damaged."""
    try:
        yield
    except (PictureError, MemoryError):
        raise
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:150]
        raise PictureError(f"the file is damaged ({reason})") from error


def _open(content: bytes) -> Image.Image:
    """Return the picture, not decoded yet.

    Raises PictureError if the file is not a picture or has too many pixels.
    """
    formats = list(_PILLOW_FORMATS)
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC_BRANDS:
        formats.append(_heic_reader())
    try:
        picture = Image.open(io.BytesIO(_without_metadata(content)), formats=formats)
    except UnidentifiedImageError:
        raise _no_picture(content) from None
    except Image.DecompressionBombError as error:
        count = re.search(r"\d+", str(error))
        raise _too_large(int(count[0]) if count else None) from None
    if picture.width * picture.height > MOST_PIXELS:
        raise _too_large(picture.width * picture.height)
    return picture


def _without_metadata(content: bytes) -> bytes:
    """Return a PNG file without texts, profiles and times; other files as they are.

    These may be damaged or have many megabytes, for which Pillow refuses a file that every other
    program shows. The rest of a file that was cut off is kept, so that Pillow reports it.
    """
    if not content.startswith(_PNG):
        return content
    kept, start, end = [_PNG], len(_PNG), len(_PNG)
    while start + 12 <= len(content):
        length, kind = int.from_bytes(content[start : start + 4]), content[start + 4 : start + 8]
        end = start + 12 + length
        if kind[:1].isupper() or kind in _PNG_EXTRAS:  # PNG's critical chunks have a capital letter
            kept.append(content[start:end])
        start = end
        if kind == b"IEND":
            return b"".join(kept)
    return b"".join([*kept, content[end:]])


def _heic_reader() -> str:
    """Register pillow-heif's reader and return the name that it gives the format."""
    try:
        import pillow_heif
    except ImportError:
        raise PictureError(
            "a picture in HEIC format, which is read with the package pillow-heif "
            "(`pip install pillow-heif`); or save it as JPEG"
        ) from None
    pillow_heif.register_heif_opener()
    return "HEIF"


def _no_picture(content: bytes) -> PictureError:
    """Return the error for a file that is not a picture, which names what it is if it can."""
    expected = f"{', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
    start = content[:200].lstrip()
    for begin, kind in _NO_PICTURES.items():
        if start.startswith(begin):
            return PictureError(f"{kind}, not a picture in {expected} format; save it as PNG")
    return PictureError(f"not a picture in {expected} format")


def _too_large(pixels: int | None) -> PictureError:
    """Return the error for a picture of this many pixels, None if Pillow did not count them."""
    has = "too many pixels" if pixels is None else f"{pixels:,} pixels"
    return PictureError(f"the picture has {has}; at most {MOST_PIXELS:,} are read")


def _upright(picture: Image.Image, longest: int) -> Image.Image:
    """Return the picture turned as its EXIF says, with 8 bits a channel.

    Pillow converts its mode to all others.
    """
    picture.draft(None, (longest, longest))  # a large JPEG is decoded smaller, which is much faster
    picture.load()  # raises for damaged pixels, once: Pillow then keeps what it could read of them
    # It raises anything for damaged EXIF, too.
    with contextlib.suppress(Exception):
        picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I") or picture.mode == "F":
        picture = _eight_bits(picture)
    elif picture.mode == "LAB":
        picture = picture.getchannel("L")
    elif picture.mode in ("La", "RGBa"):  # their colours are multiplied by their opacity
        picture = picture.convert("LA" if picture.mode == "La" else "RGBA")
    return picture


def _eight_bits(picture: Image.Image) -> Image.Image:
    """Return a picture of 16 or 32 bits, or of fractions, scaled by the bits that it uses.

    Pillow would cut off the values above 255. Raises PictureError for pixels that are not numbers.
    """
    values = np.asarray(picture, np.float64)
    if not np.isfinite(values).all():
        raise PictureError(
            "some pixels are no numbers (NaN or infinite): save it with a number for each"
        )
    values = values - (values.min() if values.min() < 0 or _faint(values) else 0.0)
    highest = values.max()
    if highest > 1:  # for whole numbers: the highest of as many bits
        highest = 2.0 ** np.ceil(np.log2(highest + 1)) - 1
    return Image.fromarray(np.round(255 * values / max(highest, 1e-9)).astype(np.uint8))


def _faint(values: NDArray[np.float64]) -> bool:
    """Return whether the picture has two brightnesses that differ by less than 10% of the higher.

    Noise and uneven light are not two brightnesses.
    """
    low, high = float(values.min()), float(values.max())
    light = values > (low + high) / 2
    share = float(light.mean())
    if high - low >= 0.1 * high or not 0 < share < 1:
        return False
    contrast = float(values[light].mean() - values[~light].mean())
    return share * (1 - share) * contrast**2 > 0.8 * float(values.var())


def _reduced(picture: Image.Image, longest: int) -> Image.Image:
    """Return the picture with a longer side of at most `longest`, by averages of its pixels."""
    if max(picture.size) <= longest:
        return picture
    if picture.has_transparency_data and picture.mode not in ("RGBA", "LA"):
        picture = picture.convert("RGBA")
    elif picture.mode in ("P", "1"):
        picture = picture.convert("RGB")
    # Fully transparent pixels have a colour, too, which must not mix with that of visible ones.
    multiplied = {"RGBA": "RGBa", "LA": "La"}.get(picture.mode, picture.mode)
    reduced = picture.convert(multiplied)
    reduced.thumbnail((longest, longest), Image.Resampling.BOX)
    return reduced.convert(picture.mode)


def _grey(picture: Image.Image) -> NDArray[np.float32]:
    """Return the brightness as `read_grey`; very small ink is cut out before it is reduced."""
    picture = _upright(picture, LONGEST)
    grey = _brightness_of(_reduced(picture, LONGEST))
    box = _small_ink(grey)
    if box is None:
        return grey
    scales = np.array([picture.width, picture.height] * 2) / np.array([*grey.shape[::-1]] * 2)
    left, top, right, bottom = (np.array(box) * scales).astype(int).tolist()
    return _brightness_of(_reduced(picture.crop((left, top, right, bottom)), LONGEST))


def _small_ink(grey: NDArray[np.float32]) -> tuple[int, int, int, int] | None:
    """Return (left, top, right, bottom) of very small ink on an even page, with paper around it.

    In the reduced picture of the whole page it would have too few pixels. Return None if there is
    no ink, or larger ink.
    """
    ink = np.abs(grey - np.median(grey)) > _LEAST_INK
    box = Image.fromarray(ink).getbbox()
    if box is None:
        return None
    left, top, right, bottom = box
    side = max(right - left, bottom - top)
    if side > _SMALL * max(grey.shape):
        return None
    margin = max(side, 4)
    height, width = grey.shape
    return (
        max(left - margin, 0),
        max(top - margin, 0),
        min(right + margin, width),
        min(bottom + margin, height),
    )


def _brightness_of(picture: Image.Image) -> NDArray[np.float32]:
    """Return the brightness of a picture that `_reduced` returned, on paper of one colour."""
    transparent = picture.has_transparency_data
    if picture.mode in ("L", "1") and not transparent:
        return _stretched((np.asarray(picture.convert("L")) / 255).astype(np.float32))
    parts = (np.asarray(picture.convert("RGBA" if transparent else "RGB")) / 255).astype(np.float32)
    opacity = parts[:, :, 3] if transparent else None
    grey = _stretched(_brightness(parts[:, :, :3], opacity))
    return grey if opacity is None else _on_paper(grey, opacity)


def _stretched(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the brightness times a power of two, if the picture uses only its lowest bits."""
    highest = float(grey.max())
    return grey if highest >= 0.25 or highest <= 0.01 else grey * 2.0 ** np.floor(-np.log2(highest))


def _brightness(
    colors: NDArray[np.float32], opacity: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """Return the brightness [H, W] of colours [H, W, 3].

    It is the luminance; if ink and paper differ more in colour than in luminance, it is the
    position of each pixel on the main axis of the picture's colours.
    """
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
    lowest = min(0.0, weights[weights < 0].sum())
    values: NDArray[np.float32] = (colors @ weights.astype(np.float32) - lowest).astype(np.float32)
    return values


def _on_paper(grey: NDArray[np.float32], opacity: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the picture on paper of the colour that its transparent pixels stand for.

    The paper is black or white. If ink was smoothed against it, the visible pixels beside
    transparent ones have its colour; if those have the ink's colour, the paper is the opposite.
    Raises PictureError for a picture that is transparent all over.
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
