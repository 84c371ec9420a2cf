"""A project works in a folder of any name, and after it was renamed or copied.

One run serves all tests here.
"""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import mlflow
import pytest

from mnist_exp import data
from mnist_exp.errors import UserError
from mnist_exp.predict.trained_models import Models
from mnist_exp.rerun.__main__ import rerun
from mnist_exp.sweeper.processes import this_process
from mnist_exp.tracking import delivery, moved_store
from mnist_exp.tracking.lifetime import track_run
from mnist_exp.tracking.links import ui_command
from mnist_exp.tracking.runs import Selection, Store
from mnist_exp.tracking.store import opened, uri_to_read
from mnist_exp.tracking.unsent import Unsent, pending
from tests.support.jobs import a_job
from tests.support.runs import TINY
from tests.support.waiting import LIMIT

ODD = "my runs (2) ü%20&'[x]#1?;=,~🧪"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    """A folder of an odd name with one finished run; tests that change it take a copy."""
    from mnist_exp import run

    folder = tmp_path_factory.mktemp("folders") / ODD
    folder.mkdir()
    shutil.copy(empty_store, folder / "mlflow.db")
    with contextlib.chdir(folder):
        run(["model=softmax", "preflight=off", "schedule.max_steps=2"])  # all images: registered
    return folder


def artifacts_of(folder: Path) -> dict[str, str]:
    """{run id: where MLflow says its artifacts are}; a model's, too."""
    with contextlib.closing(sqlite3.connect(folder / "mlflow.db")) as connection:
        rows = connection.execute(
            "SELECT run_uuid, artifact_uri FROM runs "
            "UNION SELECT model_id, artifact_location FROM logged_models "
            "UNION SELECT name, storage_location FROM model_versions "
            "UNION SELECT name, source FROM model_versions"
        ).fetchall()
    return dict(rows)


