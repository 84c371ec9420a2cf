"""Code that a record names runs if it is here, unchanged, or if the person allows it."""

import shutil
from pathlib import Path

import mlflow
import pytest

from mnist_exp import run
from mnist_exp.errors import ConfigError, UserError
from mnist_exp.rerun.__main__ import rerun
from mnist_exp.tracking.record import read_run
from mnist_exp.training import checkpoint
from tests.rerun.test_command import main_exit

pytestmark = pytest.mark.usefixtures("bare_runs")

MODEL = """
import keras
from layers import head

def net(input_shape, num_classes):
    return keras.Sequential([keras.Input(input_shape), keras.layers.Flatten(), head(num_classes)])
"""
LAYERS = """
import keras

def head(units):  # the readout
    return keras.layers.Dense(units, kernel_initializer="zeros")
"""
OWN = [
    "model=own",
    "model.build=nets:net",
    "preflight=off",
    "data.train_limit=300",
    "data.eval_limit=100",
    "schedule.epochs=1",
]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> dict[str, Path | str]:
    """A folder for all tests, and the id of the run in it once one is made."""
    folder = tmp_path_factory.mktemp("kept")
    shutil.copy(empty_store, folder / "mlflow.db")
    return {"folder": folder}


@pytest.fixture
def files(kept: dict[str, Path | str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder with a model in two files of one's own, as the run had them."""
    folder = Path(kept["folder"])
    monkeypatch.chdir(folder)
    (folder / "nets.py").write_text(MODEL)
    (folder / "layers.py").write_text(LAYERS)
    return folder


@pytest.fixture
def run_id(kept: dict[str, Path | str], files: Path) -> str:
    """A run that was allowed to run any code."""
    if "run" not in kept:
        kept["run"] = run([*OWN, "trust_code=true"]).run_id
    return str(kept["run"])


def change(folder: Path, before: str, after: str) -> None:
    path = folder / "layers.py"
    assert path.read_text().count(before) == 1
    path.write_text(path.read_text().replace(before, after))


def refusal(*arguments: str) -> str:
    with pytest.raises(UserError) as caught:
        run(arguments)
    return str(caught.value)


def test_the_record_has_the_source_and_its_digest(files: Path, run_id: str) -> None:
    record = read_run(None, run_id)
    own = {path: text for path, text in record.files.items() if path.startswith("own_code/")}
    assert own == {"own_code/layers.py": LAYERS.encode(), "own_code/nets.py": MODEL.encode()}
    change(files, "zeros", "ones")
    tags = read_run(None, run(OWN).run_id).tags
    assert tags["own_code.digest"] != record.tags["own_code.digest"]
    assert tags["code_digest"] != record.tags["code_digest"]


@pytest.mark.slow
def test_rerun_of_the_same_and_of_changed_code(
    files: Path, run_id: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    change(files, "# the readout", "# another comment")
    assert main_exit(monkeypatch, run_id) == 0
    shown = capsys.readouterr().out
    assert "your own, digest " in shown
    change(files, "zeros", "ones")
    before = len(runs_in(files))
    said = main_exit(monkeypatch, run_id).splitlines()
    assert said[0] == (
        f"mnist_exp: run {run_id}: model.build=nets:net: the source has changed since: layers.py: "
        "lines 4 to 5 are changed"
    )
    assert said[1] == (
        "trust_code=true trains with the code here; the run's own is in the artifacts own_code/ of "
        f"run {run_id}"
    )
    assert len(said) == 2
    assert len(runs_in(files)) == before
    assert main_exit(monkeypatch, run_id, "trust_code=true") == 1
    shown = capsys.readouterr().out
    assert "code differs:" in shown
    assert "your own layers.py: lines 4 to 5 are changed (own_code/ of both runs)" in shown
    assert "not identical" in shown


@pytest.mark.slow
def test_source_that_is_not_here_runs_from_the_record_if_that_is_trusted(
    files: Path, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("nets.py", "layers.py"):
        (files / name).unlink()
    said = main_exit(monkeypatch, run_id).splitlines()
    assert said[0].endswith("its record names code that is not here: model.build=nets:net")
    assert said[1].startswith("trust_code=true runs the source in the record (in the artifacts ")
    assert main_exit(monkeypatch, run_id, "trust_code=true") == 0
    newest = runs_in(files)[0].info.run_id
    assert read_run(None, newest).files["own_code/nets.py"] == MODEL.encode()


def test_a_record_that_was_tampered_with_does_not_run(
    files: Path, run_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = mlflow.MlflowClient(f"sqlite:///{files}/mlflow.db")
    client.log_text(run_id, "raise AssertionError", "own_code/nets.py")
    (files / "nets.py").unlink()
    said = main_exit(monkeypatch, run_id, "trust_code=true")
    client.log_text(run_id, MODEL, "own_code/nets.py")
    assert said.endswith("\nNor is its source in the record")
    assert len(said.splitlines()) == 2


def runs_in(folder: Path) -> list[mlflow.entities.Run]:
    client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
    return list(client.search_runs(["1"]))


def test_a_run_goes_on_with_its_own_code_alone(files: Path) -> None:
    run_id = run(OWN).run_id
    longer = [f"resume={run_id}", "schedule.epochs=2"]
    change(files, "# the readout", "")
    change(files, 'kernel_initializer="zeros"', "use_bias=False")
    for more in ([], ["trust_code=true"], ["model=own", "model.build=nets:net"]):
        said = refusal(*longer, *more).splitlines()
        assert said[0].startswith(f"resume={run_id}: the source has changed since: layers.py: line")
        assert said[0].endswith("a run goes on with its own code")
        assert said[1] == (
            "The earlier source is in the artifacts own_code/ of that run: bring it back, or begin "
            "a new run without resume"
        )
    (files / "layers.py").unlink()
    (files / "nets.py").unlink()
    assert "names code that is not here: model.build=nets:net\ntrust_code=true runs" in refusal(
        *longer
    )
    done = run([*longer, "trust_code=true"])
    assert done.run_id == run_id
    assert len(done.epochs) == 2


def test_auto_refuses_changed_code_too(files: Path, run_id: str) -> None:
    folder = checkpoint.run_folder(run_id)
    checkpoint.mark_ended(folder, ended=False)
    change(files, "zeros", "ones")
    assert refusal(*OWN, "resume=auto").startswith(f"resume={run_id}: the source has changed since")
    checkpoint.mark_ended(folder)


def test_what_a_record_says_of_trust_does_not_count(files: Path, run_id: str) -> None:
    change(files, "zeros", "ones")
    with pytest.raises(ConfigError, match="trust_code=true trains with the code here"):
        rerun(run_id)
    (files / "nets.py").unlink()
    assert "trust_code=true runs" in refusal(f"resume={run_id}", "schedule.epochs=2")
