"""Pictures without a single digit: letters, scribbles, textures and others.

They measure how often a model takes one for a digit.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.picture_kinds import encoded

Fonts = list[Path]
Make = Callable[[np.random.Generator, Fonts], Image.Image]

_FONTS = Path("/usr/share/fonts")
# Without the letters that some people write as digits: I, O, S, Z, i, l, o, s, z, and q, b and g
# as 9, 6 and 9.
LETTERS = "ABCDEFGHJKLMNPQRTUVWXYacdefhjkmnprtuvwxy"


def fonts(half: int) -> Fonts:
    """Return one half, 0 or 1, of the installed fonts with Latin letters.

    What is chosen with one half can be tried with the other.
    """
    paths = sorted(path for end in ("ttf", "otf") for path in _FONTS.rglob(f"*.{end}"))
    usable = [
        path
        for path in paths
        if not any(word in path.name for word in ("Symbol", "Math", "math", "Emoji"))
    ]
    families = sorted({path.parent.name + path.stem.split("-")[0] for path in usable})
    mine = set(families[half::2])
    return [path for path in usable if path.parent.name + path.stem.split("-")[0] in mine]


def letter(random: np.random.Generator, faces: Fonts) -> Image.Image:
    """Write a letter."""
    text = LETTERS[int(random.integers(len(LETTERS)))]
    return _written(text, faces[int(random.integers(len(faces)))], 240)


def word(random: np.random.Generator, faces: Fonts) -> Image.Image:
    """Write a word of 3 to 8 letters."""
    text = "".join(random.choice(list(LETTERS.lower()), size=int(random.integers(3, 9))))
    return _written(text, faces[int(random.integers(len(faces)))], 90)


def page_of_text(random: np.random.Generator, faces: Fonts) -> Image.Image:
    """Write 14 lines of letters."""
    page = Image.new("L", (600, 600), 255)
    font = ImageFont.truetype(str(faces[int(random.integers(len(faces)))]), 26)
    for row in range(14):
        text = "".join(random.choice([*LETTERS, " ", " ", " "], size=34))
        ImageDraw.Draw(page).text((30, 20 + 40 * row), text, fill=0, font=font)
    return page


def scribble(random: np.random.Generator, faces: Fonts) -> Image.Image:
    """Draw up to three smooth strokes of a pen that wanders."""
    page = Image.new("L", (400, 400), 255)
    draw, width = ImageDraw.Draw(page), int(random.integers(8, 30))
    for _ in range(int(random.integers(1, 4))):
        turns = np.cumsum(np.convolve(random.normal(0, 0.5, 130), np.ones(9) / 3, "same"))
        steps = np.cumsum(np.stack([np.cos(turns), np.sin(turns)], axis=1), axis=0)
        steps = (steps - steps.min(axis=0)) / max(float(np.ptp(steps, axis=0).max()), 1)
        points = [tuple(point) for point in 40 + 320 * steps]
        draw.line(points, fill=0, width=width, joint="curve")
    return page


def shape(random: np.random.Generator, faces: Fonts) -> Image.Image:
    """Draw a star, triangle, cross, arrow, heart-like curve, spiral, or face."""
    page = Image.new("L", (400, 400), 255)
    draw, width = ImageDraw.Draw(page), int(random.integers(10, 30))
    kind, turn = int(random.integers(7)), random.uniform(0, 2 * np.pi)
    around = np.linspace(0, 2 * np.pi, 60) + turn
    if kind in (0, 1):
        count = 5 if kind == 0 else 3
        corner = turn + np.arange(count + 1) * (4 if kind == 0 else 2) * np.pi / count
        points = np.stack([200 + 140 * np.cos(corner), 200 + 140 * np.sin(corner)], axis=1)
    elif kind == 2:
        draw.line((60, 60, 340, 340), fill=0, width=width)
        points = np.array([(60, 340), (340, 60)])
    elif kind == 3:
        draw.line((200, 340, 200, 60), fill=0, width=width)
        points = np.array([(100, 160), (200, 60), (300, 160)])
    elif kind == 4:
        x, y = (
            16 * np.sin(around) ** 3,
            13 * np.cos(around) - 5 * np.cos(2 * around) - 2 * np.cos(3 * around),
        )
        points = np.stack([200 + 9 * x, 200 - 9 * y], axis=1)
    elif kind == 5:
        spiral = np.linspace(0, 6 * np.pi, 120)
        points = np.stack(
            [200 + 8 * spiral * np.cos(spiral), 200 + 8 * spiral * np.sin(spiral)], axis=1
        )
    else:
        draw.ellipse((60, 60, 340, 340), outline=0, width=width)
        draw.ellipse((130, 140, 165, 175), fill=0)
        draw.ellipse((235, 140, 270, 175), fill=0)
        points = np.array([(130, 250), (200, 290), (270, 250)])
    draw.line([tuple(point) for point in points], fill=0, width=width, joint="curve")
    return page


def texture(random: np.random.Generator, faces: Fonts) -> Image.Image:
    """Draw stripes, squares, dots or waves in any direction and contrast."""
    y, x = np.mgrid[0:400, 0:400]
    angle, step = random.uniform(0, np.pi), random.uniform(20, 160)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    waves = [
        np.sin(2 * np.pi * along / step),
        np.sin(2 * np.pi * along / step) * np.sin(2 * np.pi * across / step),
        np.sin(2 * np.pi * (along + 20 * np.sin(across / 30)) / step),
        np.sin(2 * np.pi * np.hypot(x - 200, y - 200) / step),
    ][int(random.integers(4))]
    if random.integers(2):
        waves = np.sign(waves)
    low, high = sorted(random.integers(0, 256, size=2))
    return Image.fromarray(
        (low + (high - low + 30) * (waves + 1) / 2).clip(0, 255).astype(np.uint8)
    )


def photo_like(random: np.random.Generator, faces: Fonts) -> Image.Image:
    """Draw noise whose power falls with the frequency, as in photos of landscapes and rooms."""
    rows, columns = np.fft.fftfreq(256)[:, None], np.fft.fftfreq(256)[None]
    frequency = np.maximum(np.hypot(rows, columns), 1 / 256)
    phases = np.exp(2j * np.pi * random.random((256, 256)))
    values = np.fft.ifft2(phases / frequency ** random.uniform(0.8, 1.8)).real
    values = (values - values.min()) / np.ptp(values)
    return Image.fromarray((255 * values).astype(np.uint8)).resize(
        (512, 512), Image.Resampling.BICUBIC
    )


def nearly_blank(random: np.random.Generator, faces: Fonts) -> Image.Image:
    """Draw paper with grain, a gradient of light, and crumbs, a fold or a stain."""
    y, x = np.mgrid[0:1:400j, 0:1:400j]
    page = (
        0.9 - random.uniform(0, 0.3) * x + random.normal(0, random.uniform(0.002, 0.05), (400, 400))
    )
    kind = int(random.integers(4))
    if kind == 0:
        for row, column in random.integers(0, 396, size=(int(random.integers(1, 30)), 2)):
            page[row : row + int(random.integers(1, 5)), column : column + 4] -= 0.5
    elif kind == 1:
        page -= 0.3 * np.exp(-(((y - random.random()) / 0.01) ** 2))
    elif kind == 2:
        stain = np.hypot(x - random.random(), y - random.random())
        page -= random.uniform(0.05, 0.4) / (1 + np.exp((stain - random.uniform(0.05, 0.3)) * 40))
    return Image.fromarray((255 * page.clip(0, 1)).astype(np.uint8))


def _written(text: str, face: Path, size: int) -> Image.Image:
    page = Image.new("L", (400, 400), 255)
    ImageDraw.Draw(page).text(
        (200, 200), text, fill=0, font=ImageFont.truetype(str(face), size), anchor="mm"
    )
    return page


# How many of 1,000 pictures are of each kind.
WRONG: dict[str, tuple[int, Make]] = {
    "letters": (400, letter),
    "words and pages of text": (
        60,
        lambda r, f: word(r, f) if r.integers(2) else page_of_text(r, f),
    ),
    "scribbles": (140, scribble),
    "shapes": (100, shape),
    "textures": (120, texture),
    "photo-like noise": (100, photo_like),
    "nearly blank pages": (80, nearly_blank),
}


def make(kind: str, half: int, count: int) -> list[bytes]:
    """Return so many pictures of a kind as PNG files; halves 0 and 1 have different pictures."""
    random, faces = np.random.default_rng([half, list(WRONG).index(kind)]), fonts(half)
    return [encoded(WRONG[kind][1](random, faces)) for _ in range(count)]
