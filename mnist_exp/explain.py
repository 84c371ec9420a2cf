"""How much of the gap between the tutorials' CNNs each difference explains: `python -m mnist_exp.explain`."""

import html
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from mnist_exp.command import Parser, add_store, answered, output_folder, write
from mnist_exp.compare import groups, page, statistics, svg, words
from mnist_exp.compare.statistics import Interval
from mnist_exp.config import bridge
from mnist_exp.errors import UserError
from mnist_exp.outside import printing
from mnist_exp.tracking.runs import Runs, Selection, Store

_WATERFALL_HEIGHT = 30  # pixels a row


@dataclass(frozen=True)
class Contribution:
    """What one difference adds to the metric, per seed: on the way forwards, backwards, and their mean.

    The mean over the orders in which differences can be bridged is the Shapley value (Shapley 1953); two opposite
    orders are an antithetic sample of them (Mitchell et al., JMLR 23 (2022) 43).
    """

    difference: bridge.Difference
    forwards: tuple[float, ...]
    backwards: tuple[float, ...]
    interval: Interval  # of the mean over seeds
    student: Interval

    @property
    def values(self) -> tuple[float, ...]:
        return tuple((a + b) / 2 for a, b in zip(self.forwards, self.backwards, strict=True))

    @property
    def is_shown(self) -> bool:
        """By the rule of `compare`'s verdicts."""
        said = statistics.verdict(
            (self.interval, self.student), len(self.values), higher_is_better=True
        )
        return said != "no difference shown"

    @property
    def mean(self) -> float:
        return float(np.mean(self.values))


@dataclass(frozen=True)
class Explanation:
    """Of the notebook's value minus the blog's, over the seeds of which every point was measured."""

    study: str
    metric: str
    seeds: tuple[str, ...]
    incomplete: Mapping[str, int]  # seed -> points that are missing
    blog: tuple[float, ...]
    notebook: tuple[float, ...]
    gap: Interval
    contributions: tuple[Contribution, ...]

    @property
    def mean_gap(self) -> float:
        return float(np.mean(self.notebook) - np.mean(self.blog))


def explain(store: Store, study: str, metric: str = "test/accuracy") -> Explanation:
    """Raises UserError if the study does not exist, is no bridge, or has no seed with all its points."""
    runs = store.select(Selection(study=study))
    steps = _differences(runs, study)
    points = _points(runs, steps, metric)
    count = len(steps)
    forwards, backwards = bridge.ways(count)
    wanted = {*forwards, *backwards}
    missing = {seed: len(wanted - set(values)) for seed, values in points.items()}
    seeds = tuple(seed for seed in sorted(points, key=_number) if not missing[seed])
    if not seeds:
        told = ", ".join(f"{n} of seed {seed}" for seed, n in sorted(missing.items())[:5])
        raise UserError(
            f"--study {study}: no seed has all {len(wanted)} points with a {metric}; missing are {told or 'all'}"
        )
    chain = [points[seed] for seed in seeds]
    found = []
    for k in range(count):
        there = tuple(values[forwards[k + 1]] - values[forwards[k]] for values in chain)
        back = tuple(values[backwards[k]] - values[backwards[k + 1]] for values in chain)
        found.append((there, back))
    means = [np.add(there, back) / 2 for there, back in found]
    blog = tuple(values[forwards[0]] for values in chain)
    notebook = tuple(values[forwards[-1]] for values in chain)
    gap, *intervals = statistics.intervals([np.subtract(notebook, blog), *means])
    return Explanation(
        study,
        metric,
        seeds,
        {seed: n for seed, n in missing.items() if n},
        blog,
        notebook,
        gap,
        tuple(
            Contribution(d, *f, i, statistics.students_interval(x))
            for d, f, i, x in zip(steps, found, intervals, means, strict=True)
        ),
    )


def _differences(runs: Runs, study: str) -> tuple[bridge.Difference, ...]:
    keys = [difference.key for difference in bridge.differences(1, None)]
    if lacking := [key for key in (*keys, "bridge.epochs") if key not in runs.params]:
        raise UserError(
            f"--study {study}: is no bridge between the tutorials, its runs have no {lacking[0]}"
        )
    epochs = runs.params["bridge.epochs"].iloc[0]
    limit = runs.params["data.train_limit"].iloc[0] if "data.train_limit" in runs.params else "None"
    try:
        return bridge.differences(float(epochs), None if limit in ("None", "") else int(limit))
    except (ValueError, OverflowError):  # of text that is no number, or one that no run has
        raise UserError(
            f"--study {study}: is no bridge between the tutorials, its runs have bridge.epochs={epochs} and "
            f"data.train_limit={limit}"
        ) from None


