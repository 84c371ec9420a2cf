"""Pictures of MNIST's digits as people might have them, made for measuring."""

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Digit = NDArray[np.uint8]
Make = Callable[[Digit, np.random.Generator], bytes]


def encoded(picture: Image.Image, kind: str = "PNG", **settings: object) -> bytes:
    """Return the picture's file in Pillow's format `kind`."""
    file = io.BytesIO()
    picture.save(file, kind, **settings)
    return file.getvalue()


def large(digit: Digit, size: int = 400) -> Image.Image:
    """Return the digit light on dark, as in MNIST, in size x size pixels."""
    return Image.fromarray(digit).resize((size, size), Image.Resampling.BICUBIC)


def dark_on_light(picture: Image.Image) -> Image.Image:
    """Return the picture with black and white exchanged."""
    return Image.fromarray(255 - np.asarray(picture))


def on_canvas(digit: Digit, random: np.random.Generator) -> Image.Image:
    """Draw a digit of 260 pixels anywhere on a white page of 900 x 700."""
    page = Image.new("L", (900, 700), 255)
    page.paste(
        dark_on_light(large(digit, 260)), (int(random.integers(640)), int(random.integers(440)))
    )
    return page


def small_on_page(digit: Digit, random: np.random.Generator) -> Image.Image:
    """Draw a digit of 60 pixels anywhere on a white page of 2,000 x 2,000."""
    page = Image.new("L", (2000, 2000), 255)
    left, top = (int(n) for n in random.integers(1940, size=2))
    page.paste(dark_on_light(large(digit, 60)), (left, top))
    return page


def noisy(picture: Image.Image, random: np.random.Generator, deviation: float) -> Image.Image:
    """Add Gaussian noise to the picture; `deviation` is a fraction of the range."""
    values = np.asarray(picture, float) + random.normal(
        0, 255 * deviation, (picture.height, picture.width)
    )
    return Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))


def speckled(picture: Image.Image, random: np.random.Generator) -> Image.Image:
    """Make 3% of the pixels of the picture black or white."""
    values, chance = np.array(picture), random.random((picture.height, picture.width))
    values[chance < 0.015], values[chance > 0.985] = 0, 255
    return Image.fromarray(values)


def photo(digit: Digit, random: np.random.Generator) -> Image.Image:
    """Draw ink on yellowish paper, with light that fades to the right and bottom, and noise."""
    paper = 1 - np.asarray(large(digit), float) / 255
    y, x = np.mgrid[0:1:400j, 0:1:400j]
    light = (0.85 - 0.35 * x - 0.15 * y) * (0.3 + 0.7 * paper) + random.normal(0, 0.03, paper.shape)
    colored = light[:, :, None] * np.array([1, 0.97, 0.88])
    return Image.fromarray((255 * np.clip(colored, 0, 1)).astype(np.uint8))


def thin(digit: Digit) -> Image.Image:
    """Make the strokes 15 pixels thinner than in the 400 pixels of `large`, as with a fine pen."""
    return dark_on_light(large(digit).filter(ImageFilter.MinFilter(15)))


def shadowed(digit: Digit, random: np.random.Generator) -> Image.Image:
    """Put about half of the page into a shadow with a soft edge, which takes half of the light."""
    paper = np.asarray(dark_on_light(large(digit)), float)
    y, x = np.mgrid[-1:1:400j, -1:1:400j]
    angle = random.uniform(0, 2 * np.pi)
    across = x * np.cos(angle) + y * np.sin(angle) - random.uniform(-0.4, 0.4)
    return Image.fromarray((paper * (0.5 + 0.5 / (1 + np.exp(-across * 40)))).astype(np.uint8))


def edge_line(digit: Digit, random: np.random.Generator) -> Image.Image:
    """Draw a dark line of one pixel at one, some or all edges."""
    page = np.array(dark_on_light(large(digit, int(random.choice([28, 100, 400])))))
    edges = [np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]]
    for edge in random.permutation(4)[: random.integers(1, 5)]:
        page[edges[edge]] = 0
    return Image.fromarray(page)


def scanner_edges(digit: Digit, random: np.random.Generator) -> Image.Image:
    """Draw black bands, up to 8% of the page wide and not quite straight, on one to four sides."""
    page = dark_on_light(large(digit))
    draw = ImageDraw.Draw(page)
    for side in random.permutation(4)[: random.integers(1, 5)]:
        one, other = (int(n) for n in random.integers(4, 32, size=2))
        corners = [(0, 0), (400, 0), (400, one), (0, other)]
        turned = [(x, y) if side % 2 == 0 else (y, x) for x, y in corners]
        draw.polygon([(x, y) if side < 2 else (400 - x, 400 - y) for x, y in turned], fill=0)
    return page


