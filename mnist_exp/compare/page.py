"""compare.html: one file that needs no network, for laptop and phone, light and dark, paper too."""

import numpy as np
from numpy.typing import NDArray

from mnist_exp import data
from mnist_exp.compare import charts, sentences, strips, svg, words
from mnist_exp.compare.columns import worth_listing
from mnist_exp.compare.comparison import Comparison
from mnist_exp.compare.glossary import TERMS
from mnist_exp.compare.groups import counted_runs, varied_settings
from mnist_exp.compare.images import Disagreement, disagreements, shipped_test
from mnist_exp.compare.labels import all_tidy
from mnist_exp.compare.matrices import MistakeCounts, confusion_matrices, mistakes
from mnist_exp.compare.predictions import PairedPredictions
from mnist_exp.compare.rows import SHOWN, Row
from mnist_exp.errors import DataError
from mnist_exp.outside import templates
from mnist_exp.outside.printing import plural
from mnist_exp.tracking import links
from mnist_exp.tracking.params import decode

_MOST_PAIRS = 3  # of groups with confusion matrices and images; the first is open
_MOST_LISTED = 50  # runs that are not counted
_MOST_LINKED = 50  # runs of a group that MLflow's UI is asked to compare
_MOST_ACROSS = 6  # groups that are columns of the table of settings
_TERMS = (
    *("Accuracy", "BCa interval", "Baseline", "Confidence interval", "Cost", "Epoch", "Group"),
    *("Holm", "Not shown", "Paired", "Run", "Seed", "Setting", "Standard deviation"),
    *("Student interval", "p-value"),
)
_SPLITS = {"test": ("Test split",), "val": ("Validation split",), "best": ("Validation split",)}

# With the confusion matrices or, of many classes, the mistakes that differ most.
Pair = tuple[Row, list[charts.Drawing], list[MistakeCounts], list[Disagreement]]


def render(
    comparison: Comparison, written: str, data_dir: str | None = None, *, is_linked: bool = True
) -> str:
    """Return the page; `written` is when, as text.

    Test images are the shipped ones, or of the folder `data_dir`. A folder that the runs' records
    name is not read: somebody else may have written them. `is_linked` is False of a page for
    readers who do not have the store.
    """
    paired = [row for row in comparison.rows if row.predictions is not None]
    return templates.render(
        "compare/compare.html",
        title=f"{comparison.metric}: {comparison.title}",
        comparison=comparison,
        written=written,
        counted=plural(len(counted_runs(comparison.statuses)), "run"),
        seeds=strips.seeds(comparison),
        differences=strips.differences(comparison),
        all_paired=all(row.compared.is_paired for row in comparison.others),
        most_rows=strips.MOST_ROWS,
        curves=charts.learning_curves(comparison),
        most_curves=SHOWN,
        legend=sorted(comparison.shown, key=lambda row: row.color or 0),
        effects=charts.effects(comparison),
        pairs=_pairs(comparison, paired[:_MOST_PAIRS], data_dir),
        hidden_pairs=max(0, len(paired) - _MOST_PAIRS),
        settings=_settings(comparison),
        not_counted=words.not_counted(comparison, _MOST_LISTED),
        ensembles=any(_has_ensemble(row) for row in paired),
        addresses={r.group.label: _address(comparison, r) for r in comparison.rows if is_linked},
        ui=_ui(comparison) if is_linked else None,
        glossary=TERMS,
        terms=_terms(comparison),
        words=words,
        sentences=sentences,
        plural=plural,
        swatch=svg.swatch,
        verdict_class=strips.verdict_class,
    )


def _address(comparison: Comparison, row: Row) -> str | None:
    """Return where MLflow's UI compares a group's runs; None of a table, or of too many."""
    run_ids = row.group.run_ids
    if comparison.is_table or len(run_ids) > _MOST_LINKED:
        return None
    experiments = comparison.runs.info.loc[list(run_ids), "experiment"].astype(str).unique()
    return links.comparison_page(comparison.uri, list(experiments), run_ids)


def _ui(comparison: Comparison) -> str | None:
    """Return the command that starts MLflow's UI; None if a server has it, or of a table."""
    if comparison.is_table or links.is_server(comparison.uri):
        return None
    return links.ui_command(comparison.uri)


def _has_ensemble(row: Row) -> bool:
    """Return whether several networks voted on the test images, for the group or the baseline."""
    pair = row.predictions
    return pair is not None and max(pair.group_networks, pair.baseline_networks) > 1


def _terms(comparison: Comparison) -> list[str]:
    """Return the words of the glossary that the page uses."""
    terms = [*_TERMS, *_SPLITS.get(comparison.metric.partition("/")[0], ())]
    if comparison.margin is not None and comparison.others:
        terms += ["Equivalent", "Power"]
    if any(row.agreement is not None for row in comparison.rows):
        terms += ["Ensemble", "McNemar"]
    return terms


def _pairs(comparison: Comparison, rows: list[Row], data_dir: str | None) -> list[Pair]:
    """Return what is shown of these rows, whose predictions were read."""
    baseline = comparison.baseline.group.label
    images = _test_images(comparison, data_dir) if rows else None
    pairs = []
    for row in rows:
        pair = row.predictions
        assert pair is not None
        different = disagreements(pair, images, baseline)
        pairs.append((row, confusion_matrices(pair, baseline), mistakes(pair), different))
    return pairs


def _test_images(comparison: Comparison, data_dir: str | None) -> NDArray[np.uint8] | None:
    """Return the test images [N, H, W, C] that the runs saw, or None.

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
    try:
        test = shipped_test() if shipped else data.load_test(data_dir)
    except DataError:
        return None
    pairs = [row.predictions for row in comparison.rows if row.predictions is not None]
    return test.images if all(_saw(pair, test.labels) for pair in pairs) else None


def _saw(pair: PairedPredictions, labels: NDArray[np.int32]) -> bool:
    return np.array_equal(pair.label, labels[: len(pair.label)])


def _settings(comparison: Comparison) -> list[list[str]]:
    """Return a table of the settings that differ, the head first; empty if none does.

    Few groups are columns, many are lines.
    """
    groups = [row.group for row in comparison.rows]
    keys = worth_listing(varied_settings(groups), [group.settings for group in groups])
    if not keys:
        return []
    labels = [group.label for group in groups]
    shown = {key: all_tidy(group.settings[key] for group in groups) for key in keys}
    values = [[shown[key][group.settings[key]] for key in keys] for group in groups]
    table = [
        ["group", *keys],
        *([label, *line] for label, line in zip(labels, values, strict=True)),
    ]
    if len(groups) > _MOST_ACROSS:
        return table
    table[0][0] = "setting"
    return [list(line) for line in zip(*table, strict=True)]
