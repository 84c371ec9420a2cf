"""Which metric is compared, and which of its values are better."""

import pandas as pd
import pytest

from mnist_exp.compare.metrics import (
    chosen_metric,
    direction_notes,
    has_shares,
    is_maximised,
    mixed_kinds,
)
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


@pytest.mark.parametrize(
    "name",
    [
        *("val_loss", "rmse", "test/mse", "val/wer", "time", "best_epoch", "epoch_of_best_acc"),
        *("nll", "val_nll"),
    ],
)
def test_metrics_of_which_less_is_better(name: str) -> None:
    assert not is_maximised(name)
    assert direction_notes(name) == []


@pytest.mark.parametrize(
    "name", ["val_acc", "f1_macro", "mAP", "r2", "test/accuracy", "loglikelihood", "f1_negative"]
)
def test_metrics_of_which_more_is_better(name: str) -> None:
    assert is_maximised(name)
    assert direction_notes(name) == []


def test_an_accuracy_at_the_end_of_an_epoch_is_one_and_told() -> None:
    assert is_maximised("val_acc_epoch")
    assert len(direction_notes("val_acc_epoch")) == 1
    assert not is_maximised("epochs_to_accuracy_0.9")


@pytest.mark.parametrize("name", ["d2_log_loss_score", "test_d2_absolute_error_score", "val/d2"])
def test_the_explained_share_of_a_loss_is_better_if_it_is_higher(name: str) -> None:
    assert is_maximised(name)
    assert not direction_notes(name)


@pytest.mark.parametrize(
    "name",
    [
        *("neg_log_loss", "test_neg_log_loss", "neg_mean_squared_error", "neg_brier_score"),
        *("neg_root_mean_squared_error", "val/negLogLoss"),
        *("NEG_LOG_LOSS", "minus_cost", "negative loss"),
    ],
)
def test_a_negated_loss_is_better_if_it_is_higher(name: str) -> None:
    assert is_maximised(name)
    assert direction_notes(name) == [
        f"Higher values of {name} are taken for better; --direction minimize turns it round."
    ]


@pytest.mark.parametrize(
    "name",
    [
        *("neg_log_likelihood", "negative_log_likelihood", "test/negative_log_likelihood"),
        *("one_minus_auc", "neg_reward", "negLogLikelihood", "negative_likelihood_ratio"),
    ],
)
def test_a_negated_score_is_better_if_it_is_lower(name: str) -> None:
    assert not is_maximised(name)
    assert direction_notes(name) == [
        f"Lower values of {name} are taken for better; --direction maximize turns it round."
    ]


def test_a_value_that_is_negated_twice() -> None:
    assert is_maximised("neg_negative_likelihood_ratio")  # scikit-learn's


@pytest.mark.parametrize("name", ["false_negative_rate", "negatives", "negative_predictive_value"])
def test_negatives_that_negate_nothing_known(name: str) -> None:
    assert is_maximised(name)
    assert len(direction_notes(name)) == 1


def test_a_name_that_does_not_tell_is_told() -> None:
    assert is_maximised("timeliness")
    assert direction_notes("timeliness") == [
        "Higher values of timeliness are taken for better; --direction minimize turns it round."
    ]


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
