"""The command on real runs: used again, gone on with, and what it writes."""

import sys
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest

from mnist_exp.command import main
from mnist_exp.errors import UserError
from mnist_exp.experiment.console import Reporter
from mnist_exp.reproduce import __main__ as command
from mnist_exp.reproduce.claims import Verdict
from mnist_exp.reproduce.results import Reproduction
from mnist_exp.tracking.code_digest import code_digest

BUGGY = "notebook_softmax_buggy"


def runs() -> list[Any]:
    client = mlflow.MlflowClient(f"sqlite:///{Path('mlflow.db').absolute()}")
    experiment = client.get_experiment_by_name("mnist_exp")
    return [] if experiment is None else client.search_runs([experiment.experiment_id])


def check_files(folder: Path, run_ids: set[str]) -> None:
    """Assert that a page, a table and figures tell of three runs of the buggy preset."""
    text = (folder / "results.md").read_text()
    assert "| `notebook_softmax_buggy` | 0.098 | **0.0980** " in text
    assert "**the same number** in 3 of 3 runs" in text
    assert "980 of the 10,000 test images show a 0, so the accuracy is 0.098" in text
    assert "nan" not in text
    for name in ("claims", "bug", "two_losses"):
        assert f"({name}.png)" in text
        assert (folder / f"{name}.png").stat().st_size > 1000
    lines = pd.read_csv(folder / "results.csv")
    accuracies = lines[lines["quantity"] == "test/accuracy"]
    assert list(accuracies["value"]) == [0.098] * 3
    assert set(accuracies["run_id"]) == run_ids
    runs = pd.read_csv(folder / "runs.csv", dtype={"resumed": str})
    assert set(runs["run_id"]) == run_ids
    assert sorted(runs["resumed"]) == ["0", "0", "1"]
    assert set(runs["code_digest"]) == {code_digest()}
    assert set(runs["steps"]) == {1000}
    assert (runs["processor_seconds"] > 0).all()
    assert "3 runs took " in text
    assert "1 of them was stopped and continued from a checkpoint, 1 time in all" in text


