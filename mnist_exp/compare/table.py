"""The comparison as a table in the terminal, and as compare.csv with the value of every run."""

import math
from itertools import chain

import numpy as np
import pandas as pd
from rich import box
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from mnist_exp.compare import margin_sentences, sentences, words
from mnist_exp.compare.comparison import Comparison
from mnist_exp.compare.groups import Counting
from mnist_exp.compare.labels import broken, short_names
from mnist_exp.compare.margins import AgainstMargin
from mnist_exp.compare.rows import Row
from mnist_exp.compare.statistics import Verdict
from mnist_exp.outside.printing import plural

_MOST_ROWS = 30
_SHOWN_FIRST = ("group", "n", "mean", "difference", "verdict")
_MOST_LISTED = 5  # runs that are not counted
_LEGEND = "The lines of a cell are those of its heading; sd is the standard deviation."
_STYLES = {Verdict.BETTER: "green", Verdict.WORSE: "red"}


def to_csv(comparison: Comparison) -> pd.DataFrame:
    """Return a line for each run: its group, value and settings, then the numbers of its group.

    `counted` says whether the run's value is in these numbers. All of them follow from `seed` and
    `value` of the counted lines and from the counts of images: docs/compare.md says how.
    """
    runs, groups = comparison.runs, [*(row.group for row in comparison.rows), *comparison.empty]
    ids = [run_id for group in groups for run_id in (*group.run_ids, *group.left_out)]
    sizes = [len(group.run_ids) + len(group.left_out) for group in groups]
    info, status = runs.info.loc[ids], comparison.statuses.loc[ids]
    lines = {
        "group": np.repeat([group.label + comparison.ending for group in groups], sizes),
        "run_id": ids,
        "run_name": info["name"],
        "seed": info["seed"],
        "status": status,
        "counted": status == Counting.COUNTED,
        "metric": comparison.metric,
        "value": runs.metrics.loc[ids, comparison.metric],
        "reason": info["reason"],
    }
    names = short_names(list(groups[0].settings))
    for key in groups[0].settings:
        source = runs.params if key in runs.params else runs.tags
        lines[f"setting.{names[key]}"] = source.loc[ids, key]
    numbers = pd.DataFrame([*map(_numbers, comparison.rows), *({} for _ in comparison.empty)])
    parts = [pd.DataFrame(lines), numbers.loc[np.repeat(numbers.index, sizes)]]
    whole = pd.concat([part.reset_index(drop=True) for part in parts], axis="columns")
    return whole.apply(_without_formulas)


def of_groups(comparison: Comparison) -> pd.DataFrame:
    """Return a line for each group, from the best mean to the worst, with its numbers."""
    lines = [
        {"group": row.group.label + comparison.ending, "verdict": "baseline"} | _numbers(row)
        for row in comparison.rows
    ]
    return pd.DataFrame(lines, columns=list(dict.fromkeys([*_SHOWN_FIRST, *chain(*lines)])))


def _without_formulas(column: pd.Series) -> pd.Series:
    """Return a column in which a spreadsheet takes no text for a formula."""
    return column if pd.api.types.is_numeric_dtype(column) else column.map(no_formula)


def no_formula(cell: object) -> object:
    """Put an apostrophe before a text that a spreadsheet would take for a formula."""
    if not isinstance(cell, str) or cell[:1] not in ("=", "+", "-", "@"):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell


def _numbers(row: Row) -> dict[str, object]:
    """Return the columns that are the same for all runs of a group."""
    described = row.description
    numbers: dict[str, object] = {
        "is_baseline": row.is_baseline,
        "n": described.n,
        "mean": described.mean,
        "sd": described.deviation,
        "median": described.median,
        "min": described.minimum,
        "max": described.maximum,
        "ci_low": described.interval.low,
        "ci_high": described.interval.high,
        "ci_method": described.interval.method,
    }
    if (difference := row.difference) is not None:
        numbers |= {
            "pairs": len(difference.values),
            "runs_compared": difference.sizes[0],
            "baseline_runs_compared": difference.sizes[1],
            "difference": difference.mean,
            "difference_low": difference.interval.low,
            "difference_high": difference.interval.high,
            "difference_method": difference.interval.method,
            "p": difference.p,
            "p_method": difference.test,
            "p_holm": difference.p_holm,
            "p_smallest": difference.smallest_p,
            "verdict": difference.verdict,
        }
    if row.against_margin is not None:
        numbers |= _about_margin(row.against_margin)
    if (agreement := row.agreement) is not None:
        numbers |= {
            "images_both_right": agreement.both,
            "images_only_baseline_right": agreement.only_baseline,
            "images_only_group_right": agreement.only_group,
            "images_neither_right": agreement.neither,
            "mcnemar_p": agreement.p,
            "mcnemar_p_holm": agreement.p_holm,
        }
    return numbers


