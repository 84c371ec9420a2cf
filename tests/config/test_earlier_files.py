"""A refused command leaves the folder as it was, to the byte; an accepted one leaves its files."""

import subprocess
import sys
from pathlib import Path

import pytest

MISTAKE = "seed=-1"
HERE = {
    "exp1/.hydra/config.yaml": "the first run's",
    "exp1/.hydra/overrides.yaml": "- model=mlp",
    "exp1/.hydra/mine.txt": "a user's",
    "exp1/mnist_exp.log": "the first run's log\n",
    "exp1/notes.md": "a user's",
    "config.yaml": "of another program",
    "multi/0/.hydra/config.yaml": "of an earlier multirun",
    "multi/0/mnist_exp.log": "of an earlier multirun\n",
}


def tree(folder: Path) -> dict[str, bytes | None]:
    return {
        str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None
        for p in folder.rglob("*")
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in HERE.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("exp1")
    return tmp_path


@pytest.mark.first_cases(2)
@pytest.mark.parametrize(
    "arguments",
    [
        ["hydra.run.dir=exp1"],
        ["hydra.run.dir=empty/new/deep"],
        ["hydra.run.dir=.", "hydra.output_subdir=."],
        ["hydra.run.dir=exp1", "hydra.output_subdir=null"],
        *(
            pytest.param([f"hydra.run.dir={folder}"], marks=pytest.mark.slow)
            for folder in ("./x/../exp1", "link", "empty", ".")
        ),
        ["hydra.run.dir=exp1", "hydra.job.chdir=true"],
        ["hydra.run.dir=${hydra:job.name}/new"],
    ],
)
def test_a_refused_run_leaves_all_as_it_was(folder: Path, arguments: list[str]) -> None:
    (folder / "x").mkdir()
    before = tree(folder)
    command = [sys.executable, "-m", "mnist_exp", MISTAKE, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "seed=-1: expected a whole number from 0" in done.stderr
    assert tree(folder) == before


@pytest.mark.slow
def test_a_run_that_its_store_refuses_leaves_all_as_it_was(folder: Path) -> None:
    (folder / "notes.db").write_text("of another program, and no database")
    before = tree(folder)
    command = [sys.executable, "-m", "mnist_exp", "model=softmax", "preflight=off"]
    command += ["tracking.uri=sqlite:///notes.db", "hydra.run.dir=exp1"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "notes.db" in done.stderr
    after = tree(folder)
    after.pop(".notes.db.lock")  # removed, it would let two processes into a database
    assert after == before


def test_a_folder_without_room_for_checkpoints_is_told_before_there_is_a_run(
    tmp_path: Path,
) -> None:
    (tmp_path / "outputs").write_text("a file")
    command = [sys.executable, "-m", "mnist_exp", "model=softmax", "hydra.run.dir=mine"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"mnist_exp: {tmp_path}/outputs: cannot be written to; checkpoints are kept in "
        "outputs/checkpoints of the current folder"
    )
    assert set(tree(tmp_path)) == {"outputs"}


@pytest.mark.parametrize("launcher", ["basic", pytest.param("joblib", marks=pytest.mark.slow)])
def test_a_refused_job_of_a_multirun_leaves_the_files_of_an_earlier_one(
    folder: Path, launcher: str
) -> None:
    before = tree(folder)
    command = [sys.executable, "-m", "mnist_exp", "-m", "seed=-1,-2", "hydra.sweep.dir=multi"]
    command += [f"hydra/launcher={launcher}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "expected a whole number from 0" in done.stderr
    after = tree(folder)
    assert {name: after.get(name) for name in before} == before
    assert set(after) - set(before) <= {"multi/multirun.yaml"}
