"""Runs of other programs as tables, without a store."""

from collections.abc import Mapping, Sequence

import pandas as pd

from mnist_exp.tracking.runs import Runs

FOUR = ["1", "2", "1", "2"]
MODELS = ["a", "a", "b", "b"]


def made(params: Mapping[str, Sequence[str | None]], **tags: Sequence[str | None]) -> Runs:
    """Runs with these params and tags, a column each."""
    ids = [f"{i:032x}" for i in range(len(next(iter([*params.values(), *tags.values()]))))]
    info = pd.DataFrame({"seed": [""] * len(ids)}, index=ids)
    return Runs(
        info=info,
        params=pd.DataFrame(params, index=ids, dtype=object),
        tags=pd.DataFrame(tags, index=ids, dtype=object),
        metrics=pd.DataFrame(index=ids),
    )
