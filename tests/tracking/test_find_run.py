"""What is said where there is no run of the id that was given."""

import mlflow
import pytest
from mlflow.exceptions import MlflowException

from benchmarks.fake_runs import FakeRuns
from mnist_exp.errors import UserError
from mnist_exp.tracking.addresses import ELSEWHERE
from mnist_exp.tracking.find_run import find_run
from mnist_exp.tracking.runs import Selection, Store


def test_it_names_the_run_that_was_meant(fake_runs: FakeRuns) -> None:
    client = mlflow.MlflowClient()
    older, newer = fake_runs.add(0, 0.9), fake_runs.add(1, 0.9)
    client.update_run(older, name="my best (2)")
    client.update_run(newer, name="o'brien")
    assert find_run(client, older).info.run_id == older
    for word, expected in (
        (older[:31], f"expected a whole run id; the newest that begins so is {older}"),
        ("my best (2)", f"expected a run id; that of the newest run with this name is {older}"),
        ("it's 100%_x", f"expected a run id; the newest run's is {newer}"),
        ("o'brien", f"expected a run id; that of the newest run with this name is {newer}"),
        ("nothing", f"expected a run id; the newest run's is {newer}"),
        ("0" * 32, ELSEWHERE),
    ):
        with pytest.raises(UserError) as raised:
            find_run(client, word, "--run ", ["best", "latest"])
        said = f"--run {word}: no such run in {client.tracking_uri}\n{expected}"
        assert str(raised.value) == said
    with pytest.raises(UserError, match=r"; did you mean best\?\nexpected a run id, best or lat"):
        find_run(client, "bset", words=["best", "latest"])
    client.delete_run(older)
    with pytest.raises(UserError, match=f"^run {older} was deleted: `MLFLOW_TRACKING_URI="):
        find_run(client, older)


@pytest.mark.first_cases(4)
@pytest.mark.parametrize(
    "word",
    [
        "",
        " ",
        "a\nb",
        "\0",
        "\udcff",
        "\x1b[31m",
        "'\"",
        "a' OR '1'='1",
        "\\",
        "²",
        "../x",
        "a" * 5000,
    ],
)
def test_any_text_gets_two_lines_and_the_store_no_blame(fake_runs: FakeRuns, word: str) -> None:
    run = fake_runs.add(0, 0.9)
    for ask in (
        lambda: find_run(mlflow.MlflowClient(), word),
        lambda: Store().select(Selection(run_ids=(run, word))),
        lambda: Store().select(Selection(run_ids=(word,))),
    ):
        with pytest.raises(UserError, match=": no such run in ") as raised:
            ask()
        said = str(raised.value)
        assert said.count("\n") == 1
        assert said.replace("\n", "").isprintable()
        assert len(said) < 500


def test_an_empty_store_has_no_run_to_name(fake_runs: FakeRuns) -> None:
    with pytest.raises(UserError, match="no such run in ") as raised:
        find_run(mlflow.MlflowClient(), "nothing")
    assert str(raised.value).endswith(ELSEWHERE)


def test_a_run_of_another_experiment_is_not_called_unknown(fake_runs: FakeRuns) -> None:
    run, other = fake_runs.add(0, 0.9), mlflow.create_experiment("other")
    outside = mlflow.MlflowClient().create_run(other).info.run_id
    experiment = mlflow.get_experiment(mlflow.get_run(run).info.experiment_id).name
    with pytest.raises(UserError, match=f"^{outside}: the run is there, but is not among those"):
        Store().select(Selection(experiment=experiment, run_ids=(run, outside)))


def test_a_store_that_does_not_answer_is_not_said_to_lack_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """MLflow's error has the address that was asked for, and in it the word run_id."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(MlflowException, match="run_id"):
        find_run(mlflow.MlflowClient("http://127.0.0.1:9"), "0" * 32)
