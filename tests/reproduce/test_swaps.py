"""Each tutorial's CNN with one setting of the other: what is trained, found and said."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.fake_runs import FakeRuns
from mnist_exp.compare.statistics import students_interval
from mnist_exp.config import bridge
from mnist_exp.config.tree import compose
from mnist_exp.errors import UserError
from mnist_exp.reproduce import __main__ as command
from mnist_exp.reproduce.presets import BLOG, NOTEBOOK
from mnist_exp.reproduce.swap_programs import DIFFERENCES, LARGEST, Program, programs
from mnist_exp.reproduce.swaps import Swaps
from mnist_exp.tracking.code_digest import code_digest

NAMES = [difference.name for difference in DIFFERENCES]
SPREAD = [0.0004, -0.0003, 0.0001, 0.0002, -0.0004]
ADDED = {
    "blog's CNN": 0.0,
    "blog's CNN with the notebook's dense layer": 0.003,
    "blog's CNN with the notebook's learning rate": 0.0001,
    "notebook's CNN": 0.005,
    "notebook's CNN with the blog's dense layer": 0.001,
    "notebook's CNN with the blog's learning rate": 0.0051,
}


def flat(settings: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in settings.items():
        name = f"{path}{key}"
        found |= flat(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return found


def program(base: str, name: str) -> dict[str, Any]:
    """The settings of one CNN with one difference swapped, as far as they decide the result."""
    (swapped,) = (p for p in programs([name]) if p.base == base and p.difference)
    return flat(swapped.preset.settings.config.program())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("base", [BLOG, NOTEBOOK])
def test_a_swap_changes_the_one_setting_alone(base: str, name: str) -> None:
    own = flat(compose([f"experiment={base}"]).config.program())
    swapped = program(base, name)
    changed = {key for key in own.keys() | swapped.keys() if own.get(key) != swapped.get(key)}
    (difference,) = (d for d in DIFFERENCES if d.name == name)
    expected = {key for key in changed if key.partition(".")[0] == difference.key.partition(".")[0]}
    # The blog counts epochs, which say something else with other batches.
    steps = {"schedule.epochs", "schedule.max_steps"} if base == BLOG else set()
    allowed = {difference.key} | (steps if difference.key.startswith("schedule") else set())
    if difference.key in ("init", "loss"):
        assert changed
        assert changed == expected
    else:
        assert difference.key in changed
        assert changed <= allowed


@pytest.mark.parametrize(("base", "other"), [(BLOG, NOTEBOOK), (NOTEBOOK, BLOG)])
def test_all_differences_together_lead_from_one_tutorial_to_the_other(
    base: str, other: str
) -> None:
    swaps = [p for p in programs(NAMES) if p.base == base and p.difference]
    changes = [override for swap in swaps for override in swap.preset.overrides[1:]]
    reached = flat(compose([f"experiment={base}", *changes]).config.program())
    wanted = flat(compose([f"experiment={other}"]).config.program())
    if other == BLOG:  # which counts epochs
        images = reached["schedule.max_steps"] * reached["schedule.batch_size"]
        assert wanted["schedule.epochs"] * bridge.TRAINING_IMAGES == images
    differing = {key for key in reached | wanted if reached.get(key) != wanted.get(key)}
    # What the notebook prints while it trains changes nothing.
    counted = {"schedule.epochs", "schedule.max_steps"} if other == BLOG else set()
    assert differing == counted | {"schedule.train_accuracy_every"}


@pytest.fixture
def store(workdir: Path) -> FakeRuns:
    """Five finished runs of each program that is trained by default."""
    runs = FakeRuns(workdir)
    for one in programs(LARGEST):
        add(runs, one, range(5))
    return runs


def add(runs: FakeRuns, one: Program, seeds: range) -> None:
    settings = one.preset.settings.config
    tags = {"config_hash": settings.hash(), "code_digest": code_digest()}
    # A setting that changes nothing about a seed would leave no spread to infer from.
    luck = np.random.default_rng(len(one.preset.name)).normal(0, 1e-4, 5)
    luck -= luck.mean()
    for seed in seeds:
        accuracy = 0.98 + ADDED[one.preset.name] + SPREAD[seed] + luck[seed]
        runs.add(seed, accuracy, tags=tags)


def test_the_page_says_what_the_runs_show(
    store: FakeRuns, workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    swaps = command.run(["--swap", "--output", "out (2)"])
    assert isinstance(swaps, Swaps)
    assert swaps.is_complete
    said = capsys.readouterr().out
    assert "finished runs: 30 of 30; to train: 0" in said
    folder = workdir / "out (2)"
    text = (folder / "swaps.md").read_text()
    assert "Written by `python -m mnist_exp.reproduce --swap`." in text
    assert "From the blog's CNN (0.98" in said
    blog, notebook = re.findall(r"- \*\*In the (?:blog|notebook)'s CNN\.\*\* (.*)", text)
    assert blog in said
    assert "An effect is shown of the notebook's dense layer (null → 1024) +0.0030" in blog
    assert "smaller than 0.002 is shown of the notebook's learning rate (0.001 → 0.0001)" in blog
    assert (
        "An effect is shown of the blog's dense layer (1024 → null) \N{MINUS SIGN}0.0040"
        in notebook
    )
    assert "Of the blog's learning rate no effect is shown, and tests at 5% rule out" in notebook
    assert (
        "| notebook's CNN with the blog's dense layer | `model.dense_units` | 1024 → null |" in text
    )
    assert "{{" not in text
    assert (folder / "swaps.png").stat().st_size > 10_000

    table = pd.read_csv(folder / "swaps.csv")
    assert list(table.groupby("program")["seed"].count()) == [5] * 7
    own = table[table["program"] == "blog's CNN"].set_index("seed")["test_accuracy"]
    lines = table[table["program"] == "blog's CNN with the notebook's dense layer"]
    changes = lines.set_index("seed")["test_accuracy"] - own
    np.testing.assert_allclose(lines["change"], changes, atol=1e-12)
    assert lines["mean_change"].iloc[0] == pytest.approx(changes.mean())
    interval = students_interval(np.array(changes))
    assert lines["low"].iloc[0] <= interval.low
    assert lines["high"].iloc[0] >= interval.high
    runs = pd.read_csv(folder / "runs.csv")
    assert set(runs["page"]) == {"swaps.md"}
    assert set(runs["run_id"]) == set(table["run_id"].dropna())
    assert set(runs["code_digest"]) == {code_digest()}


def test_runs_that_are_missing_are_named_and_the_others_compared(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = FakeRuns(workdir)
    for one in programs(["dense layer"]):
        add(runs, one, range(2 if one.base == NOTEBOOK and one.difference else 4))
    monkeypatch.setattr("mnist_exp.reproduce.runs.train", lambda *_: "failed: out of luck")
    monkeypatch.setattr("sys.argv", ["reproduce"])
    arguments = ["--swap", "dense layer", "--seeds", "4"]
    assert command.run_to_exit_code([*arguments, "--output", "."]) == 1
    text = Path("swaps.md").read_text()
    assert "reproduce --swap 'dense layer' --seeds 4`" in text
    assert "Too few seeds for the blog's dense layer: a verdict needs 3." in text
    assert (
        "Runs that are missing: notebook's CNN with the blog's dense layer, seed 2 (failed: out of"
        in text
    )


def test_without_a_run_in_common_nothing_is_written(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeRuns(workdir)
    monkeypatch.setattr("mnist_exp.reproduce.runs.train", lambda *_: "failed: out of luck")
    with pytest.raises(UserError, match="no seed has finished runs of both"):
        command.run(["--swap", "dense layer", "--output", "new"])
    assert not Path("new").exists()
