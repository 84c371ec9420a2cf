"""The summary of trainings, and a training of each kind; nothing here judges a time."""

import pytest

from benchmarks import speedrun
from mnist_exp.errors import UserError


def test_summary_is_of_the_last_epoch_and_of_the_first_with_99_percent() -> None:
    found = speedrun.summary(
        [[(0.98, 1.0), (0.990, 2.0), (0.992, 3.0)], [(0.97, 1.0), (0.98, 2.0), (0.989, 4.0)]]
    )
    assert (found["seeds"], found["epochs"], found["seconds"]) == (2, 3, 3.5)
    assert found["accuracy"] == pytest.approx(0.9905)
    assert found["until"] == [2.0, None]
    table = speedrun.markdown({"summaries": {"ours": found}})
    assert "| 0.9905 (" in table
    assert "2.0 s, 1 of 2 seeds |" in table


@pytest.mark.slow
def test_our_training() -> None:
    *_, (_, before), (accuracy, seconds) = speedrun.train("ours", 3)
    assert 0 < before < seconds
    assert accuracy > 0.985


@pytest.mark.slow
def test_the_same_network_in_pytorch() -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed (the extra `benchmarks`)")
    *_, (_, before), (accuracy, seconds) = speedrun.train("pytorch_tuned", 0)
    assert 0 < before < seconds
    assert accuracy > 0.985


@pytest.mark.slow
def test_pytorchs_example() -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed (the extra `benchmarks`)")
    ((accuracy, seconds),) = speedrun.train("pytorch", 0, 1)
    assert accuracy > 0.97
    assert seconds > 0


def test_mistakes() -> None:
    with pytest.raises(UserError, match="--pytorch-epochs 0: expected a number > 0"):
        speedrun.run(["--pytorch-epochs", "0"])
