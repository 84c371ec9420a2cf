"""`mnist_exp.explain_study`: the answer of `explain` in Python and notebooks."""

from pathlib import Path

import numpy as np
import pandas as pd

from mnist_exp.command import save
from mnist_exp.compare import paired_words, words
from mnist_exp.errors import require_texts
from mnist_exp.explain import page, report, sentences
from mnist_exp.explain.contributions import Explanation, explain
from mnist_exp.outside import templates
from mnist_exp.tracking.runs import Store


class ExplainedStudy:
    """How much of the gap between the tutorials' CNNs each difference explains."""

    def __init__(self, explanation: Explanation) -> None:
        self._explanation = explanation

    @property
    def summary(self) -> str:
        """The gap, its parts, and how large a part could have been missed."""
        return sentences.paragraph(self._explanation)

    @property
    def table(self) -> pd.DataFrame:
        """A row for each difference: what it adds on both ways, and the mean with its interval."""
        rows = []
        for part in self._explanation.contributions:
            forwards, backwards = sentences.ways(part)
            rows.append(
                {
                    "difference": part.name,
                    "setting": part.key,
                    "forwards": forwards,
                    "backwards": backwards,
                    "mean": part.mean,
                    "low": part.interval.low if part.interval.exists else np.nan,
                    "high": part.interval.high if part.interval.exists else np.nan,
                    "is_shown": part.is_shown,
                }
            )
        return pd.DataFrame(rows)

    @property
    def seeds(self) -> pd.DataFrame:
        """A row for each difference and seed, as `explain.csv` has it."""
        return report.to_csv(self._explanation)

    def save(self, file: str | Path = "explain.html") -> Path:
        """Write the page, or the table of seeds if the name ends in `.csv`; return the file's path.

        Raises UserError if it cannot be written there.
        """
        return save(
            file,
            page=lambda: page.render(self._explanation),
            rows=lambda: self.seeds.to_csv(index=False),
        )

    def __repr__(self) -> str:
        shown = self.table.drop(columns="setting").to_string(index=False)
        return f"{shown}\n\n{self.summary}"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the summary and the table."""
        explanation = self._explanation
        return templates.render(
            "explain/explained_study.html",
            summary=self.summary,
            luck=paired_words.luck(explanation.contributions),
            order=sentences.order_matters(explanation),
            caveats=sentences.caveats(explanation),
            metric=explanation.metric,
            contributions=explanation.contributions,
            sentences=sentences,
            paired_words=paired_words,
            words=words,
        )


def explain_study(
    study: str = "bridge",
    *,
    metric: str = "test/accuracy",
    margin: float | None = None,
    uri: str | None = None,
) -> ExplainedStudy:
    """Return how much of the gap between the tutorials' CNNs each difference explains.

    study: a study of `sweeps=bridge`, or the beginning of its name
    metric: what is explained
    margin: the smallest effect that matters; by default 0.002 of an accuracy, and any of another
    uri: the store, as `tracking.uri`

    Raises UserError if there is no such study, or it is no bridge, or has no seed with all its
    points.
    """
    require_texts("explain_study", study=study, metric=metric, uri=uri)
    return ExplainedStudy(explain(Store(uri), study, metric, margin))
