"""A study read from MLflow, as `compare --study` does."""

import math
from pathlib import Path
from typing import Any

import pytest

from benchmarks.fake_runs import FakeRuns, trial
from mnist_exp.compare import __main__ as command
from mnist_exp.tracking.runs import Selection, Store
from mnist_exp.tuning.recorded import from_runs
from mnist_exp.tuning.trials import State, Study

RATE = "optimizer.learning_rate"
KEYS = f"optimizer {RATE}"


def measured(accuracy: float) -> Any:
    return {"val/accuracy": accuracy, "time/epoch_seconds": 2.5}


@pytest.fixture
def store(workdir: Path) -> Store:
    """A search of 12 trials: one pruned, one failed, one begun twice, one without an end."""
    runs = FakeRuns(workdir)
    runs.study("lr")
    for number in range(12):
        rate, value = 10.0 ** (number / 4 - 4), 0.5 + number / 100
        state, status = {3: ("PRUNED", "KILLED"), 5: ("FAIL", "FAILED")}.get(
            number, ("COMPLETE", "FINISHED")
        )
        more = {"trial_state": state, "failure_reason": "no memory"}
        settings = {RATE: str(rate), "optimizer": ["sgd", "adam"][number % 2]}
        tags = trial("lr", number, KEYS) | more
        for repeated in range(2 if number == 7 else 1):
            runs.add(
                0, 0.1, settings=settings | {"objective": "['val/accuracy']"}, status=status,
                tags=tags, **measured(value - repeated / 10),
            )  # fmt: skip
    return Store()


def recorded(store: Store) -> Study:
    return from_runs(store, store.select(Selection(study="lr")), "lr")


def test_the_trials_are_those_of_the_runs(store: Store) -> None:
    study = recorded(store)
    assert [one.number for one in study.trials] == list(range(12))
    assert study.objectives == ("val/accuracy",)
    assert study.maximised == (True,)
    assert study.logarithmic == {RATE}  # by its values: these runs do not record the scale
    assert study.trials[2].params == {"optimizer": "sgd", RATE: pytest.approx(10**-3.5)}
    assert study.trials[2].values == (0.52,)
    assert study.trials[7].values == (pytest.approx(0.47),)  # the newest run
    assert study.trials[3].state is State.PRUNED
    assert study.trials[3].last_report == (1, 0.53)
    assert (study.trials[5].state, study.trials[5].reason) == (State.FAILED, "no memory")
    assert study.is_search


def test_a_search_is_shown_as_one(
    store: Store, workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command.run(["--study", "l"])
    out = capsys.readouterr().out
    assert "Study lr searched settings, with one run of each. --group-by KEY compares" in out
    assert "Trial 11 has the highest val/accuracy of 12 trials, 0.6100" in " ".join(out.split())
    assert {path.name for path in workdir.glob("*.[hc]*")} == {"trials.csv", "tuning.html"}
    assert len((workdir / "trials.csv").read_text().splitlines()) == 13
    for asked in (["--group-by", "optimizer"], ["--metric", "val/accuracy"]):
        command.run(["--study", "lr", *asked])
        assert (workdir / "compare.html").exists()
        (workdir / "compare.html").unlink()


def test_what_newer_runs_record_counts_and_foreign_records_are_read(workdir: Path) -> None:
    runs = FakeRuns(workdir)
    more = {"sweep.directions": "minimize maximize", "sweep.log_keys": RATE}
    objectives = "['val/accuracy', 'time/training_seconds']"
    for number, value in enumerate([0.5, math.nan, 1.797693134862315e308]):
        settings = {RATE: str(number + 1.0), "objective": objectives}
        runs.add(
            0, 0.1, settings=settings, tags=trial("lr", number, RATE) | more,
            **measured(value),
        )  # fmt: skip
    runs.add(0, 0.1, tags=trial("lr", 0, RATE) | {"trial_number": "nan"})
    study = recorded(Store())
    assert study.maximised == (False, True)
    assert study.logarithmic == {RATE}
    assert study.trials[0].values == (0.5, 2.5)
    assert [one.reason for one in study.trials] == ["", *["it has no finite value"] * 2]