def is_usable(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a person does next works with the run that was first in the folder."""
    with contextlib.chdir(folder):
        uri = uri_to_read(None)
        client = mlflow.MlflowClient(uri)
        (run,) = [run for run in client.search_runs(["1"]) if "rerun_of" not in run.data.tags]
        model = Models(None).load(run.info.run_id)
        assert model.predict(data.load(eval_limit=1).test.images[0]).label in range(10)
        store = Store()
        runs = store.select(Selection(experiment="mnist_exp"))
        assert store.artifact(runs, run.info.run_id, "predictions/test.npz")
        assert rerun(run.info.run_id).identical
        assert "identical" in capsys.readouterr().out
    with sqlite3.connect(folder / "mlflow.db") as connection:
        (source,) = connection.execute("SELECT source FROM model_versions").fetchone()
    assert Path(
        mlflow.artifacts.download_artifacts(source, dst_path=str(folder.parent / "copy"))
    ).is_dir()
    shutil.rmtree(folder.parent / "copy")


def test_a_run_in_an_odd_folder_is_usable(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    is_usable(project, capsys)
    assert [path.name for path in project.parent.iterdir()] == [ODD]
    assert {path.name for path in project.iterdir()} == {
        ".mlflow.db.lock",
        "mlflow.db",
        "mlruns",
        "outputs",
    }
    with contextlib.chdir(project), opened(None) as client:
        assert ui_command(client.tracking_uri) == "python -m mnist_exp.ui"


@pytest.mark.slow
def test_a_copied_project_is_a_project_of_its_own(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "a%41copy"
    shutil.copytree(project, copy)
    before = sorted(project.rglob("*"))
    is_usable(copy, capsys)
    assert sorted(project.rglob("*")) == before
    assert all("a%2541copy" in place for place in artifacts_of(copy).values())
    assert all("a%2541copy" not in place for place in artifacts_of(project).values())


def test_a_renamed_project_goes_on(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    shutil.copytree(project, old)
    with contextlib.chdir(old):
        uri_to_read(None)
    old.rename(new)
    is_usable(new, capsys)
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    assert all(place.startswith(f"{new}/mlruns/1/") for place in artifacts_of(new).values())


def test_what_waits_in_a_renamed_project_is_sent(
    workdir: Path, small_mnist: data.Dataset, tmp_path: Path
) -> None:
    with track_run(a_job(dataset=small_mnist)) as tracker:
        pass
    queue = Unsent(tracker.run_id, f"sqlite:///{workdir}/mlflow.db")  # as older versions wrote it
    queue.append({"do": "tag", "key": "late", "value": "yes"})
    new = tmp_path / "new"
    workdir.rename(new)
    with contextlib.chdir(new):
        assert [delivery.sync(queue) for queue in pending()] == [1]
        run = mlflow.MlflowClient(uri_to_read(None)).get_run(tracker.run_id)
    assert run.data.tags["late"] == "yes"
    assert not workdir.exists()


@pytest.mark.slow
def test_a_store_elsewhere_has_its_artifacts_beside_it(
    workdir: Path, small_mnist: data.Dataset, tmp_path: Path
) -> None:
    uri = f"tracking.uri='sqlite:///{tmp_path}/a b/c/runs.db'"
    with track_run(a_job(uri, dataset=small_mnist)):
        assert ui_command(mlflow.get_tracking_uri()).endswith(
            f" 'tracking.uri=sqlite:///{tmp_path}/a b/c/runs.db'"
        )
    assert (tmp_path / "a b" / "c" / "mlruns" / "1").is_dir()
    assert not (workdir / "mlruns").exists()


def test_artifacts_that_are_only_in_the_old_place_stay_there(
    workdir: Path, small_mnist: data.Dataset, tmp_path: Path
) -> None:
    """As when the database alone was copied, or an experiment was made from another folder."""
    with track_run(a_job(dataset=small_mnist)):
        pass
    before = artifacts_of(workdir)
    shutil.copy("mlflow.db", tmp_path / "mlflow.db")
    moved_store.bring_along(tmp_path / "mlflow.db")
    assert artifacts_of(tmp_path) == before


@pytest.mark.parametrize(
    ("process", "age", "refused"),
    [
        pytest.param(this_process(), 1e6, True, id="alive"),
        (
            "elsewhere-1-2.3/7/ab+1",
            1.0,
            True,
        ),  # of a container that has the folder under another path
        ("elsewhere-1-2.3/7/ab+1", 1e4, False),
        pytest.param(this_process().replace("+", "+1"), 1.0, False, id="dead"),
    ],
)
def test_a_folder_is_not_changed_under_a_run_that_goes_on(
    workdir: Path,
    small_mnist: data.Dataset,
    tmp_path: Path,
    process: str,
    age: float,
    refused: bool,
) -> None:
    with track_run(a_job(dataset=small_mnist)):
        pass
    new = tmp_path / "new"
    workdir.rename(new)
    with contextlib.closing(sqlite3.connect(new / "mlflow.db")) as connection, connection:
        connection.execute("UPDATE tags SET value = ? WHERE key = 'process'", (process,))
        started = int((time.time() - age) * 1000)
        connection.execute("UPDATE runs SET status = 'RUNNING', start_time = ?", (started,))
        connection.execute("DELETE FROM latest_metrics")
    with contextlib.chdir(new):
        uri_to_read(None)  # whoever only reads is not refused
        if refused:
            with (
                pytest.raises(UserError, match=r"run \w{32} goes on.*\nThe folder was moved"),
                opened(None),
            ):
                pass
        else:
            with opened(None):
                pass
    assert not workdir.exists()


def test_a_link_to_the_project_is_the_project(
    workdir: Path, small_mnist: data.Dataset, tmp_path: Path
) -> None:
    with track_run(a_job(dataset=small_mnist)):
        pass
    before = artifacts_of(workdir)
    (tmp_path / "link").symlink_to(workdir)
    with opened(f"sqlite:///{tmp_path}/link/mlflow.db"):
        pass
    assert artifacts_of(workdir) == before


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [ODD, "a%20b", "50% {x} $HOME", "back\\slash 'and' \"more\"", "-rf", "a\nb"]
)
def test_every_command_works_in_a_folder_of_any_name(
    name: str, tmp_path: Path, empty_store: Path
) -> None:
    folder = tmp_path / name
    folder.mkdir()

    def command(module: str, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    command("mnist_exp", *TINY)
    (run_id,) = [path.name for path in (folder / "mlruns" / "1").iterdir() if path.name != "models"]
    command("mnist_exp.predict")
    assert "identical" in command("mnist_exp.rerun", run_id)
    command("mnist_exp", f"resume={run_id}", "schedule.epochs=2")
    sweep = [
        "hydra/sweeper=optuna_study",
        "hydra.sweeper.n_trials=2",
        "hydra.sweeper.study_name=st",
    ]
    command("mnist_exp", "-m", *TINY, *sweep, "seed=choice(1,2)", "hydra/launcher=basic")
    command("mnist_exp", *TINY, "best_of=st")
    command("mnist_exp.compare", "--study", "st", "--group-by", "seed")
    command("mnist_exp.sync")
    command("mnist_exp.reproduce", "--quick", "--only", "notebook_softmax", "--seeds", "1")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (folder / "optuna.db").exists()
    assert os.listdir(folder / "mlruns")