def _points(
    runs: Runs, steps: Sequence[bridge.Difference], metric: str
) -> dict[str, dict[frozenset[int], float]]:
    """{seed: {differences with the notebook's value: metric}}, without runs that are neither one's nor the other's."""
    said = groups.statuses(runs, metric)
    points: dict[str, dict[frozenset[int], float]] = {}
    for run_id in said[said == "counted"].index:
        of_notebook = set()
        for i, difference in enumerate(steps):
            value = _plain(runs.params.at[run_id, difference.key])
            if value == _plain(difference.notebook):
                of_notebook.add(i)
            elif value != _plain(difference.blog):
                break
        else:
            seed = str(runs.info.at[run_id, "seed"])
            points.setdefault(seed, {})[frozenset(of_notebook)] = float(
                runs.metrics.at[run_id, metric]
            )
    return points


def _plain(value: object) -> object:
    text = str(value).lower().replace("null", "none")
    try:
        return float(text)
    except ValueError:
        return text


def _number(seed: str) -> float:
    try:
        return float(seed)
    except ValueError:
        return float("inf")


def paragraph(found: Explanation) -> str:
    """The answer in plain words."""
    metric, n = found.metric, len(found.seeds)
    gap = words.interval(found.gap, metric, of_difference=True)
    first = (
        f"From the blog's CNN ({words.value(float(np.mean(found.blog)), metric)}) to the notebook's "
        f"({words.value(float(np.mean(found.notebook)), metric)}), {metric} changes by "
        f"{words.difference(found.mean_gap, metric)}{f' (95% interval {gap})' if gap else ''} over "
        f"{words.plural(n, 'seed')}."
    )
    lines = [first]
    ranked = sorted(found.contributions, key=lambda c: -abs(c.mean))
    shown = [c for c in ranked if c.is_shown]
    if shown:
        parts = [
            f"{words.difference(c.mean, metric)} "
            f"({words.interval(c.interval, metric, of_difference=True)}) with the {c.difference.name}"
            for c in shown
        ]
        lines.append(f"Of this comes {', '.join(parts)}.")
    rest = [c for c in ranked if c not in shown]
    if rest:
        why = "" if n >= statistics.SMALLEST_VERDICT else ", which needs three seeds"
        names = ", ".join(f"{c.difference.name} {words.difference(c.mean, metric)}" for c in rest)
        lines.append(
            f"No effect is shown of {'any difference' if not shown else 'the others'}{why}: {names}."
        )
    apart = max(found.contributions, key=lambda c: abs(np.mean(c.forwards) - np.mean(c.backwards)))
    there, back = float(np.mean(apart.forwards)), float(np.mean(apart.backwards))
    lines.append(
        f"The order matters most for the {apart.difference.name}: {words.difference(there, metric)} on the way forwards, "
        f"{words.difference(back, metric)} on the way backwards."
    )
    return " ".join(lines)


def to_csv(found: Explanation) -> pd.DataFrame:
    """A line for each difference and seed."""
    return pd.DataFrame(
        [
            {
                "difference": c.difference.name,
                "setting": c.difference.key,
                "blog": c.difference.blog,
                "notebook": c.difference.notebook,
                "seed": seed,
                "forwards": a,
                "backwards": b,
                "shapley": (a + b) / 2,
            }
            for c in found.contributions
            for seed, a, b in zip(found.seeds, c.forwards, c.backwards, strict=True)
        ]
    )


