"""Which runs a selection has, and what is read of them."""

import subprocess
import sys

import mlflow
import numpy as np
import pytest

from benchmarks.fake_runs import FakeRuns, trial
from mnist_exp.errors import UserError
from mnist_exp.tracking.runs import Selection, Store


def ids(selection: Selection) -> set[str]:
    return set(Store().select(selection).info.index)


def test_a_study_is_its_trials_and_not_its_parent(fake_runs: FakeRuns) -> None:
    fake_runs.study("it's one")
    run = fake_runs.add(0, 0.9, tags=trial("it's one", 0, "seed"))
    fake_runs.add(0, 0.9, tags=trial("two", 0, "seed"))
    assert ids(Selection(study="it's one")) == {run}


def test_conditions_join(fake_runs: FakeRuns) -> None:
    low, high = fake_runs.add(0, 0.2), fake_runs.add(1, 0.9)
    elsewhere = FakeRuns(fake_runs.folder, "other").add(0, 0.9)
    assert ids(Selection(experiment="mnist_exp")) == {low, high}
    assert ids(Selection(filter="metrics.`test/accuracy` > 0.5")) == {high, elsewhere}
    assert ids(Selection(filter="metrics.`test/accuracy` > 0.5", experiment="other")) == {elsewhere}
    assert ids(Selection(run_ids=(low, elsewhere))) == {low, elsewhere}


def test_reruns_are_left_out(fake_runs: FakeRuns) -> None:
    first = fake_runs.add(0, 0.9)
    again = fake_runs.add(0, 0.9, tags={"rerun_of": first})
    runs = Store().select(Selection(experiment="mnist_exp"))
    assert list(runs.info.index) == [first]
    assert runs.repeats == 1
    assert ids(Selection(run_ids=(again,))) == {again}  # unless nothing else is asked for


def test_statuses_of_trials_say_more_than_mlflows(fake_runs: FakeRuns) -> None:
    for number, (status, state) in enumerate(
        [
            ("FINISHED", "COMPLETE"),
            ("KILLED", "PRUNED"),
            ("KILLED", "WAITING"),
            ("FAILED", "FAIL"),
            ("KILLED", "COMPLETE"),
        ]
    ):
        fake_runs.add(number, 0.9, status=status, tags=trial("x", number, "seed", state))
    runs = Store().select(Selection(study="x"))
    assert list(runs.info["status"]) == ["finished", "pruned", "waiting", "failed", "killed"]


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (
            Selection(study="varaints"),
            "--study varaints: no such study; did you mean variants?\nStudies: variants",
        ),
        (
            Selection(experiment="mnist"),
            "--experiment mnist: no such experiment; did you mean mnist_exp?",
        ),
        (Selection(filter="metrics.x ="), "--filter metrics.x =: MLflow cannot use it"),
        (Selection(run_ids=("0123",)), "0123: no such run in "),
        (Selection(run_ids=("vari",)), "vari: no such run; did you mean --study vari?"),
        (Selection(filter="params.model = 'x'"), "no runs are selected by params.model = 'x'"),
    ],
)
def test_mistakes(fake_runs: FakeRuns, selection: Selection, message: str) -> None:
    fake_runs.study("variants")
    with pytest.raises(UserError) as raised:
        Store().select(selection)
    assert str(raised.value).startswith(message)


def test_an_unknown_run_among_known_ones(fake_runs: FakeRuns) -> None:
    known = fake_runs.add(0, 0.9)
    with pytest.raises(UserError, match="feed: no such run"):
        Store().select(Selection(run_ids=(known, "feed")))


@pytest.mark.slow
def test_a_deleted_run_comes_back_as_the_error_says(
    fake_runs: FakeRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted, kept = fake_runs.add(0, 0.9), fake_runs.add(1, 0.9)
    mlflow.MlflowClient().delete_run(deleted)
    for run_ids in ((deleted,), (kept, deleted)):
        with pytest.raises(UserError, match=f"^run {deleted} was deleted: `") as raised:
            Store().select(Selection(run_ids=run_ids))
        command = (
            str(raised.value).split("`")[1].replace(" mlflow ", f" {sys.executable} -m mlflow ")
        )
        monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
        subprocess.run(command, shell=True, check=True, cwd="/", capture_output=True)  # anywhere
        assert {*Store().select(Selection(run_ids=run_ids)).info.index} == {*run_ids}
        mlflow.MlflowClient().delete_run(deleted)


@pytest.mark.slow
def test_how_long_a_run_took_is_not_said_of_one_that_was_continued(fake_runs: FakeRuns) -> None:
    """The hours between are not its own."""
    whole = fake_runs.add(0, 0.9, tags={"resumed": "0"})
    continued = fake_runs.add(1, 0.9, tags={"resumed": "1"})
    info = Store().select(Selection(experiment="mnist_exp")).info
    assert info.at[whole, "seconds"] >= 0
    assert np.isnan(info.at[continued, "seconds"])


def test_no_database_is_made(tmp_path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="there is no database"):
        Store(f"sqlite:///{tmp_path}/nothing.db")


def test_history_has_one_finite_value_a_step(fake_runs: FakeRuns) -> None:
    run = fake_runs.add(0, [0.5, 0.6], costs=[0.3, float("inf"), 0.1])
    later = 2**41
    fake_runs.client.log_metric(run, "train/cost", 0.2, step=1, timestamp=later)
    second = fake_runs.add(1, [0.7])
    costs = Store().history([run], "train/cost")
    assert list(zip(costs["step"], costs["value"], strict=True)) == [(1, 0.2), (3, 0.1)]
    assert set(Store().history([run, second], "test/accuracy")["run_id"]) == {run, second}


def test_history_from_a_server_is_asked_for_run_by_run(
    fake_runs: FakeRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = fake_runs.add(0, [0.5, 0.6])
    expected = Store().history([run], "test/accuracy")
    monkeypatch.setattr("mnist_exp.tracking.store.file_to_read", lambda _: None)
    store = Store()
    monkeypatch.delattr(
        "mlflow.store.tracking.sqlalchemy_store.SqlAlchemyStore.get_metric_history_bulk"
    )
    assert store.history([run], "test/accuracy").equals(expected)
