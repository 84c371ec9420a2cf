"""An explanation as a paragraph, as a table in the terminal, and as explain.csv."""

import numpy as np
import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from mnist_exp.compare import statistics, words
from mnist_exp.explain.contributions import Contribution, Explanation
from mnist_exp.outside.printing import plural


def paragraph(explanation: Explanation) -> str:
    """Return the answer in plain words."""
    metric = explanation.metric
    ranked = sorted(explanation.contributions, key=lambda part: -abs(part.mean))
    shown = [part for part in ranked if part.is_shown]
    sentences = [_gap(explanation)]
    if shown:
        parts = [
            f"{words.difference(part.mean, metric)} "
            f"({words.interval(part.interval, metric, of_difference=True)}) "
            f"with the {part.difference.name}"
            for part in shown
        ]
        sentences.append(f"Of this comes {', '.join(parts)}.")
    if rest := [part for part in ranked if part not in shown]:
        names = ", ".join(f"{p.difference.name} {words.difference(p.mean, metric)}" for p in rest)
        enough = len(explanation.seeds) >= statistics.SMALLEST_VERDICT
        sentences.append(
            f"No effect is shown of {'the others' if shown else 'any difference'}"
            f"{'' if enough else ', which needs three seeds'}: {names}."
        )
    return " ".join([*sentences, _order_matters(explanation)])


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


def _order_matters(explanation: Explanation) -> str:
    """Return the sentence about the difference whose two ways are farthest apart."""
    means = {part.difference.name: _ways(part) for part in explanation.contributions}
    name, ways = max(means.items(), key=lambda item: abs(item[1][0] - item[1][1]))
    forwards, backwards = (words.difference(way, explanation.metric) for way in ways)
    return (
        f"The order matters most for the {name}: {forwards} on the way forwards, "
        f"{backwards} on the way backwards."
    )


def _ways(part: Contribution) -> tuple[float, float]:
    """Return the means over seeds of both ways."""
    return float(np.mean(part.forwards)), float(np.mean(part.backwards))


def to_csv(explanation: Explanation) -> pd.DataFrame:
    """Return a line for each difference and seed."""
    return pd.DataFrame(
        [
            {
                "difference": part.difference.name,
                "setting": part.difference.key,
                "blog": part.difference.blog,
                "notebook": part.difference.notebook,
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
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=metric, title_justify="left")
    table.add_column("difference", no_wrap=True)
    for name in ("forwards", "backwards", "mean"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("95% interval", no_wrap=True)
    for part in explanation.contributions:
        numbers = [words.difference(number, metric) for number in (*_ways(part), part.mean)]
        interval = words.interval(part.interval, metric, of_difference=True, method=True)
        table.add_row(part.difference.name, *numbers, interval)
    console.print(table)
    console.print(paragraph(explanation))
    for seed, missing in explanation.incomplete.items():
        console.print(
            f"seed {seed} is left out: {plural(missing, 'point')} missing", style="yellow"
        )
