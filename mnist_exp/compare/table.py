"""The comparison as a table in the terminal, and as compare.csv with the value of every run beside it."""

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from mnist_exp.compare import words
from mnist_exp.compare.comparison import Comparison, Row
from mnist_exp.compare.groups import short_names
from mnist_exp.compare.statistics import Difference

_MOST_ROWS = 30
_MOST_LISTED = 5
_STYLES = {"better": "green", "worse": "red"}


def to_csv(comparison: Comparison) -> pd.DataFrame:
    """A line for each run: its group, value and settings, then the numbers of its group, the same on each line.

    `counted` tells whether the run's value is in the numbers. All numbers come from `seed` and `value` of the counted
    lines, and from the counts of images: docs/compare.md says how.
    """
    runs, said = comparison.runs, comparison.statuses
    values = runs.metrics[comparison.metric]
    lines = []
    groups = [(row.group, _numbers(row)) for row in comparison.rows] + [
        (group, {}) for group in comparison.empty
    ]
    short = short_names([key for key in groups[0][0].settings])
    for group, numbers in groups:
        for run_id in (*group.run_ids, *group.left_out):
            info = runs.info.loc[run_id]
            settings = {
                short[key]: runs.params.at[run_id, key]
                if key in runs.params
                else runs.tags.at[run_id, key]
                for key in group.settings
            }
            lines.append(
                {
                    "group": group.label,
                    "run_id": run_id,
                    "run_name": info["name"],
                    "seed": info["seed"],
                    "status": said[run_id],
                    "counted": said[run_id] == "counted",
                    "metric": comparison.metric,
                    "value": values[run_id],
                    "reason": info["reason"],
                    **{f"setting.{key}": value for key, value in settings.items()},
                    **numbers,
                }
            )
    table = pd.DataFrame(lines)
    return table.map(_no_formula)


def _no_formula(cell: object) -> object:
    """A text that a spreadsheet would take for a formula, with an apostrophe before it; numbers stay."""
    if not isinstance(cell, str) or cell[:1] not in ("=", "+", "-", "@"):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell


def _numbers(row: Row) -> dict[str, object]:
    d = row.description
    numbers: dict[str, object] = {
        "is_baseline": row.difference is None,
        "n": d.n,
        "mean": d.mean,
        "sd": d.deviation,
        "median": d.median,
        "min": d.minimum,
        "max": d.maximum,
        "ci_low": d.interval.low,
        "ci_high": d.interval.high,
        "ci_method": d.interval.method,
    }
    if (x := row.difference) is not None:
        numbers |= {
            "pairs": len(x.values),
            "difference": x.mean,
            "difference_low": x.interval.low,
            "difference_high": x.interval.high,
            "difference_method": x.interval.method,
            "difference_t_low": x.student.low,
            "difference_t_high": x.student.high,
            "p": x.p,
            "p_holm": x.p_holm,
            "p_smallest": x.smallest_p,
            "verdict": x.verdict,
        }
    if (a := row.agreement) is not None:
        numbers |= {
            "images_both_right": a.both,
            "images_only_baseline_right": a.only_baseline,
            "images_only_group_right": a.only_group,
            "images_neither_right": a.neither,
            "mcnemar_p": a.p,
            "mcnemar_p_holm": a.p_holm,
        }
    return numbers


def show(comparison: Comparison, console: Console) -> None:
    """The table, then what is not in it."""
    base = comparison.baseline
    shown = [row for i, row in enumerate(comparison.rows) if i < _MOST_ROWS or row is base]
    console.print(_table(comparison, shown, 16 if console.width < 96 else 32))
    if hidden := len(comparison.rows) - len(shown):
        console.print(
            f"and {words.plural(hidden, 'group')} more, all in compare.csv and compare.html"
        )
    console.print()
    console.print(words.summary(comparison), style="bold")
    for row in [row for row in comparison.rows if row.agreement is not None][:1]:
        console.print(words.images(row, base))
    for line in words.not_counted(comparison, _MOST_LISTED):
        console.print(line)
    for warning in comparison.warnings:
        console.print(f"warning: {warning}", style="yellow")


def _table(comparison: Comparison, shown: list[Row], narrowest: int) -> Table:
    """Two lines a group, so that it fits 80 columns: a mean and its deviation, a difference and its interval."""
    metric = comparison.metric
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        title=metric,
        title_justify="left",
    )
    longest = max((len(word) for row in shown for word in row.group.label.split()), default=1)
    table.add_column("group", overflow="fold", min_width=min(longest, narrowest))
    for name in ("n", "mean\nsd", "95% interval\nmethod", "difference\n95% interval", "p\nHolm"):
        table.add_column(
            name, justify="right" if name.startswith(("n", "p")) else "left", no_wrap=True
        )
    table.add_column("verdict", overflow="fold")
    for row in shown:
        d, x = row.description, row.difference
        told = words.interval(d.interval, metric)
        mean = f"{words.value(d.mean, metric)}\n{words.value(d.deviation, metric)}"
        last = ["baseline", "", ""] if x is None else _compared(x, metric)
        style = "bold" if x is None else _STYLES.get(x.verdict)
        interval = f"{told}\n{d.interval.method}" if told else "none"
        table.add_row(row.group.label, str(d.n), mean, interval, *last, style=style)
    return table


def _compared(x: Difference, metric: str) -> list[str]:
    if not x.values:
        return ["no seed in common", "", x.verdict]
    told = words.interval(x.interval, metric, of_difference=True)
    shift = words.difference(x.mean, metric) + (f" {x.interval.method}\n{told}" if told else "")
    return [shift, f"{words.p_value(x.p)}\n{words.p_value(x.p_holm)}", x.verdict]
