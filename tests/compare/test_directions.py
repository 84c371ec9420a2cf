"""Which values of a metric are better, by its name."""

import pytest

from mnist_exp.compare.directions import direction_notes, is_maximised


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


@pytest.mark.parametrize(
    ("name", "higher"),
    [
        *((name, True) for name in ("acc_of_best_epoch", "f1_at_best_loss", "accuracy@epoch10")),
        *((name, True) for name in ("acc_at_best_val_loss", "precision@5", "epochs_per_second")),
        *((name, False) for name in ("steps_to_accuracy", "dice_loss", "loss_epoch", "fpr95")),
        *((name, False) for name in ("cost_per_hour", "errors_per_second", "d2_loss")),
        *((name, True) for name in ("mIoU", "mIoU@0.5", "images_per_sec")),
        *((name, False) for name in ("testRMSE", "bits_per_char", "val_ce", "ppl/wikitext")),
    ],
)
def test_words_of_both_kinds_of_which_one_decides(name: str, higher: bool) -> None:
    assert is_maximised(name) == higher
    assert direction_notes(name) == []


@pytest.mark.parametrize(
    ("name", "higher"),
    [
        *((name, True) for name in ("test_acc_best_epoch", "best_epoch_acc", "best_loss_acc")),
        *((name, True) for name in ("error_detection_f1", "time_series_f1", "loss_reduction")),
        *((name, True) for name in ("time_saved", "loss_improvement")),
        *((name, False) for name in ("val_gap", "ERR@20", "mem_eff")),
        *((name, False) for name in ("accuracy_std", "brier_score", "cross_entropy_score")),
    ],
)
def test_words_of_both_kinds_are_told(name: str, higher: bool) -> None:
    assert is_maximised(name) == higher
    assert len(direction_notes(name)) == 1
