"""Runs within runs."""

import pandas as pd

from mnist_exp.compare.parents import parents_of, with_parents_settings
from tests.compare.made_runs import FOUR, made


def test_children_take_from_their_parents_what_they_lack() -> None:
    ids = [f"{i:032x}" for i in range(4)]
    runs = made(
        {"lr": ["0.1", None, None, "0.3"], "seed": [None, None, "1", "2"]},
        **{"mlflow.parentRunId": [None, ids[0], ids[1], ids[1]]},
    )
    filled = with_parents_settings(runs)
    assert filled.params["lr"].tolist() == ["0.1", "0.1", "0.1", "0.3"]
    assert filled.params["seed"].fillna("").tolist() == ["", "", "1", "2"]
    assert set(parents_of(runs, pd.Index(ids[2:]))) == {ids[0], ids[1]}
    assert parents_of(runs, pd.Index(ids[:1])).empty
    assert parents_of(made({"lr": FOUR}), pd.Index(ids)).empty
