"""The stopwatch's list names functions that the harness has, and every phase is measured."""

import pytest

from benchmarks import harness, phases

SMALL = "model=softmax data.train_limit=200 data.eval_limit=200 schedule.epochs=1"


@pytest.mark.parametrize(
    "function",
    [phases.IMPORT_TENSORFLOW, *(name for names in phases.FUNCTIONS.values() for name in names)],
)
def test_every_watched_function_exists(function: str) -> None:
    owner, name = phases.find(function)
    assert callable(getattr(owner, name))


@pytest.mark.parametrize(
    "function",
    ["mnist_exp.gone:load", "mnist_exp.data:gone", "mnist_exp.training.checkpoint:Writer.gone"],
)
def test_a_function_that_is_gone_is_a_mistake(function: str) -> None:
    with pytest.raises(LookupError, match=f"^{function}: benchmarks/phases.py watches it"):
        phases.watch(function, "data")


@pytest.mark.slow
def test_every_phase_of_a_run_is_measured() -> None:
    (run,) = harness.watch(SMALL)
    measured = {**run["until_first_step"], **run["after"]}
    expected = {*phases.FUNCTIONS, "import tensorflow", "import mlflow", "first step"} - {
        "training"
    }
    assert {phase for phase in expected if measured.get(phase, 0) > 0} == expected
