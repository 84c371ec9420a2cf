"""The comparison as a table in the terminal, and as compare.csv with the value of every run."""

import pandas as pd
from rich import box
from rich.console import Console, JustifyMethod
from rich.table import Table

from mnist_exp.compare import words
from mnist_exp.compare.comparison import Comparison
from mnist_exp.compare.groups import Counting
from mnist_exp.compare.labels import short_names
from mnist_exp.compare.rows import Row
from mnist_exp.compare.statistics import Difference, Verdict
from mnist_exp.outside.printing import plural

_MOST_ROWS = 30
_MOST_LISTED = 5  # runs that are not counted
_LEGEND = "A cell has two lines, as its header: the mean above the standard deviation sd."
_STYLES = {Verdict.BETTER: "green", Verdict.WORSE: "red"}


def to_csv(comparison: Comparison) -> pd.DataFrame:
    """Return a line for each run: its group, value and settings, then the numbers of its group.

    `counted` says whether the run's value is in these numbers. All of them follow from `seed` and
    `value` of the counted lines and from the counts of images: docs/compare.md says how.
    """
    runs, statuses = comparison.runs, comparison.statuses
    values = runs.metrics[comparison.metric]
    groups = [(row.group, _numbers(row)) for row in comparison.rows]
    groups += [(group, {}) for group in comparison.empty]
    lines: list[dict[str, object]] = []
    for group, numbers in groups:
        names = short_names(list(group.settings))
        for run_id in (*group.run_ids, *group.left_out):
            info = runs.info.loc[run_id]
            line = {
                "group": group.label,
                "run_id": run_id,
                "run_name": info["name"],
                "seed": info["seed"],
                "status": statuses[run_id],
                "counted": statuses[run_id] == Counting.COUNTED,
                "metric": comparison.metric,
                "value": values[run_id],
                "reason": info["reason"],
            }
            for key in group.settings:
                table = runs.params if key in runs.params else runs.tags
                line[f"setting.{names[key]}"] = table.at[run_id, key]
            lines.append(line | numbers)
    return pd.DataFrame(lines).map(no_formula)


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
            "difference": difference.mean,
            "difference_low": difference.interval.low,
            "difference_high": difference.interval.high,
            "difference_method": difference.interval.method,
            "difference_t_low": difference.student.low,
            "difference_t_high": difference.student.high,
            "p": difference.p,
            "p_holm": difference.p_holm,
            "p_smallest": difference.smallest_p,
            "verdict": difference.verdict,
        }
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


def show(comparison: Comparison, console: Console) -> None:
    """Print the table, a summary, and what is not in the table."""
    base = comparison.baseline
    shown = [row for i, row in enumerate(comparison.rows) if i < _MOST_ROWS or row.is_baseline]
    console.print(_table(comparison.metric, shown))
    console.print(_LEGEND)
    for note in words.verdict_notes(comparison):
        console.print(note)
    if hidden := len(comparison.rows) - len(shown):
        console.print(f"and {plural(hidden, 'group')} more, all in compare.csv and compare.html")
    console.print()
    console.print(words.summary(comparison), style="bold")
    for row in [row for row in comparison.rows if row.agreement is not None][:1]:
        console.print(words.images(row, base))
    for line in words.not_counted(comparison, _MOST_LISTED):
        console.print(line)
    for warning in comparison.warnings:
        console.print(f"warning: {warning}", style="yellow")


def _table(metric: str, rows: list[Row]) -> Table:
    """Return a table that fits 80 columns, with two lines a group.

    The second line has the verdict below the label, the deviation below the mean, and the interval
    below the difference. Where there is little room a long label is broken.
    """
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        title=metric,
        title_justify="left",
    )
    table.add_column("group\nverdict", overflow="fold")
    for name in ("n", "mean\nsd", "95% interval\nmethod", "difference\n95% interval", "p\nHolm"):
        justify: JustifyMethod = "right" if name.startswith(("n", "p")) else "left"
        table.add_column(name, justify=justify, no_wrap=True)
    for row in rows:
        described, difference = row.description, row.difference
        ends = words.interval(described.interval, metric)
        table.add_row(
            f"{row.group.label}\n{'baseline' if difference is None else difference.verdict}",
            str(described.n),
            f"{words.value(described.mean, metric)}\n{words.value(described.deviation, metric)}",
            f"{ends}\n{described.interval.method}" if ends else "none",
            *(["", ""] if difference is None else _compared(difference, metric)),
            style="bold" if difference is None else _STYLES.get(difference.verdict),
        )
    return table


def _compared(difference: Difference, metric: str) -> list[str]:
    """Return the cells of a difference and its p-values."""
    if not difference.values:
        return ["no seed in common", ""]
    shift = words.difference(difference.mean, metric)
    ends = words.interval(difference.interval, metric, of_difference=True)
    if ends:
        shift += f" {difference.interval.method}\n{ends}"
    p_values = f"{words.p_value(difference.p)}\n{words.p_value(difference.p_holm)}"
    return [shift, p_values]
