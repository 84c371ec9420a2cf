"""Measure what the drawing page says of digits, letters and scribbles that are drawn on it.

They are drawn as the page draws: a pen of 7% of the side, with round ends, on 280x280 pixels. Each
is one of a few templates, which is turned, slanted, squeezed and shaken at random. Nothing here has
chosen the rule of doubt, which is fitted on MNIST's validation images.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from benchmarks.picture_kinds import encoded
from benchmarks.pictures import printed, read, scan, write_table

Stroke = list[tuple[float, float]]  # x and y of its points in 0..1, y downwards
_SIDE, _PEN, _SHARPER = 280, 0.07, 4
# The strokes of each: x,y of points in hundredths of the side, y downwards.
DIGITS = {
    "0": "50,20 66,29 72,50 66,71 50,80 34,71 28,50 34,29 50,20",
    "1": "50,18 50,82",
    "2": "30,32 38,20 55,18 67,30 62,48 30,80 70,80",
    "3": "32,22 52,18 66,30 60,44 46,48 62,54 68,68 54,82 32,78",
    "4": "42,18 28,56 72,56 / 62,30 58,84",
    "5": "66,20 38,20 34,46 54,44 66,58 58,76 34,80",
    "6": "60,18 42,36 34,60 42,78 56,80 64,68 58,56 36,62",
    "7": "28,22 72,22 45,80",
    "8": "62,28 50,18 38,28 44,44 60,58 62,72 50,82 38,72 42,56 58,42 62,28",
    "9": "64,32 52,20 38,28 38,42 52,48 64,34 62,60 56,82",
}
LETTERS = {
    "A": "25,82 50,18 75,82 / 34,60 66,60",
    "E": "70,20 34,20 34,80 70,80 / 34,50 62,50",
    "F": "70,20 34,20 34,82 / 34,50 62,50",
    "H": "30,20 30,80 / 70,20 70,80 / 30,50 70,50",
    "K": "32,20 32,80 / 68,20 32,52 70,80",
    "L": "36,20 36,80 68,80",
    "M": "24,80 28,20 50,60 72,20 76,80",
    "N": "30,80 30,20 70,80 70,20",
    "P": "36,82 36,20 60,22 66,36 58,50 36,52",
    "R": "34,82 34,20 60,22 66,36 58,50 34,52 70,82",
    "T": "26,20 74,20 / 50,20 50,82",
    "V": "28,20 50,80 72,20",
    "W": "20,20 34,80 50,40 66,80 80,20",
    "X": "28,20 72,80 / 72,20 28,80",
    "Y": "28,20 50,50 72,20 / 50,50 50,82",
    "h": "36,18 36,80 / 36,56 52,46 64,56 64,80",
    "m": "22,40 22,74 / 22,50 34,40 48,46 48,74 / 48,50 62,40 76,46 76,74",
}


def main() -> None:
    write_table("drawn", __doc__, "number of drawings of each kind", _table)


def _table(model: object, count: int) -> list[str]:
    """Return a row for each kind of drawing: the shares right, not sure, and sure though wrong."""
    lines = ["| drawn on the page | right | refused | not sure | wrong, but sure |"]
    lines.append("|---|---|---|---|---|")
    for kind, templates in {"digits": DIGITS, "letters": LETTERS, "scribbles": {}}.items():
        random = np.random.default_rng([2, len(kind)])
        names = [random.choice(list(templates or [""])) for _ in range(count)]
        drawings = [
            strokes_of(templates[name]) if templates else scribble(random) for name in names
        ]
        scans = [scan(encoded(drawn(strokes, random))) for strokes in drawings]
        digits, sure = read(model, scans)
        right = digits == [int(name) if name.isdigit() else -2 for name in names]
        parts = (right, digits < 0, (digits >= 0) & ~sure, sure & ~right)
        shares = [f"{part.mean():.1%}" for part in parts]
        shares[0] = shares[0] if kind == "digits" else ""
        lines.append(f"| {kind} | " + " | ".join(shares) + " |")
    return printed(lines)


def drawn(strokes: list[Stroke], random: np.random.Generator) -> Image.Image:
    """Draw strokes as the page does, turned, slanted, squeezed and shaken at random."""
    turn, slant = random.normal(0, 0.08), random.normal(0.05, 0.12)
    width, height = random.uniform(0.8, 1.15, size=2)
    matrix = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = matrix @ np.array([[width, -slant], [0, height]])
    side = _SIDE * _SHARPER
    page = Image.new("L", (side, side), 255)
    draw, pen = ImageDraw.Draw(page), _PEN * side
    for stroke in strokes:
        points = np.asarray(stroke) + random.normal(0, 0.012, (len(stroke), 2))
        points = side * np.clip(0.5 + (_smooth(points) - 0.5) @ matrix.T, 0.05, 0.95)
        draw.line([tuple(point) for point in points], fill=0, width=round(pen), joint="curve")
        for x, y in points:
            draw.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill=0)
    return page.resize((_SIDE, _SIDE), Image.Resampling.BOX)


def strokes_of(text: str) -> list[Stroke]:
    """Return the strokes that a template describes."""
    points = [[point.split(",") for point in part.split()] for part in text.split("/")]
    return [[(int(x) / 100, int(y) / 100) for x, y in stroke] for stroke in points]


def _smooth(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the points with their corners cut twice, as a hand does (Chaikin 1974)."""
    for _ in range(2):
        before, after = points[:-1], points[1:]
        cut = np.stack([0.75 * before + 0.25 * after, 0.25 * before + 0.75 * after], axis=1)
        points = np.concatenate([points[:1], cut.reshape(-1, 2), points[-1:]])
    return points


def scribble(random: np.random.Generator) -> list[Stroke]:
    """Return one to four strokes through 14 random points."""
    points = random.uniform(0.15, 0.85, (14, 2))
    cuts = np.sort(random.choice(np.arange(2, 13), size=int(random.integers(0, 4)), replace=False))
    return [[(x, y) for x, y in part] for part in np.split(points, cuts) if len(part) > 1]


if __name__ == "__main__":
    main()
