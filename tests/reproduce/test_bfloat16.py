"""The presets in both precisions: what is trained, compared, written and said."""

import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.fake_runs import FakeRuns
from mnist_exp.compare.paired_effects import PairedEffect
from mnist_exp.errors import UserError
from mnist_exp.reproduce import __main__ as command
from mnist_exp.reproduce.bfloat16 import Precisions, program
from mnist_exp.reproduce.presets import BLOG, BUGGY, NOTEBOOK, PRESETS, SOFTMAX
from mnist_exp.tracking.code_digest import code_digest

SPREAD = [0.0004, -0.0003, 0.0001, 0.0002, -0.0004, 0.0003, -0.0001, 0.0002, 0.0, -0.0002]


def add(store: FakeRuns, preset: str, precision: str, accuracies: Sequence[float]) -> list[str]:
    """Add a finished run of each accuracy, as this code trains it; a NaN is a seed without one."""
    config = program(preset, precision, None).settings.config
    tags = {"config_hash": config.hash(), "code_digest": code_digest()}
    settings = {"experiment": preset, "precision": precision}
    return [
        store.add(seed, accuracy, tags=tags, settings=settings)
        for seed, accuracy in enumerate(accuracies)
        if not math.isnan(accuracy)
    ]


@pytest.fixture
def store(workdir: Path) -> FakeRuns:
    return FakeRuns(workdir)


