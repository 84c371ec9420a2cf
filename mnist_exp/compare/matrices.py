"""Which classes two groups take for which: matrices of few classes, a table of many."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from mnist_exp.compare import svg
from mnist_exp.compare.charts import Drawing
from mnist_exp.compare.predictions import PairedPredictions
from mnist_exp.outside.short_names import all_shortened, longest
from mnist_exp.training.confusion import confusion_counts, most_frequent

DARKEST = 0.75  # how opaque a cell is: its count, in the page's ink, stays easy to read
_MOST_COUNTED = 12  # classes whose cells have room for a count
_MOST_DRAWN = 30  # classes whose cells and names have room
_LISTED = 15  # mistakes of more classes
_CELL, _SMALL_CELL = 30, 14  # pixels
_LEAST = 180  # pixels of all cells, when they are few
_SCALE = 1.2  # of the pixels here, at most: text has the size of the page's
_TOP, _LETTER, _LINE = 6, 7, 12  # pixels: above the first cell, and of a name's letters
_NAME = 14  # columns of text


@dataclass(frozen=True, kw_only=True)
class MistakeCounts:
    """How often each of two groups takes one class for another."""

    label: str
    prediction: str
    images: int  # with this label
    baseline: int
    group: int


def confusion_matrices(pair: PairedPredictions, baseline: str) -> list[Drawing]:
    """Return the matrices of the baseline and of the group, and the second minus the first.

    Of more classes than a page has room for there are none; `mistakes` are the answer then.
    """
    if len(pair.class_names) > _MOST_DRAWN:
        return []
    titles = (f"{baseline} (baseline)", pair.group_label)
    networks = (pair.baseline_networks, pair.group_networks)
    counts = _counts(pair)
    on_diagonal = np.eye(len(pair.class_names), dtype=bool)
    most = max(1, *(int(np.where(on_diagonal, 0, matrix).max()) for matrix in counts))
    drawings = [
        Drawing(
            title=title,
            note=f"{_reader(n)}: {int(np.trace(matrix)):,} of {len(pair.label):,} right",
            picture=_matrix(matrix, pair.class_names, most),
        )
        for title, n, matrix in zip(titles, networks, counts, strict=True)
    ]
    note = "group minus baseline; blue is for the better"
    difference = _matrix(counts[1] - counts[0], pair.class_names, None)
    return [*drawings, Drawing(title="difference", note=note, picture=difference)]


def mistakes(pair: PairedPredictions) -> list[MistakeCounts]:
    """Return the mistakes whose counts differ most, of more classes than matrices have room for."""
    if len(pair.class_names) <= _MOST_DRAWN:
        return []
    baseline, group = _counts(pair)
    return [
        MistakeCounts(
            label=pair.class_names[found.label],
            prediction=pair.class_names[found.prediction],
            images=int(baseline[found.label].sum()),
            baseline=int(baseline[found.label, found.prediction]),
            group=int(group[found.label, found.prediction]),
        )
        for found in most_frequent(np.abs(group - baseline), _LISTED)
    ]


def _counts(pair: PairedPredictions) -> list[NDArray[np.int64]]:
    classes = len(pair.class_names)
    return [confusion_counts(pair.label, p, classes) for p in (pair.baseline, pair.group)]


def _reader(networks: int) -> str:
    """Return who classified the images."""
    return f"ensemble of {networks}" if networks > 1 else "one network"


@dataclass(frozen=True, kw_only=True)
class _Grid:
    """Where the cells and the names of a matrix are, in pixels."""

    class_names: Sequence[str]

    @property
    def is_counted(self) -> bool:
        """Return whether the cells have room for a count."""
        return len(self.class_names) <= _MOST_COUNTED

    @property
    def cell(self) -> int:
        """Return the distance of two cells."""
        if self.is_counted:
            return max(_CELL, _LEAST // len(self.class_names))
        return _SMALL_CELL

    @cached_property
    def names(self) -> list[str]:
        """Return the names as they are written."""
        return all_shortened(self.class_names, _NAME)

    @property
    def margin(self) -> int:
        """Return the room for a name."""
        return _LETTER * longest(self.names) + 10

    @property
    def left(self) -> int:
        """Return where the first cell begins: right of `label` and of a name."""
        return self.margin + _LINE + 2

    @property
    def end(self) -> int:
        """Return the height of all cells."""
        return self.cell * len(self.class_names)

    @property
    def are_names_turned(self) -> bool:
        """Return whether the names of the columns have no room side by side."""
        return longest(self.names) > 2


def _matrix(counts: NDArray[np.int64], class_names: Sequence[str], most: int | None) -> Markup:
    """Draw counts by label (rows) and prediction (columns).

    `most` is the count of mistakes with the full shade; None for a difference of two matrices.
    """
    grid = _Grid(class_names=class_names)
    middle = _TOP + grid.end / 2
    foot = _TOP + grid.end + (grid.margin if grid.are_names_turned else 18) + 15
    turn = f"rotate(-90 9 {middle})"
    width = grid.left + grid.end + 4
    label = {"x": 9, "y": middle, "transform": turn, "dy": ".3em"}
    return svg.element(
        "svg",
        *_cells(counts, grid, most),
        *_names(grid),
        svg.element("text", "prediction", class_="axis-name", x=grid.left + grid.end / 2, y=foot),
        svg.element("text", "label", class_="axis-name", **label),
        class_="matrix" if grid.is_counted else "matrix large",
        viewBox=f"0 0 {width} {foot + 7}",
        style=f"max-width:{_SCALE * width:.0f}px",
        role="img",
        aria_label="confusion matrix",
    )


def _cells(counts: NDArray[np.int64], grid: _Grid, most: int | None) -> Iterator[Markup]:
    """Yield the cells, with counts, or with titles that show when the mouse is over them."""
    if not grid.is_counted:
        whole = {"x": grid.left, "y": _TOP, "width": grid.end - 1, "height": grid.end - 1}
        yield svg.element("rect", class_="empty", **whole)
    for row, column in np.ndindex(counts.shape):
        count = int(counts[row, column])
        x, y = grid.left + column * grid.cell, _TOP + row * grid.cell
        size = {"x": x, "y": y, "width": grid.cell - 1, "height": grid.cell - 1}
        if grid.is_counted:
            yield svg.element("rect", class_="empty", **size)
        if not count:
            continue
        text = str(count) if most is not None else f"{count:+d}".replace("-", "\N{MINUS SIGN}")
        fill = _fill(counts, (row, column), most)
        if grid.is_counted:
            yield svg.element("rect", **fill, **size)
            middle = {"x": x + grid.cell / 2 - 0.5, "y": y + grid.cell / 2, "dy": ".35em"}
            yield svg.element("text", text, class_=_text_class(count, most is None), **middle)
        else:
            said = f"{grid.class_names[row]}, taken for {grid.class_names[column]}: {text}"
            yield svg.element("rect", svg.element("title", said), **fill, **size)


def _fill(counts: NDArray[np.int64], place: tuple[int, int], most: int | None) -> dict[str, object]:
    """Return the colour of a cell, blue for the better, and how opaque it is."""
    count, is_right = int(counts[place]), place[0] == place[1]
    if most is None:
        shade, is_good = math.sqrt(abs(count) / np.abs(counts).max()), (count > 0) == is_right
    elif is_right:
        shade, is_good = count / counts[place[0]].sum(), True
    else:
        shade, is_good = math.sqrt(count / most), False
    color = "cell s1" if is_good else "cell s2"
    return {"class_": color, "fill_opacity": f"{DARKEST * shade:.3f}"}


def _text_class(count: int, has_sign: bool) -> str:
    """Return the class of a count's text, whose size leaves room for its digits."""
    if has_sign and abs(count) > 999:
        return "count longest"
    return "count long" if abs(count) > 99 else "count"


def _names(grid: _Grid) -> Iterator[Markup]:
    """Yield the names beside the rows and below the columns."""
    for i, name in enumerate(grid.names):
        middle = i * grid.cell + grid.cell / 2
        beside = {"x": grid.left - 5, "y": _TOP + middle, "dy": ".35em"}
        yield svg.element("text", name, class_="class-name", text_anchor="end", **beside)
        x, bottom = grid.left + middle, _TOP + grid.end + 15
        if grid.are_names_turned:
            turn = {"transform": f"rotate(-90 {x} {bottom - 11})", "dy": ".35em"}
            below = {"x": x, "y": bottom - 11, "text_anchor": "end", **turn}
        else:
            below = {"x": x, "y": bottom, "text_anchor": "middle"}
        yield svg.element("text", name, class_="class-name", **below)