def boxed(digit: Digit, random: np.random.Generator) -> Image.Image:
    """Draw a box around the digit, with straight or round corners."""
    page = Image.new("L", (520, 520), 255)
    page.paste(dark_on_light(large(digit, 320)), (100, 100))
    at = [int(n) for n in (*random.integers(10, 90, size=2), *random.integers(430, 510, size=2))]
    radius = int(random.choice([0, 0, 40]))
    ImageDraw.Draw(page).rounded_rectangle(at, radius, outline=0, width=int(random.integers(2, 14)))
    return page


def titled(digit: Digit, random: np.random.Generator) -> Image.Image:
    """Draw the window of a program: a bar with words above the page, and a thin frame."""
    page = Image.new("RGB", (420, 460), "white")
    page.paste(dark_on_light(large(digit)).convert("RGB"), (10, 50))
    draw = ImageDraw.Draw(page)
    bar = [(40, 40, 46), (0, 90, 180), (190, 190, 190)][int(random.integers(3))]
    draw.rectangle((0, 0, 420, int(random.integers(24, 46))), fill=bar)
    draw.text((12, 8), "digit.png - Viewer", fill="white")
    draw.rectangle((0, 0, 419, 459), outline=bar)
    return page


def ruled(digit: Digit, random: np.random.Generator, *, squares: bool = False) -> Image.Image:
    """Draw ink on paper with blue lines, or squares."""
    page = Image.new("RGB", (500, 500), "white")
    draw, step = ImageDraw.Draw(page), int(random.integers(24, 60))
    for at in range(int(random.integers(step)), 500, step):
        draw.line((0, at, 499, at), fill=(150, 180, 230), width=2)
        if squares:
            draw.line((at, 0, at, 499), fill=(150, 180, 230), width=2)
    ink = Image.new("L", (500, 500))
    ink.paste(large(digit, 360), (int(random.integers(20, 120)), int(random.integers(20, 120))))
    page.paste((20, 20, 60), mask=ink)
    return page


def colored(digit: Digit, random: np.random.Generator) -> Image.Image:
    """Draw ink and paper in any two colours that a person can tell apart."""
    while True:
        ink, paper = random.integers(0, 256, size=(2, 3))
        if np.abs(ink - paper).max() > 130:
            break
    share = np.asarray(large(digit), float)[:, :, None] / 255
    return Image.fromarray((share * ink + (1 - share) * paper).astype(np.uint8))


def transparent(digit: Digit, random: np.random.Generator) -> Image.Image:
    """Draw black, white or blue ink on transparent paper."""
    ink = [(0, 0, 0), (255, 255, 255), (20, 40, 160)][int(random.integers(3))]
    shape = np.asarray(large(digit))
    return Image.fromarray(np.dstack([*(np.full_like(shape, part) for part in ink), shape]))


def transparent_grey(digit: Digit, random: np.random.Generator) -> Image.Image:
    """Draw black or white ink on transparent paper, as a grey picture with opacity."""
    shape = np.asarray(large(digit))
    return Image.fromarray(np.dstack([np.full_like(shape, random.choice([0, 255])), shape]), "LA")


def indexed(digit: Digit, random: np.random.Generator) -> bytes:
    """Return a picture of indexed colours whose paper, white or black, is transparent."""
    light = bool(random.integers(2))
    picture = dark_on_light(large(digit)) if light else large(digit)
    return encoded(picture.convert("P"), transparency=255 if light else 0)


def low_bits(digit: Digit, random: np.random.Generator) -> Image.Image:
    """Return a grey picture of 16 bits that uses 8 to 12 of them, in either polarity."""
    picture = np.asarray(large(digit) if random.integers(2) else dark_on_light(large(digit)))
    return Image.fromarray(
        (picture / 255 * (2 ** int(random.integers(8, 13)) - 1)).astype(np.uint16)
    )


def turned_by_exif(digit: Digit, random: np.random.Generator) -> bytes:
    """Return a JPEG that is stored turned, with EXIF data that says so."""
    way, back = [
        (6, Image.Transpose.ROTATE_90),
        (3, Image.Transpose.ROTATE_180),
        (8, Image.Transpose.ROTATE_270),
    ][int(random.integers(3))]
    exif = Image.Exif()
    exif[0x0112] = way
    return encoded(dark_on_light(large(digit)).transpose(back), "JPEG", exif=exif)


def boxed_closely(digit: Digit, random: np.random.Generator) -> Image.Image:
    """Draw a box that the digit touches on one side or more."""
    page = Image.new("L", (520, 520), 255)
    page.paste(dark_on_light(large(digit)), (60, 60))
    rows, columns = (np.flatnonzero((np.asarray(page) < 128).any(axis=axis)) for axis in (1, 0))
    at = [columns[0], rows[0], columns[-1], rows[-1]]
    outward = random.integers(0, 60, size=4) * (random.permutation(4) > 0)
    box = [
        int(edge + sign * more)
        for edge, sign, more in zip(at, (-1, -1, 1, 1), outward, strict=True)
    ]
    ImageDraw.Draw(page).rectangle(box, outline=0, width=4)
    return page