def _about_margin(against: AgainstMargin) -> dict[str, object]:
    """Return the columns about the margin."""
    seeds = against.seeds
    return {
        "margin": against.margin,
        "difference_90_low": against.low,
        "difference_90_high": against.high,
        "p_equivalence": against.p,
        "p_equivalence_holm": against.p_holm,
        "seeds_needed": math.nan if seeds is None else seeds.n,
        "seeds_needed_low": math.nan if seeds is None else seeds.low,
        "seeds_needed_high": math.nan if seeds is None else seeds.high,
    }


def show(comparison: Comparison, console: Console) -> None:
    """Print the table, a summary, and what is not in the table."""
    base = comparison.baseline
    shown = [row for i, row in enumerate(comparison.rows) if i < _MOST_ROWS or row.is_baseline]
    if comparison.ending:
        console.print(words.ending(comparison))
    console.print(_table(comparison, shown))
    console.print(_LEGEND)
    for note in sentences.verdict_notes(comparison):
        console.print(note)
    for note in margin_sentences.notes(comparison, _MOST_LISTED):
        console.print(note)
    if hidden := len(comparison.rows) - len(shown):
        console.print(f"and {plural(hidden, 'group')} more, all in compare.csv and compare.html")
    console.print()
    console.print(sentences.summary(comparison), style="bold")
    for row in [row for row in comparison.rows if row.agreement is not None][:1]:
        console.print(words.images(row, base))
    for line in words.not_counted(comparison, _MOST_LISTED):
        console.print(line)
    for heading, line in sentences.left_out(comparison):
        console.print(f"{heading}: {line[0].lower()}{line[1:]}")
    for warning in comparison.warnings:
        console.print(f"warning: {warning}", style="yellow")


class _Name:
    """A group's label as a cell of a table: its lines break between words, not inside them."""

    def __init__(self, label: str) -> None:
        self._label = label

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        """Return the width of the longest word, and that of the whole label."""
        return Measurement(max(map(len, broken(self._label, 1))), len(self._label))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the label in lines that fit."""
        yield Text("\n".join(broken(self._label, options.max_width)), overflow="fold")


def _table(comparison: Comparison, rows: list[Row]) -> Table:
    """Return a table that fits 80 columns, with three lines a group.

    The verdict stands beside the label, above the difference and its interval. Where there is
    little room a long label is broken between its words.
    """
    metric = comparison.metric
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        title=metric,
        title_justify="left",
    )
    table.add_column("group\n\n")
    for name in (
        *("n", "mean\nsd", "95% interval\nmethod", "verdict\ndifference\n95% interval"),
        "p\nHolm",
    ):
        justify: JustifyMethod = "right" if name.startswith(("n", "p")) else "left"
        lines_below = "\n" * (2 - name.count("\n"))
        table.add_column(name + lines_below, justify=justify, no_wrap=True)
    for row in rows:
        described, difference = row.description, row.difference
        ends = words.interval(described.interval, metric)
        table.add_row(
            _Name(row.group.label),
            str(described.n),
            f"{words.value(described.mean, metric)}\n{words.value(described.deviation, metric)}",
            f"{ends}\n{described.interval.method}" if ends else "none",
            *_compared(row, comparison),
            style="bold" if difference is None else _STYLES.get(difference.verdict),
        )
    return table


def _compared(row: Row, comparison: Comparison) -> list[str]:
    """Return the cells of a verdict with its difference, and of the p-values."""
    difference, metric = row.difference, comparison.metric
    if difference is None:
        return ["baseline", ""]
    if not difference.is_compared:
        return [f"{difference.verdict}:\nscored on\nother images", ""]
    verdict = words.verdict(difference.verdict, comparison)
    shift = f"{verdict}\n{words.difference(difference.mean, metric)}"
    ends = words.interval(difference.interval, metric, of_difference=True)
    if ends:
        shift += f" {difference.interval.method}\n{ends}"
    p_values = f"{words.p_value(difference.p)}\n{words.p_value(difference.p_holm)}"
    return [shift, p_values]