@pytest.mark.slow
def test_both_precisions_are_compared_and_each_page_is_of_the_runs_of_the_table(
    store: FakeRuns, workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = set()
    for number, preset in enumerate(PRESETS):
        luck = np.random.default_rng(number).normal(0, 1e-4, 10)
        before = [0.098] * 10 if preset == BUGGY else list(0.98 + np.array(SPREAD))
        change = -0.004 + luck if preset == BLOG else luck * (preset != BUGGY)
        ids |= {*add(store, preset, "float32", before)}
        ids |= {*add(store, preset, "bfloat16", list(before + change))}
    store.add(0, 0.5, settings={"experiment": SOFTMAX, "precision": "bfloat16"})  # of other code
    precisions = command.run(["--bfloat16", "--output", "out (2)"])
    assert isinstance(precisions, Precisions)
    assert precisions.is_complete
    said, folder = capsys.readouterr().out, workdir / "out (2)"
    assert "finished runs: 80 of 80; to train: 0" in said
    text = (folder / "bfloat16.md").read_text()
    assert "Written by `python -m mnist_exp.reproduce --bfloat16`." in text
    short = next(line for line in text.splitlines() if line.startswith("**In short.** "))
    assert short.removeprefix("**In short.** ") in said
    assert f"An effect is shown of {BLOG} (float32 → bfloat16) \N{MINUS SIGN}0.00" in short
    (said_of,) = re.findall(r" Of (\w+) and (\w+) no effect is shown, and tests at 5% rule", short)
    assert {*said_of} == {SOFTMAX, NOTEBOOK}
    assert f"With {BUGGY} nothing changes, to the last digit." in short
    assert f"The 95% interval that goes farthest, of {BLOG}, ends at \N{MINUS SIGN}0.004" in short
    assert "Not counted" not in text
    assert "{{" not in text
    rows = [line for line in text.splitlines() if line.startswith("| [`")]
    assert [row.split("`")[1] for row in rows] == list(PRESETS)
    for row, preset in zip(rows, PRESETS, strict=True):
        assert f"(bfloat16/{preset}.html) | 10 | 0." in row
        page = (folder / f"bfloat16/{preset}.html").read_text()
        assert "precision=bfloat16" in page
        assert f"<h1>{preset} in float32 and bfloat16</h1>" in page
        for of_this_machine in ("mnist_exp.ui", "127.0.0.1", str(workdir)):
            assert of_this_machine not in page
        table = pd.read_csv(folder / f"bfloat16/{preset}.csv")
        assert list(table.groupby("setting.precision")["seed"].count()) == [10, 10]
        assert table["counted"].all()
        assert set(table["run_id"]) <= ids
        values = table.pivot(index="seed", columns="setting.precision", values="value")
        changes = tuple((values["bfloat16"] - values["float32"]).round(12))
        effect = PairedEffect(name="", before="", after="", values=changes)
        assert f" | {values['float32'].mean():.4f} | {values['bfloat16'].mean():.4f} | " in row
        assert ("| **shown** |" in row) == effect.is_shown == (preset == BLOG)
        assert ("less than 0.002" in row) == effect.is_within(0.002)
    runs = pd.read_csv(folder / "runs.csv")
    assert set(runs["page"]) == {"bfloat16.md"}
    assert set(runs["run_id"]) == ids
    assert set(runs["program"]) == {f"{p}, {t}" for p in PRESETS for t in ("float32", "bfloat16")}


@pytest.mark.slow
def test_other_pages_keep_their_lines_and_the_command_on_the_page_is_the_one_given(
    store: FakeRuns, workdir: Path
) -> None:
    for precision in ("float32", "bfloat16"):
        add(store, SOFTMAX, precision, [0.91, 0.92])
    other = "results.md,x,0,abc,digest,10,1.0,1.0,0,a machine\n"
    columns = "page,program,seed,run_id,code_digest,steps,training_seconds,processor_seconds"
    Path("runs.csv").write_text(f"{columns},resumed,machine\n{other}")
    arguments = ["--bfloat16", "--only", SOFTMAX, "--seeds", "2", "--output", "."]
    for _ in range(2):  # written again, nothing is there twice
        assert command.run_to_exit_code(arguments) == 0
        assert other in Path("runs.csv").read_text()
        assert len(pd.read_csv("runs.csv")) == 5
    text = Path("bfloat16.md").read_text()
    assert f"reproduce --bfloat16 --only {SOFTMAX} --seeds 2`." in text
    assert sorted(path.name for path in Path("bfloat16").iterdir()) == [
        f"{SOFTMAX}.csv",
        f"{SOFTMAX}.html",
    ]


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mnist_exp.reproduce.runs.train", lambda *_: "failed: out of luck")
    monkeypatch.setattr("sys.argv", ["reproduce"])


@pytest.mark.slow
@pytest.mark.usefixtures("no_training")
def test_seeds_that_are_missing_are_named_and_those_of_both_compared(
    store: FakeRuns, workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nan = math.nan
    add(store, SOFTMAX, "float32", [0.91, 0.92, 0.93, nan])
    add(store, SOFTMAX, "bfloat16", [nan, 0.921, 0.933, 0.94])
    add(store, BLOG, "float32", [0.98] * 4)
    arguments = ["--bfloat16", "--only", SOFTMAX, BLOG, "--seeds", "4", "--output", "."]
    assert command.run_to_exit_code(arguments) == 1
    text, said = Path("bfloat16.md").read_text(), capsys.readouterr().out
    for seed in (0, 3):
        precision = "bfloat16" if seed == 0 else "float32"
        assert f"{SOFTMAX}, {precision}, seed {seed}: failed: out of luck" in said
    assert "failed: out of luck. If bfloat16 makes training fail" in text
    assert f"(bfloat16/{SOFTMAX}.html) | 2 | " in text
    assert f"| `{BLOG}` | 0 | " in text
    assert not Path(f"bfloat16/{BLOG}.html").exists()


@pytest.mark.usefixtures("no_training")
def test_without_a_run_of_both_nothing_is_written(store: FakeRuns) -> None:
    add(store, SOFTMAX, "float32", [0.91, 0.92])
    with pytest.raises(UserError, match=r"no seed has a run of both precisions \(notebook_softmax"):
        command.run(["--bfloat16", "--only", SOFTMAX, "--seeds", "2", "--output", "new"])
    assert not Path("new").exists()


def test_a_folder_in_the_way_is_told_before_anything_is_written(store: FakeRuns) -> None:
    for precision in ("float32", "bfloat16"):
        add(store, SOFTMAX, precision, [0.91, 0.92])
    Path("bfloat16").write_text("my notes")
    with pytest.raises(UserError, match=r"--output \.: cannot write there \(File exists\)"):
        command.run(["--bfloat16", "--only", SOFTMAX, "--seeds", "2", "--output", "."])
    assert Path("bfloat16").read_text() == "my notes"
    assert not Path("bfloat16.md").exists()


@pytest.mark.usefixtures("bare_runs")
def test_what_is_missing_is_trained_in_its_precision(workdir: Path) -> None:
    arguments = ["--bfloat16", "--only", SOFTMAX, "--seeds", "1", "--output", "new"]
    assert command.run_to_exit_code(arguments) == 0
    table = pd.read_csv("new/bfloat16/notebook_softmax.csv")
    assert sorted(table["setting.precision"]) == ["bfloat16", "float32"]
    assert (table["value"] > 0.9).all()
    assert "too few seeds" in Path("new/bfloat16.md").read_text()