def circled(digit: Digit, random: np.random.Generator) -> Image.Image:
    """Draw a ring around the digit."""
    page = Image.new("L", (520, 520), 255)
    page.paste(dark_on_light(large(digit, 320)), (100, 100))
    at = [int(n) for n in (*random.integers(10, 50, size=2), *random.integers(470, 510, size=2))]
    ImageDraw.Draw(page).ellipse(at, outline=0, width=int(random.integers(3, 10)))
    return page


def cut_out(digit: Digit, random: np.random.Generator) -> Image.Image:
    """Cut the digit out without any margin."""
    page = dark_on_light(large(digit))
    rows, columns = (np.flatnonzero((np.asarray(page) < 128).any(axis=axis)) for axis in (1, 0))
    return page.crop((int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1))


def on_a_table(digit: Digit, random: np.random.Generator) -> Image.Image:
    """Draw a sheet that lies on a dark table, turned by up to 12 degrees."""
    sheet = dark_on_light(large(digit, 360)).convert("RGBA")
    turned = sheet.rotate(random.uniform(-12, 12), Image.Resampling.BICUBIC, expand=True)
    table = Image.new("RGBA", (640, 560), (70, 50, 40, 255))
    table.alpha_composite(turned, (int(random.integers(60, 120)), int(random.integers(20, 60))))
    return table.convert("RGB")


KINDS: dict[str, Make] = {
    "as it is, 28 px": lambda d, r: encoded(Image.fromarray(d)),
    "400 px": lambda d, r: encoded(large(d)),
    "400 px, dark on light": lambda d, r: encoded(dark_on_light(large(d))),
    "off-centre on a page of 900 x 700": lambda d, r: encoded(on_canvas(d, r)),
    "60 px on a page of 2,000 x 2,000": lambda d, r: encoded(small_on_page(d, r), "JPEG"),
    "400 px, noise of 15%": lambda d, r: encoded(noisy(dark_on_light(large(d)), r, 0.15)),
    "28 px, noise of 10%": lambda d, r: encoded(noisy(Image.fromarray(d), r, 0.1)),
    "400 px, 3% black or white specks": lambda d, r: encoded(speckled(dark_on_light(large(d)), r)),
    "400 px, JPEG of quality 10": lambda d, r: encoded(dark_on_light(large(d)), "JPEG", quality=10),
    "off-centre, noise of 10%, JPEG": lambda d, r: encoded(noisy(on_canvas(d, r), r, 0.1), "JPEG"),
    "photo: uneven light, colour, noise": lambda d, r: encoded(photo(d, r), "JPEG"),
    "photo: a shadow over half of it": lambda d, r: encoded(shadowed(d, r), "JPEG"),
    "photo: a sheet on a dark table": lambda d, r: encoded(on_a_table(d, r), "JPEG"),
    "fine pen": lambda d, r: encoded(thin(d)),
    "a line of 1 px at one to four edges": lambda d, r: encoded(edge_line(d, r)),
    "black edges of a scanner": lambda d, r: encoded(scanner_edges(d, r), "JPEG"),
    "a box drawn around it": lambda d, r: encoded(boxed(d, r)),
    "a box that it touches": lambda d, r: encoded(boxed_closely(d, r)),
    "a ring around it": lambda d, r: encoded(circled(d, r)),
    "cut out without a margin": lambda d, r: encoded(cut_out(d, r)),
    "a window with a title bar": lambda d, r: encoded(titled(d, r)),
    "ruled paper": lambda d, r: encoded(ruled(d, r), "JPEG"),
    "squared paper": lambda d, r: encoded(ruled(d, r, squares=True), "JPEG"),
    "any two colours": lambda d, r: encoded(colored(d, r)),
    "transparent paper, RGBA": lambda d, r: encoded(transparent(d, r)),
    "transparent paper, grey": lambda d, r: encoded(transparent_grey(d, r)),
    "transparent paper, indexed": indexed,
    "16 bits, 8 to 12 of them used": lambda d, r: encoded(low_bits(d, r)),
    "turned, by EXIF": turned_by_exif,
    "GIF": lambda d, r: encoded(dark_on_light(large(d)), "GIF"),
    "WebP": lambda d, r: encoded(dark_on_light(large(d)), "WEBP", quality=60),
    "BMP": lambda d, r: encoded(large(d).convert("1"), "BMP"),
    "TIFF in CMYK": lambda d, r: encoded(dark_on_light(large(d)).convert("CMYK"), "TIFF"),
}