def render(found: Explanation) -> str:
    """A waterfall from the blog's value to the notebook's, as a page that needs no network."""
    level = float(np.mean(found.blog))
    rows: list[tuple[str, str, float, float, Interval | None, str]] = [
        ("blog's CNN", "", level, level, None, words.value(level, found.metric))
    ]
    for c in found.contributions:
        told = f"{c.difference.blog} \N{RIGHTWARDS ARROW} {c.difference.notebook}"
        number = words.difference(c.mean, found.metric)
        rows.append((c.difference.name, told, level, level + c.mean, c.interval, number))
        level += c.mean
    rows.append(("notebook's CNN", "", level, level, None, words.value(level, found.metric)))
    ends = [e for *_, a, b, i, _ in rows for e in (a, b, *((a + i.low, a + i.high) if i else ()))]
    scale = svg.scale_of([e for e in ends if np.isfinite(e)])
    lines = "".join(_waterfall_row(scale, *row) for row in rows)
    foot = f'<div class="row foot"><div class="name"></div>{svg.strip_axis(scale)}<div class="number"></div></div>'
    body = (
        f"<header><p class=kicker>mnist_exp explain</p><h1>study {html.escape(found.study)}</h1>"
        f"<p class=summary>{html.escape(paragraph(found))}</p></header>"
        f"<section><h2>What each difference adds</h2><p class=told>{html.escape(found.metric)}, mean over "
        f"{words.plural(len(found.seeds), 'seed')}; the line below a step is its 95% interval over seeds.</p>"
        f'<div class="rows">{lines}{foot}</div></section>'
        "<section><h2>Method</h2><p class=methods>Each difference is bridged twice: after those above it, starting from "
        "the blog, and after those below it. A step is the mean of the two, which estimates its Shapley value (Shapley "
        "1953) from an antithetic pair of orders (Mitchell et al. 2022); the steps add up to the gap exactly. Intervals are "
        "over seeds: BCa bootstrap for five or more, Student\N{RIGHT SINGLE QUOTATION MARK}s t for two to four. They say "
        "nothing of the orders that were not measured.</p></section>"
    )
    return page.document(f"{found.metric}: {found.study}", body)


def _waterfall_row(
    scale: svg.Scale,
    name: str,
    told: str,
    start: float,
    end: float,
    interval: Interval | None,
    number: str,
) -> str:
    low, high = min(start, end), max(start, end)
    color = "s0" if interval is None else "s1" if end >= start else "s2"
    width = 100 * (scale.at(high) - scale.at(low))
    marks = [
        f'<rect class="bar" x="{svg.percent(scale, low)}" y="6" width="{width:.2f}%" height="12"/>',
        f'<line class="mean" x1="{svg.percent(scale, end)}" x2="{svg.percent(scale, end)}" y1="3" y2="21"/>',
    ]
    if interval is not None and interval.method != "none":
        ends = f'x1="{svg.percent(scale, start + interval.low)}" x2="{svg.percent(scale, start + interval.high)}"'
        marks.append(f'<line class="interval" {ends} y1="25" y2="25"/>')
    return (
        f'<div class="row {color}"><div class="name"><b>{html.escape(name)}</b><small>{html.escape(told)}</small></div>'
        f'{svg.strip(marks, scale, _WATERFALL_HEIGHT)}<div class="number">{number}</div></div>'
    )


def run(arguments: Sequence[str]) -> None:
    """Raises UserError for what a user can get wrong."""
    parser = Parser(
        hint="usage: python -m mnist_exp.explain --study bridge",
        prog="python -m mnist_exp.explain",
        description=__doc__,
    )
    add_store(parser)
    parser.add_argument(
        "--study",
        metavar="NAME",
        default="bridge",
        help="a study of sweeps=bridge; default: bridge",
    )
    parser.add_argument(
        "--metric", metavar="NAME", default="test/accuracy", help="default: %(default)s"
    )
    parser.add_argument(
        "--output", metavar="FOLDER", default=".", help="for explain.csv and explain.html"
    )
    given = parser.parse_args(arguments)
    folder = output_folder(given.output)
    found = explain(Store(given.uri), given.study, given.metric)
    write(folder, {"explain.csv": to_csv(found).to_csv(index=False), "explain.html": render(found)})
    _show(found, folder)


def _show(found: Explanation, folder: Path) -> None:
    from rich import box
    from rich.table import Table

    console, metric = printing.console(), found.metric
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=metric, title_justify="left")
    for name in ("difference", "forwards", "backwards", "mean", "95% interval"):
        table.add_column(
            name,
            justify="left" if name in ("difference", "95% interval") else "right",
            no_wrap=True,
        )
    for c in found.contributions:
        ways = [words.difference(float(np.mean(way)), metric) for way in (c.forwards, c.backwards)]
        told = words.interval(c.interval, metric, of_difference=True, method=True)
        table.add_row(c.difference.name, *ways, words.difference(c.mean, metric), told)
    console.print(table)
    console.print(paragraph(found))
    for seed, missing in found.incomplete.items():
        console.print(
            f"seed {seed} is left out: {words.plural(missing, 'point')} missing", style="yellow"
        )
    console.print(f"{folder / 'explain.html'}  {folder / 'explain.csv'}", soft_wrap=True)


def main() -> None:
    with answered(UserError):
        run(sys.argv[1:])


if __name__ == "__main__":
    main()
