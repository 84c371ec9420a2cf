"""An explanation as a table in the terminal, and as explain.csv."""

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from mnist_exp.compare import paired_words, words
from mnist_exp.explain import sentences
from mnist_exp.explain.contributions import Contribution, Explanation
from mnist_exp.sweeper.foreign_text import clean


def to_csv(explanation: Explanation) -> pd.DataFrame:
    """Return a line for each difference and seed, and such lines of both CNNs and of the gap.

    What is computed from all seeds stands in each line of a difference.
    """
    gap = explanation.gap
    ends = {gap.before: explanation.blog, gap.after: explanation.notebook, gap.name: gap.values}
    lines = [
        {"difference": name, "seed": seed, "forwards": value, "backwards": value, "shapley": value}
        | {"mean": float(np.mean(values))}
        | ({"low": gap.interval.low, "high": gap.interval.high} if name == gap.name else {})
        for name, values in ends.items()
        for seed, value in zip(explanation.seeds, values, strict=True)
    ]
    parts = [_lines(part, explanation.seeds) for part in explanation.contributions]
    return pd.DataFrame([*itertools.chain(*parts), *lines])


def _lines(part: Contribution, seeds: Sequence[str]) -> list[dict[str, object]]:
    forwards_mean, backwards_mean = sentences.ways(part)
    return [
        {
            "difference": part.name,
            "setting": part.key,
            "blog": part.before,
            "notebook": part.after,
            "seed": seed,
            "forwards": forwards,
            "backwards": backwards,
            "shapley": value,
            "mean": part.mean,
            "forwards_mean": forwards_mean,
            "backwards_mean": backwards_mean,
            "low": part.interval.low,
            "high": part.interval.high,
            "noticed": part.noticed,
            "is_shown": part.is_shown,
        }
        for seed, forwards, backwards, value in zip(
            seeds, part.forwards, part.backwards, part.values, strict=True
        )
    ]


def show(explanation: Explanation, console: Console) -> None:
    """Print the table, the answer in words, and the seeds that are left out."""
    metric = explanation.metric
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
    table.title = f"{metric}, study {clean(explanation.study, 200)}"
    table.add_column("difference", overflow="fold")
    for name in ("forwards", "backwards", "mean"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("95% interval", overflow="fold")
    table.add_column("effect", overflow="fold")
    for part in explanation.contributions:
        effects = (*sentences.ways(part), part.mean)
        numbers = [words.difference(effect, metric) for effect in effects]
        table.add_row(
            part.name,
            *numbers,
            paired_words.interval(part, metric),
            paired_words.verdict(part),
            style=None if part.is_shown else "dim",
        )
    console.print(table)
    console.print(sentences.paragraph(explanation), style="bold")
    if said := paired_words.luck(explanation.contributions):
        console.print(said)
    console.print(sentences.order_matters(explanation))
    for caveat in sentences.caveats(explanation):
        console.print(caveat, style="yellow")
