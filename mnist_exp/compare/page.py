"""compare.html: one file that needs no network, for laptop and phone, light and dark, paper too."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnist_exp import data
from mnist_exp.compare import charts, strips, svg, words
from mnist_exp.compare.comparison import Comparison
from mnist_exp.compare.groups import counted_runs, varied_settings
from mnist_exp.compare.images import Disagreement, confusion_matrices, disagreements
from mnist_exp.compare.labels import tidy
from mnist_exp.compare.predictions import PairedPredictions
from mnist_exp.compare.rows import SHOWN, Row
from mnist_exp.errors import DataError
from mnist_exp.outside import templates
from mnist_exp.outside.printing import plural
from mnist_exp.tracking.params import decode

_COLUMNS = (
    "group",
    "n",
    "mean",
    "sd",
    "median",
    "min",
    "max",
    "95% interval",
    "difference, paired",
    "p",
    "p (Holm)",
    "verdict",
)
_IMAGE_COLUMNS = ("only it right", "only baseline right", "McNemar p (Holm)")
_MOST_PAIRS = 3  # of groups with confusion matrices and images; the first is open
_MOST_LISTED = 50  # runs that are not counted
_MOST_ACROSS = 6  # groups that are columns of the table of settings


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What the table says of a group and the baseline; what is empty stays blank."""

    verdict: str
    unpaired: str = ""  # why there is no difference
    difference: str = ""
    interval: str = ""
    method: str = ""
    p: str = ""
    least_p: str = ""  # shown if no p of so few pairs can be small
    p_holm: str = ""

    @property
    def verdict_class(self) -> str:
        """Return the CSS class of the verdict's colour."""
        return strips.verdict_class(self.verdict)


@dataclass(frozen=True, kw_only=True)
class TableRow:
    """A group's line of the table, in words."""

    label: str
    n: int
    numbers: dict[str, str]  # by column
    interval: str
    method: str
    compared: Compared
    is_baseline: bool
    images: dict[str, str]  # by column


@dataclass(frozen=True, kw_only=True)
class ImagePair:
    """What the page shows of two groups' predictions for the test images."""

    name: str
    sentence: str
    matrices: list[charts.Drawing]
    disagreements: list[Disagreement]


def render(comparison: Comparison, written: str, data_dir: str | None = None) -> str:
    """Return the page; `written` is when, as text.

    Test images are the shipped ones, or of the folder `data_dir`. A folder that the runs' records
    name is not read: somebody else may have written them.
    """
    with_images = any(row.agreement for row in comparison.rows)
    hidden_rows = len(comparison.rows) > strips.MOST_ROWS
    hidden_curves = len(comparison.rows) > len(comparison.shown)
    paired = [row for row in comparison.rows if row.predictions is not None]
    shown = sorted(comparison.shown, key=lambda row: row.color or 0)
    return templates.render(
        "compare/compare.html",
        title=f"{comparison.metric}: {comparison.title}",
        heading=comparison.title,
        metric=comparison.metric,
        baseline=comparison.baseline.group.label,
        summary=words.summary(comparison),
        facts=_facts(comparison, written),
        warnings=comparison.warnings,
        columns=_COLUMNS + _IMAGE_COLUMNS * with_images,
        groups=[_table_row(row, comparison.metric, with_images) for row in comparison.rows],
        seeds=strips.seeds(comparison),
        differences=strips.paired_differences(comparison),
        strips_shown=f"The {strips.MOST_ROWS} best and the baseline." if hidden_rows else "",
        curves=charts.learning_curves(comparison),
        curves_shown=f"The baseline and the {SHOWN} best others." if hidden_curves else "",
        legend=[(svg.swatch(row.color or 0), row.group.label, row.is_baseline) for row in shown],
        effects=charts.effects(comparison),
        images=_image_pairs(comparison, paired[:_MOST_PAIRS], data_dir),
        images_shown=_more(len(paired) - _MOST_PAIRS),
        settings=_settings(comparison),
        not_counted=words.not_counted(comparison, _MOST_LISTED),
    )


def _more(pairs: int) -> str:
    return f"The table has {pairs} more." if pairs > 0 else ""


def _facts(comparison: Comparison, written: str) -> list[str]:
    """Return what stands in one line below the summary."""
    counted = len(counted_runs(comparison.statuses))
    return [
        plural(len(comparison.rows), "group"),
        f"{plural(counted, 'run')} counted",
        f"{comparison.metric}, {'higher' if comparison.higher_is_better else 'lower'} is better",
        f"baseline {comparison.baseline.group.label}",
        written,
    ]


