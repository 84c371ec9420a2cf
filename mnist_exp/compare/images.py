"""Figures of test images: confusion matrices, and images that only one of two groups gets right."""

import base64
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from mnist_exp.compare import svg
from mnist_exp.compare.charts import Drawing
from mnist_exp.compare.predictions import PairedPredictions
from mnist_exp.outside.printing import plural
from mnist_exp.training.confusion import confusion_counts

_MOST_IMAGES = 12  # of each side
DARKEST = 0.75  # how opaque a cell is: its count, in the page's ink, stays easy to read
_CELL, _LEFT, _TOP = 30, 30, 6  # pixels: a cell, and where the first one is


@dataclass(frozen=True, kw_only=True)
class MisreadImage:
    """A test image that one of the two groups gets wrong."""

    index: int  # in the test set
    label: int
    wrong: int  # the digit that the wrong group sees
    source: str  # the picture as a data URI


@dataclass(frozen=True, kw_only=True)
class Disagreement:
    """The test images that only one of two groups gets right."""

    name: str  # of the group that is right
    note: str
    images: tuple[MisreadImage, ...]


def confusion_matrices(pair: PairedPredictions, baseline: str) -> list[Drawing]:
    """Return the matrices of the baseline and of the group, and the second minus the first."""
    classes = int(max(pair.label.max(), pair.baseline.max(), pair.group.max(), 9)) + 1
    titles = (f"{baseline} (baseline)", pair.group_label)
    networks = (pair.baseline_networks, pair.group_networks)
    counts = [confusion_counts(pair.label, p, classes) for p in (pair.baseline, pair.group)]
    wrong = [np.where(np.eye(classes, dtype=bool), 0, matrix) for matrix in counts]
    most = max(1, *(int(matrix.max()) for matrix in wrong))
    drawings = [
        Drawing(
            title=title,
            note=f"{_reader(n)}: {int(np.trace(matrix)):,} of {len(pair.label):,} right",
            picture=_matrix(matrix, most),
        )
        for title, n, matrix in zip(titles, networks, counts, strict=True)
    ]
    note = "group minus baseline; blue is for the better"
    difference = _matrix(counts[1] - counts[0], None)
    return [*drawings, Drawing(title="difference", note=note, picture=difference)]


def _reader(networks: int) -> str:
    """Return who read the images."""
    return f"ensemble of {networks}" if networks > 1 else "one network"


def _matrix(counts: NDArray[np.int64], most: int | None) -> Markup:
    """Draw counts by label (rows) and prediction (columns).

    `most` is the count of mistakes with the full shade; None for a difference of two matrices.
    """
    end = len(counts) * _CELL
    middle = _TOP + end / 2
    return svg.element(
        "svg",
        *_cells(counts, most),
        *_digits(len(counts)),
        svg.element("text", "prediction", class_="digit", x=_LEFT + end / 2, y=_TOP + end + 33),
        svg.element(
            "text",
            "label",
            class_="digit",
            x=9,
            y=middle,
            transform=f"rotate(-90 9 {middle})",
            dy=".3em",
        ),
        class_="matrix",
        viewBox=f"0 0 {_LEFT + end + 4} {_TOP + end + 40}",
        role="img",
        aria_label="confusion matrix",
    )


def _cells(counts: NDArray[np.int64], most: int | None) -> Iterator[Markup]:
    largest = max(1, int(np.abs(counts).max()))
    totals = np.maximum(counts.sum(axis=1), 1)
    for row, column in np.ndindex(counts.shape):
        count, is_right = int(counts[row, column]), row == column
        x, y = _LEFT + column * _CELL, _TOP + row * _CELL
        size = {"x": x, "y": y, "width": _CELL - 1, "height": _CELL - 1}
        yield svg.element("rect", class_="empty", **size)
        if not count:
            continue
        if most is None:
            shade, is_good = math.sqrt(abs(count) / largest), (count > 0) == is_right
        elif is_right:
            shade, is_good = count / totals[row], True
        else:
            shade, is_good = math.sqrt(count / most), False
        color = "cell s1" if is_good else "cell s2"
        yield svg.element("rect", class_=color, **size, fill_opacity=f"{DARKEST * shade:.3f}")
        yield svg.element(
            "text",
            str(count) if most is not None else f"{count:+d}".replace("-", "\N{MINUS SIGN}"),
            class_=_text_class(count, has_sign=most is None),
            x=x + _CELL / 2 - 0.5,
            y=y + _CELL / 2,
            dy=".35em",
        )


def _text_class(count: int, *, has_sign: bool) -> str:
    """Return the class of a count's text, whose size leaves room for its digits."""
    if has_sign and abs(count) > 999:
        return "count longest"
    return "count long" if abs(count) > 99 else "count"


def _digits(classes: int) -> Iterator[Markup]:
    """Return the digits beside the rows and below the columns."""
    for i in range(classes):
        middle = i * _CELL + _CELL / 2
        yield svg.element("text", str(i), class_="digit", x=_LEFT - 9, y=_TOP + middle, dy=".35em")
        bottom = _TOP + classes * _CELL + 15
        yield svg.element("text", str(i), class_="digit", x=_LEFT + middle, y=bottom)


def disagreements(
    pair: PairedPredictions, images: NDArray[np.uint8] | None, baseline: str
) -> list[Disagreement]:
    """Return what only the group gets right and what only the baseline does, in test-set order.

    `images` has shape [N, 28, 28]; nothing is returned where they are not known.
    """
    if images is None or len(images) < len(pair.label):
        return []
    baseline_right, group_right = pair.baseline == pair.label, pair.group == pair.label
    sides = [
        (pair.group_label, np.flatnonzero(group_right & ~baseline_right), pair.baseline),
        (f"{baseline} (baseline)", np.flatnonzero(baseline_right & ~group_right), pair.group),
    ]
    result = []
    for name, indices, wrong in sides:
        shown = indices[:_MOST_IMAGES]
        first = f", the first {len(shown)} of the test set" if len(indices) > len(shown) else ""
        pictures = tuple(
            MisreadImage(
                index=int(i), label=int(pair.label[i]), wrong=int(wrong[i]), source=png(images[i])
            )
            for i in shown
        )
        note = f"{plural(len(indices), 'image')}{first}"
        result.append(Disagreement(name=name, note=note, images=pictures))
    return result


def png(image: NDArray[np.uint8]) -> str:
    """Return a grey image [H, W] as the data URI of a PNG, dark on light."""
    file = io.BytesIO()
    Image.fromarray(255 - image).save(file, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