@pytest.mark.slow
@pytest.mark.usefixtures("bare_runs")
def test_an_interrupted_reproduction_goes_on_and_the_bug_is_exact(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(self: object, progress: Any, seconds_left: float) -> None:
        if len(runs()) == 2 and progress.step > 1:
            raise KeyboardInterrupt

    original = Reporter.progress
    monkeypatch.setattr(Reporter, "progress", interrupt)
    arguments = ["--only", BUGGY, "--seeds", "3", "--quick", "--output", "new/folder"]
    monkeypatch.setattr(sys, "argv", ["reproduce", *arguments])
    with pytest.raises(SystemExit) as ended:
        main(command.run_to_exit_code)
    assert ended.value.code == 130
    assert "the same command goes on" in capsys.readouterr().out
    assert sorted(run.info.status for run in runs()) == ["FINISHED", "KILLED"]
    before = {run.info.run_id for run in runs()}

    monkeypatch.setattr(Reporter, "progress", original)
    reproduction = command.run(arguments)
    assert isinstance(reproduction, Reproduction)
    out = capsys.readouterr().out
    assert "finished runs: 1 of 3; to train: 2" in out
    assert "Resuming run" in out
    assert [run.info.status for run in runs()] == ["FINISHED"] * 3
    assert sorted(run.data.tags["resumed"] for run in runs()) == ["0", "0", "1"]
    (result,) = reproduction.results
    assert before < set(result.runs.run_ids.values())
    assert result.assessment.verdict is Verdict.SAME_NUMBER
    assert reproduction.bug is not None
    # On some processors a gradient of zero is a rounding error, the same for all classes.
    assert reproduction.bug.literal.largest_weight < 1e-4
    assert reproduction.bug.literal.tied == tuple(range(10))
    assert reproduction.bug.loss_at_start == pytest.approx(np.log(10), abs=1e-5)
    assert reproduction.bug.entropy.argmax() == 60  # where no logit has moved
    assert reproduction.bug.literal.course[:, 1] == pytest.approx(np.log(10), abs=1e-5)
    assert reproduction.bug.meant is not None
    steps, costs, _ = reproduction.bug.meant.course.T
    assert steps[-1] == 1000
    assert costs[0] > 1
    assert costs[-1] < 0.5
    for ending in (reproduction.bug.literal, reproduction.bug.stable):
        assert ending.predicted == (0,)
        assert ending.right == reproduction.bug.zeros == 980

    check_files(Path("new/folder"), set(result.runs.run_ids.values()))
    command.run(arguments)
    assert "finished runs: 3 of 3; to train: 0" in capsys.readouterr().out
    assert len(runs()) == 3

    # The page of a folder is written again without a run, a file of the store, or another number.
    files = {path: path.read_bytes() for path in Path("new/folder").iterdir()}
    Path("mlflow.db").rename("gone.db")
    Path("new/folder/results.md").write_text(
        files[Path("new/folder/results.md")].decode().replace("the same number", "old words")
    )
    command.run(["--rewrite", "--quick", "--output", "new/folder"])
    assert not Path("mlflow.db").exists()
    for path, before_it in files.items():
        assert path.suffix == ".png" or path.read_bytes() == before_it
    check_files(Path("new/folder"), set(result.runs.run_ids.values()))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "blog_cnn5x5"], "--only blog_cnn5x5: no such preset; did you mean"),
        (["--only", "note"], "--only note: 3 presets begin so\nPresets: notebook_softmax_buggy,"),
        (["--seeds", "0"], "--seeds 0: expected a whole number >= 1"),
        (["what"], "unrecognized arguments: what"),
        (["--output", "file"], "--output file: cannot be made"),
        (["--rewrite", "--seeds", "3"], "--rewrite: it takes all runs of results.csv, without"),
        (["--bug", "--only", "blog"], "--bug: it trains cases of its own, without --only and"),
        (["--bfloat16", "--quick"], "--bfloat16: it trains presets in full, without --quick, "),
        (["--bfloat16", "--bug"], "--bfloat16: it trains presets in full, without --quick, "),
        (["--swap", "--quick"], "--swap: it trains both CNNs in full, without --only,"),
        (["--swap", "dens layer"], "--swap dens layer: no such difference; did you mean dense"),
        (["--swap", ""], "--swap : no such difference\nDifferences: kernel size, dense layer,"),
        (["--rewrite"], "--rewrite: there is no docs/results/results.csv; without --rewrite"),
    ],
)
def test_mistakes(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    Path("file").touch()
    monkeypatch.setattr(sys, "argv", ["reproduce", *arguments])
    with pytest.raises(SystemExit) as ended:
        main(command.run_to_exit_code)
    assert str(ended.value.code).startswith(f"mnist_exp: {message}")
    assert not Path("docs").exists()


def test_a_preset_is_found_by_the_beginning_of_its_name() -> None:
    assert command._names(["blog", "notebook_softmax"]) == ["notebook_softmax", "blog_cnn3x3"]
    assert len(command._names([])) == 4


def test_a_runs_csv_of_another_kind_is_refused_before_training(workdir: Path) -> None:
    (workdir / "runs.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match=r"runs.csv: has no column page; mend it: without the"):
        command.run(["--quick", "--output", "."])
    assert runs() == []


def test_a_refused_command_leaves_no_folder(workdir: Path) -> None:
    before = sorted(workdir.iterdir())
    with pytest.raises(UserError, match="is no address"):
        command.run(["--quick", "tracking.uri=http://[::1"])
    (workdir / "mine").mkdir()
    with pytest.raises(UserError, match="is no address"):
        command.run(["--output", "mine/new/folder", "tracking.uri=http://[::1"])
    assert list((workdir / "mine").iterdir()) == []
    assert sorted(workdir.iterdir()) == sorted([*before, workdir / "mine"])