def _table_row(row: Row, metric: str, with_images: bool) -> TableRow:
    described, agreement = row.description, row.agreement
    numbers = {
        "mean": described.mean,
        "sd": described.deviation,
        "median": described.median,
        "min": described.minimum,
        "max": described.maximum,
    }
    images = dict.fromkeys(("only it", "only base", "McNemar p"), "") if with_images else {}
    if agreement is not None:
        counts = (str(agreement.only_group), str(agreement.only_baseline))
        images = dict(zip(images, (*counts, words.p_value(agreement.p_holm)), strict=True))
    return TableRow(
        label=row.group.label,
        n=described.n,
        numbers={name: words.value(number, metric) for name, number in numbers.items()},
        interval=words.interval(described.interval, metric),
        method=described.interval.method,
        compared=_compared(row, metric),
        is_baseline=row.is_baseline,
        images=images,
    )


def _compared(row: Row, metric: str) -> Compared:
    difference = row.difference
    if difference is None:
        return Compared(verdict="baseline")
    if not difference.values:
        return Compared(verdict=difference.verdict, unpaired="no seed in common")
    return Compared(
        verdict=difference.verdict,
        difference=words.difference(difference.mean, metric),
        interval=words.interval(difference.interval, metric, of_difference=True),
        method=difference.interval.method,
        p=words.p_value(difference.p),
        least_p=words.p_value(difference.smallest_p) if difference.smallest_p > 0.05 else "",
        p_holm=words.p_value(difference.p_holm),
    )


def _image_pairs(comparison: Comparison, rows: list[Row], data_dir: str | None) -> list[ImagePair]:
    """Return what is shown of these rows, whose predictions were read."""
    base = comparison.baseline
    images = _test_images(comparison, data_dir) if rows else None
    shown = []
    for row in rows:
        pair = row.predictions
        assert pair is not None
        different = []
        if images is not None and len(images) >= len(pair.label):
            different = disagreements(pair, images, base.group.label)
        shown.append(
            ImagePair(
                name=f"{row.group.label} and {base.group.label}",
                sentence=words.images(row, base),
                matrices=confusion_matrices(pair, base.group.label),
                disagreements=different,
            )
        )
    return shown


def _test_images(comparison: Comparison, data_dir: str | None) -> NDArray[np.uint8] | None:
    """Return the test images [N, 28, 28] that the runs saw, or None.

    None if the runs saw different data, if these cannot be read, or if their labels are not the
    ones that the runs recorded.
    """
    if "data.dir" not in comparison.runs.params:
        return None
    folders = comparison.runs.params["data.dir"].dropna().unique()
    if len(folders) != 1:
        return None
    shipped = decode(folders[0]) in (None, "")
    if not shipped and data_dir is None:
        return None
    folder = data.SHIPPED_DIR if shipped or data_dir is None else Path(data_dir).expanduser()
    try:
        name = "t10k-labels-idx1-ubyte"
        labels = data.parse_labels(data.read_file(folder, name, shipped=shipped), name)
        name = "t10k-images-idx3-ubyte"
        images = data.parse_images(data.read_file(folder, name, shipped=shipped), name)[:, :, :, 0]
    except DataError:
        return None
    pairs = [row.predictions for row in comparison.rows if row.predictions is not None]
    return images if all(_saw(pair, labels) for pair in pairs) else None


def _saw(pair: PairedPredictions, labels: NDArray[np.int32]) -> bool:
    return np.array_equal(pair.label, labels[: len(pair.label)])


@dataclass(frozen=True, kw_only=True)
class SettingsTable:
    """The settings that differ between groups: their values by group and setting."""

    head: list[str]
    lines: list[tuple[str, list[str]]]


def _settings(comparison: Comparison) -> SettingsTable | None:
    """Return few groups as columns, or many as lines; None if they differ in no setting."""
    groups = [row.group for row in comparison.rows]
    keys = varied_settings(groups)
    if not keys:
        return None
    if len(groups) <= _MOST_ACROSS:
        head = ["setting", *(group.label for group in groups)]
        lines = [(key, [tidy(group.settings[key]) for group in groups]) for key in keys]
    else:
        head = ["group", *keys]
        lines = [(group.label, [tidy(group.settings[key]) for key in keys]) for group in groups]
    return SettingsTable(head=head, lines=lines)
