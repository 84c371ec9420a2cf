"""An explanation as a paragraph, as a table in the terminal, and as explain.csv."""

import numpy as np
import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from mnist_exp.compare import statistics, words
from mnist_exp.compare.labels import tidy
from mnist_exp.explain.contributions import Contribution, Explanation
from mnist_exp.outside.printing import plural
from mnist_exp.sweeper.foreign_text import clean

_MOST_NAMED = 3  # parts of the gap in the paragraph


def paragraph(explanation: Explanation) -> str:
    """Return the answer in plain words: the gap, its largest parts, and how many are not shown."""
    ranked = sorted(explanation.contributions, key=lambda part: -abs(part.mean))
    shown = [part for part in ranked if part.is_shown]
    sentences = [_gap(explanation)]
    if len(explanation.seeds) < statistics.SMALLEST_VERDICT:
        count = statistics.SMALLEST_VERDICT
        return f"{sentences[0]} To say which differences matter takes {count} seeds or more."
    if shown:
        parts = [
            f"{part.difference.name} ({change(part)}) "
            f"{words.difference(part.mean, explanation.metric)}"
            for part in shown[:_MOST_NAMED]
        ]
        most = "The largest parts" if len(parts) > 1 else "The only part that is shown"
        sentences.append(f"{most}: {', '.join(parts)}.")
    if hidden := len(ranked) - len(shown):
        of = "any" if hidden == len(ranked) else f"{hidden} of the {len(ranked)}"
        sentences.append(f"No effect is shown of {of} differences.")
    return " ".join(sentences)


def change(part: Contribution) -> str:
    """Return the values of a difference in the blog and in the notebook, an arrow between them."""
    blog, notebook = (tidy(str(end)) for end in (part.difference.blog, part.difference.notebook))
    return f"{blog} \N{RIGHTWARDS ARROW} {notebook}"


def _gap(explanation: Explanation) -> str:
    metric = explanation.metric
    blog, notebook = (float(np.mean(end)) for end in (explanation.blog, explanation.notebook))
    interval = words.interval(explanation.gap, metric, of_difference=True)
    return (
        f"From the blog's CNN ({words.value(blog, metric)}) to the notebook's "
        f"({words.value(notebook, metric)}), {metric} changes by "
        f"{words.difference(explanation.mean_gap, metric)}"
        f"{f' (95% interval {interval})' if interval else ''} over "
        f"{plural(len(explanation.seeds), 'seed')}."
    )


def order_matters(explanation: Explanation) -> str:
    """Return the sentence about the difference whose two ways are farthest apart."""
    part = max(explanation.contributions, key=lambda part: abs(np.subtract(*ways(part))))
    forwards, backwards = (words.difference(way, explanation.metric) for way in ways(part))
    return (
        f"The two orders disagree most about the {part.difference.name}: {forwards} on the way "
        f"forwards, {backwards} on the way backwards."
    )


def ways(part: Contribution) -> tuple[float, float]:
    """Return the means over seeds of both ways."""
    return float(np.mean(part.forwards)), float(np.mean(part.backwards))


def to_csv(explanation: Explanation) -> pd.DataFrame:
    """Return a line for each difference and seed."""
    return pd.DataFrame(
        [
            {
                "difference": part.difference.name,
                "setting": part.difference.key,
                "blog": tidy(str(part.difference.blog)),
                "notebook": tidy(str(part.difference.notebook)),
                "seed": seed,
                "forwards": forwards,
                "backwards": backwards,
                "shapley": value,
            }
            for part in explanation.contributions
            for seed, forwards, backwards, value in zip(
                explanation.seeds, part.forwards, part.backwards, part.values, strict=True
            )
        ]
    )


def show(explanation: Explanation, console: Console) -> None:
    """Print the table, the paragraph, and the seeds that are left out."""
    metric = explanation.metric
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
    table.title = f"{metric}, study {clean(explanation.study, 200)}"
    table.add_column("difference", no_wrap=True)
    for name in ("forwards", "backwards", "mean"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("95% interval", no_wrap=True)
    table.add_column("effect", no_wrap=True)
    for part in explanation.contributions:
        numbers = [words.difference(number, metric) for number in (*ways(part), part.mean)]
        interval = words.interval(part.interval, metric, of_difference=True) or "none"
        effect, style = ("shown", None) if part.is_shown else ("not shown", "dim")
        table.add_row(part.difference.name, *numbers, interval, effect, style=style)
    console.print(table)
    console.print(paragraph(explanation), style="bold")
    console.print(order_matters(explanation))
    for seed, missing in explanation.incomplete.items():
        console.print(
            f"seed {seed} is left out: {plural(missing, 'point')} missing", style="yellow"
        )
