"""explain.md: the answer as a page that GitHub shows."""

import math

import pandas as pd

from mnist_exp.compare import paired_words, words
from mnist_exp.compare.statistics import SMALLEST_VERDICT
from mnist_exp.explain import sentences
from mnist_exp.explain.contributions import Contribution, Explanation
from mnist_exp.outside import printing, templates
from mnist_exp.tracking import costs

PAGE = "explain.md"


def render(explanation: Explanation, runs: pd.DataFrame, command: str) -> str:
    """Return the page; `runs` are the lines of runs.csv behind it, `command` is what wrote it."""
    return templates.render(
        f"explain/{PAGE}",
        command=printing.markdown(command),
        summary=printing.markdown(sentences.paragraph(explanation), limit=10_000),
        luck=printing.markdown(paired_words.luck(explanation.contributions), limit=10_000),
        order=printing.markdown(sentences.order_matters(explanation), limit=10_000),
        processor_time=costs.sentences(runs),
        rows=[_row(part, explanation) for part in explanation.contributions],
        caveats=[printing.markdown(text) for text in sentences.caveats(explanation)],
        seeds=printing.plural(len(explanation.seeds), "seed"),
        has_noticed=any(not math.isnan(part.noticed) for part in explanation.contributions),
        smallest_verdict=SMALLEST_VERDICT,
        margin=None if explanation.margin is None else f"{explanation.margin:g}",
        epochs=sentences.epochs(explanation),
    )


def _row(part: Contribution, explanation: Explanation) -> list[str]:
    metric = explanation.metric
    return [
        part.name,
        f"`{part.key}`",
        part.change,
        *(words.difference(way, metric) for way in sentences.ways(part)),
        *paired_words.cells(part, explanation.margin, metric),
    ]
