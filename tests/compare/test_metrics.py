"""Which metric is compared, and whether its values are shares."""

import pandas as pd
import pytest

from mnist_exp.compare.metrics import chosen_metric, has_shares, mixed_kinds
from mnist_exp.compare.results import compare_runs
from mnist_exp.errors import UserError


@pytest.mark.parametrize(
    ("names", "asked", "chosen"),
    [
        (["val_acc", "test/accuracy"], None, "test/accuracy"),
        (["val_acc", "epoch", "system/cpu"], None, "val_acc"),
        (["val_acc", "loss"], "loss", "loss"),
        (["system/cpu", "val_acc"], "system/cpu", "system/cpu"),
    ],
)
def test_the_metric_that_is_compared(names: list[str], asked: str | None, chosen: str) -> None:
    assert chosen_metric(names, asked) == chosen


def test_metrics_that_cannot_be_chosen() -> None:
    with pytest.raises(UserError) as told:
        chosen_metric(["val_accuracy", "loss"], None)
    assert str(told.value) == (
        "--metric NAME: needed, as there is no test/accuracy; did you mean val_accuracy?\n"
        "Metrics: loss, val_accuracy"
    )
    with pytest.raises(UserError) as told:
        chosen_metric([f"m{i:03}" for i in range(100)], "m")
    assert str(told.value).endswith("m018, m019 and 80 more")


def test_accuracies_in_percent_are_no_shares() -> None:
    assert has_shares("val_acc", pd.Series([0.9, 0.95, float("inf")]))
    assert not has_shares("val_accuracy", pd.Series([0.9, 95.0]))
    assert not has_shares("val_loss", pd.Series([0.9]))


def test_shares_beside_percents_are_told() -> None:
    table = pd.DataFrame(
        [
            {"model": model, "seed": seed, "accuracy": value}
            for model, values in (("a", (0.971, 0.972, 0.973)), ("b", (97.0, 97.2, 97.4)))
            for seed, value in enumerate(values)
        ]
    )
    warning = (
        "accuracy is at most 1 in 3 runs, such as 0.973, and above 1 in 3 runs, such as 97: "
        "expected either shares or percents in all runs"
    )
    assert warning in compare_runs(table).notes
    assert mixed_kinds("accuracy", table["accuracy"][2:4]) == [warning.replace("3 runs", "1 run")]
    no_mixtures = {
        "acc": ([0.9, 0.95, 0, float("nan")], [97, 98, 0, float("inf")]),
        "reward": ([0.9, 95],),
    }
    for metric, columns in no_mixtures.items():
        for values in columns:
            assert mixed_kinds(metric, pd.Series(values, dtype=float)) == []
