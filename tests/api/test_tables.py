"""`mnist_exp.runs` and `mnist_exp.history`: recorded runs as tables."""

from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest

from mnist_exp import compare_runs, explain_study, history, load_model, run, runs
from mnist_exp.errors import UserError
from tests.support.runs import TINY

pytestmark = pytest.mark.usefixtures("bare_runs")


@pytest.fixture
def client(workdir: Path) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")


def foreign(client: mlflow.MlflowClient, seed: int, **params: Any) -> str:
    """Return the id of a run that another program has made."""
    run_id: str = client.create_run("0", run_name=f"theirs {seed}").info.run_id
    for key, value in {"seed": seed, **params}.items():
        client.log_param(run_id, key, value)
    client.log_metric(run_id, "acc", seed / 2, step=1)
    client.log_metric(run_id, "acc", seed / 4, step=2)
    client.set_tag(run_id, "who", "a colleague")
    return run_id


def test_params_have_their_types_again(client: mlflow.MlflowClient) -> None:
    run(TINY, run_name="007", quiet=True)
    run([*TINY, "model=mlp", "model.hidden_units=[8,4]", "schedule.max_steps=1"], quiet=True)
    table = runs()
    first, second = (row for _, row in table.iterrows())
    assert first["name"] == first["run_name"] == "007"
    assert table["seed"].dtype == np.int64
    assert table["optimizer.learning_rate"].tolist() == [0.001, 0.001]
    assert table["deterministic"].tolist() == [True, True]
    assert second["model.hidden_units"] == [8, 4]
    assert pd.isna(first["schedule.max_steps"])
    assert second["schedule.max_steps"] == 1
    assert table["status"].tolist() == ["finished", "finished"]
    assert table["started"].is_monotonic_increasing
    assert table["tags.variant"].iloc[0].startswith("softmax-adam")
    columns = list(table)
    # What differs comes first, then what was measured, then what is the same.
    assert columns.index("model") < columns.index("val/accuracy") < columns.index("optimizer")


def test_runs_of_others_are_read(client: mlflow.MlflowClient) -> None:
    ids = [foreign(client, seed, lr="0.10", layers="[3, 2]", note="None") for seed in (1, 2)]
    table = runs(experiment="Default")
    assert table.index.tolist() == ids
    assert table["lr"].tolist() == [0.1, 0.1]
    assert table["layers"].tolist() == [[3, 2]] * 2
    assert table["note"].isna().all()
    assert table["acc"].tolist() == [0.25, 0.5]
    assert table["tags.who"].tolist() == ["a colleague"] * 2
    assert runs(filter="params.seed = '2'").index.tolist() == ids[1:]


@pytest.mark.parametrize(("option", "name"), [("metric", "mine"), ("group_by", "half")])
def test_a_column_that_was_added_is_compared_as_the_line_says(
    client: mlflow.MlflowClient, option: str, name: str
) -> None:
    for seed in range(4):
        client.set_terminated(foreign(client, seed))
    table = runs().assign(mine=[0.1, 0.2, 0.3, 0.45], half=["a", "a", "b", "b"])
    options = {"metric": "acc", option: name}
    with pytest.raises(UserError) as caught:
        compare_runs(table, **options)
    assert str(caught.value).endswith(
        f"{name}: a column of the table, which the runs in MLflow do not have\n"
        "compare_runs(table.reset_index(drop=True), ...) compares the table's own columns"
    )
    compared = compare_runs(table.reset_index(drop=True), **(options | {"group_by": "half"}))
    assert sorted(compared.table["group"]) == ["half=a", "half=b"]


def test_history_is_long(client: mlflow.MlflowClient, tmp_path: Path, monkeypatch: Any) -> None:
    second, first = (foreign(client, seed) for seed in (2, 1))
    client.log_metric(first, "loss", np.nan, step=5)
    table = runs()
    monkeypatch.chdir(tmp_path)  # the table knows the store that it is from
    long = history(table.iloc[::-1], ["acc", "loss"])
    assert list(long) == ["run_id", "metric", "step", "value"]
    assert long["run_id"].tolist() == [first] * 3 + [second] * 2
    assert long["value"].tolist()[:2] == [0.5, 0.25]
    assert np.isnan(long["value"].iloc[2])  # a run that broke is seen
    assert history(first, "acc", client.tracking_uri)["step"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda: runs(), "there are no runs in "),
        (
            lambda: runs(experiment="Defaul"),
            "--experiment Defaul: no such experiment; did you mean",
        ),
        (lambda: runs(study="x"), "--study x: no such study"),
        (lambda: runs(filter="x y"), "--filter x y: MLflow cannot use it"),
        (lambda: runs(uri="sqlite:///absent.db"), "no runs here: there is no database"),
        (lambda: history([], "acc"), "history: expected a table of runs(), results of run() or"),
        (lambda: history("abc", []), "history: expected the name of a metric"),
        (lambda: history(3, "acc"), "history: expected a table of runs(), results of run() or"),
        (lambda: history("abc", "acc"), "abc: no such run"),
    ],
)
def test_what_cannot_be_read(client: mlflow.MlflowClient, ask: Any, said: str) -> None:
    with pytest.raises(UserError) as caught:
        ask()
    assert str(caught.value).startswith(said)
    assert len(str(caught.value).splitlines()) <= 2


@pytest.mark.parametrize(
    ("call", "arguments", "said"),
    [
        (history, {"runs": "abc", "metric": None}, "history: expected the name of a metric"),
        (history, {"runs": "a", "metric": ["b", 3]}, "history(metric=...): expected a text, found"),
        (runs, {"study": 3}, "runs(study=...): expected a text, found 3"),
        (runs, {"filter": ["a"]}, "runs(filter=...): expected a text, found ['a']"),
        (runs, {"uri": Path("x.db")}, "runs(uri=...): expected a text, found PosixPath('x.db')"),
        (explain_study, {"study": 3}, "explain_study(study=...): expected a text, found 3"),
        (load_model, {"run": pd.Series([1, 2])}, "load_model(run=...): expected a text, found"),
    ],
)
def test_arguments_that_are_no_texts(call: Any, arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as caught:
        call(**arguments)
    assert str(caught.value).startswith(said)
    assert len(str(caught.value).splitlines()) == 1


def test_a_result_knows_its_store(workdir: Path, tmp_path: Path, monkeypatch: Any) -> None:
    result = run(TINY, quiet=True)
    monkeypatch.chdir(tmp_path)
    for given in (result, [result]):
        value = history(given, "val/accuracy")["value"]
        assert value.tolist() == [result.val_accuracy]


def test_a_metric_that_no_run_has(client: mlflow.MlflowClient) -> None:
    with pytest.raises(UserError, match=r"^ac: no run has this metric; did you mean acc\?\nMetri"):
        history(foreign(client, 1), "ac")
