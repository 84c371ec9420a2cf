"""Numbers in confusion matrices and on axes can be read: WCAG 2.2 asks for a contrast of 4.5."""

import re
import xml.etree.ElementTree as ET
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from mnist_exp.compare import matrices
from mnist_exp.compare.predictions import PairedPredictions

CSS = Path(matrices.__file__).with_name("page.css").read_text()
LEAST = 4.5

Color = tuple[float, ...]  # red, green and blue, 0 to 255


def colors(scheme: str) -> dict[str, str]:
    """The variables of the style sheet in a color scheme."""
    light, dark = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    found = dict(re.findall(r"--([\w-]+): ([^;]+);", light))
    return found | (dict(re.findall(r"--([\w-]+): ([^;]+);", dark)) if scheme == "dark" else {})


def rgb(text: str) -> Color:
    digits = text.strip().lstrip("#")
    digits = "".join(2 * digit for digit in digits) if len(digits) == 3 else digits
    return tuple(int(digits[i : i + 2], 16) for i in (0, 2, 4))


def over(top: Color, opacity: float, below: Color) -> Color:
    return tuple(opacity * a + (1 - opacity) * b for a, b in zip(top, below, strict=True))


def luminance(color: Color) -> float:
    """https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    parts = [c / 255 for c in color]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def contrast(first: Color, second: Color) -> float:
    light, dark = sorted([luminance(first), luminance(second)], reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_counts_of_every_shade_can_be_read(scheme: str) -> None:
    """A matrix is drawn as two rectangles and a text a cell, one after the other."""
    known = colors(scheme)
    ink, empty = rgb(known["ink"]), rgb(known["empty"])
    shades = set()
    labels = np.repeat(np.arange(10), 100)
    for wrong in range(0, 100, 3):
        read = np.where(
            np.arange(1000) % 100 < wrong, (labels + 1 + np.arange(1000) % 7) % 10, labels
        )
        pair = PairedPredictions(
            group_label="b",
            baseline_networks=5,
            group_networks=5,
            class_names=tuple("0123456789"),
            label=labels,
            baseline=labels[::-1] if wrong > 50 else labels,
            group=read,
        )
        for drawing in matrices.confusion_matrices(pair, "a"):
            for cell in ET.fromstring(drawing.picture).iter("rect"):
                style = cell.get("class", "")
                if style.startswith("cell"):
                    shades.add((style.split()[1], float(cell.get("fill-opacity", 1))))
    assert len(shades) > 60
    assert {name for name, _ in shades} == {"s1", "s2"}
    assert max(opacity for _, opacity in shades) == matrices.DARKEST
    for name, opacity in shades:
        color = rgb(known[f"c{name[1:]}"])
        assert contrast(ink, over(color, opacity * float(known["cell"]), empty)) >= LEAST


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_of_the_page_can_be_read(scheme: str) -> None:
    known = colors(scheme)
    texts = ("ink", "muted", "better", "worse")
    for text, ground in product(texts, ("paper", "empty")):
        assert contrast(rgb(known[text]), rgb(known[ground])) >= LEAST, (text, ground)
    assert contrast(rgb(known["ink"]), rgb(known["note"])) >= LEAST
