"""Cells of a real kernel: what they show, and what is left of a run that is interrupted."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest

from tests.support.kernel import Cell, Kernel, kernel

pytestmark = pytest.mark.slow  # the kernel loads TensorFlow

SETUP = """
from mnist_exp import run, runs, sweep
small = {"data.train_limit": 200, "data.eval_limit": 100, "schedule.epochs": 2, "preflight": "off"}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    folder = tmp_path_factory.mktemp("notebook") / "my runs (2)"
    folder.mkdir()
    shutil.copy(empty_store, folder / "mlflow.db")
    return folder


@pytest.fixture(scope="module")
def notebook(folder: Path) -> Iterator[Kernel]:
    with kernel(folder) as notebook:
        notebook.run(SETUP)
        yield notebook


def test_a_run_is_one_display_that_is_updated(notebook: Kernel) -> None:
    cell = notebook.run("run(small, model='softmax', **{'tags.my_tag': 'a_b'}, seed=1)")
    assert cell.error.startswith("ConfigError: tags.my_tag: no such tag yet; +tags.my_tag=VALUE")
    cell = notebook.run("result = run({**small, 'preflight': 'warn'}, model='softmax'); result")
    progress, shown = cell.displays.values()
    assert cell.updates > 5
    assert "data.train_limit=200" in progress["text/html"]  # in blocks underscores were cut off
    assert "<progress" not in progress["text/html"]  # the bar is gone
    assert "Epoch: 0002" in progress["text/plain"]
    assert "looks at" not in progress["text/plain"]
    assert shown["text/plain"].startswith("RunResult(softmax-adam")
    assert cell.streams == {}, "no warnings of libraries, and no line of preflight"
    (picture,) = notebook.run("result.figures()['confusion_matrix']").displays.values()
    assert "image/png" in picture


def test_a_mistake_has_two_lines(notebook: Kernel) -> None:
    cell = notebook.run("run(['optimzer=sgd'])")
    first, second = cell.error.splitlines()
    assert first == "ConfigError: optimzer: no such setting; did you mean optimizer=sgd?"
    assert second.startswith("Options of optimizer: ")


def test_a_quiet_run_within_the_loop_of_the_kernel_shows_its_result_alone(notebook: Kernel) -> None:
    notebook.run("async def trained(): return run(small, model='softmax', quiet=True)")
    cell = notebook.run("await trained()")
    assert len(cell.displays) == 1
    assert cell.streams == {}
    assert not cell.error


def test_a_sweep_is_one_display_and_a_table(notebook: Kernel) -> None:
    cell = notebook.run("sweep({**small, 'model': ['softmax', 'mlp']}, seeds=2)")
    lines, table = cell.displays.values()
    ended = lines["text/plain"].splitlines()
    assert len(ended) == 4
    assert ended[0].startswith("run 1/4  model=softmax seed=0  test accuracy 0.")
    assert "<table" in table["text/html"]


def test_an_interrupted_cell_leaves_a_killed_run_that_goes_on(
    notebook: Kernel, folder: Path
) -> None:
    sent: list[bool] = []

    def interrupt(cell: Cell) -> None:
        if not sent and any("Epoch: 0002" in text for text in cell.texts):
            sent.append(True)
            notebook.interrupt()

    endless = "run({**small, 'schedule.epochs': 100000}, model='softmax', seed=9)"
    cell = notebook.run(endless, interrupt)
    assert "KeyboardInterrupt" in cell.error
    *_, saved, way_on = cell.texts[0].splitlines()
    assert saved.startswith("Interrupted; a checkpoint of run ")
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    (stopped,) = client.search_runs(["1"], "attributes.status = 'KILLED'")
    assert way_on == f"To go on: run(['resume={stopped.info.run_id}'])"
    call = way_on.removeprefix("To go on: ")[:-2]
    steps = int(saved.rpartition("step ")[2].rstrip(".").replace(",", ""))
    resumed = notebook.run(f"{call}, 'schedule.epochs={steps}'])", lambda cell: None)
    assert not resumed.error
    assert f"Resuming run {stopped.info.run_id}" in resumed.texts[0]
    assert client.get_run(stopped.info.run_id).info.status == "FINISHED"
