"""Each tutorial's CNN with one setting of the other: what is trained, found and said."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.fake_runs import FakeRuns
from mnist_exp.compare import paired_words
from mnist_exp.compare.paired_effects import PairedEffect
from mnist_exp.config import bridge
from mnist_exp.config.tree import compose
from mnist_exp.errors import UserError
from mnist_exp.reproduce import __main__ as command
from mnist_exp.reproduce.presets import BLOG, NOTEBOOK
from mnist_exp.reproduce.swap_programs import DIFFERENCES, Program, programs
from mnist_exp.reproduce.swaps import Swaps
from mnist_exp.reproduce.words import NONE
from mnist_exp.tracking.code_digest import code_digest

NAMES = [difference.name for difference in DIFFERENCES]
SPREAD = [0.0004, -0.0003, 0.0001, 0.0002, -0.0004]
ADDED = {
    "blog's CNN": 0.0,
    "blog's CNN with the notebook's dense layer": 0.003,
    "blog's CNN with the notebook's learning rate": 0.0001,
    "notebook's CNN": 0.005,
    "notebook's CNN without the dense layer": 0.001,
    "notebook's CNN with the blog's learning rate": 0.0051,
}
SWAPPED = ["dense layer", "learning rate"]


def flat(settings: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in settings.items():
        name = f"{path}{key}"
        found |= flat(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return found


def program(base: str, name: str) -> dict[str, Any]:
    """The settings of one CNN with one difference swapped, as far as they decide the result."""
    (swapped,) = (p for p in programs([name]) if p.base == base and p.swap)
    return flat(swapped.preset.settings.config.program())


@pytest.mark.first_cases(3)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("base", [BLOG, NOTEBOOK])
def test_a_swap_changes_the_one_setting_alone(base: str, name: str) -> None:
    own = flat(compose([f"experiment={base}"]).config.program())
    swapped = program(base, name)
    changed = {key: swapped.get(key) for key in own | swapped if own.get(key) != swapped.get(key)}
    (difference,) = (d for d in DIFFERENCES if d.name == name)
    after = difference.notebook if base == BLOG else difference.blog
    if difference.key in ("init", "loss"):  # groups of settings
        assert changed
        assert {key.partition(".")[0] for key in changed} == {difference.key}
    elif base == BLOG and difference.key.startswith("schedule."):
        # The blog counts epochs, which are others with other batches; the steps stay, or are these.
        steps = {"schedule.epochs": None, "schedule.max_steps": bridge.FULL_LENGTH[0]}
        assert changed == steps | {difference.key: after}
    else:
        assert changed == {difference.key: None if after == "null" else after}


@pytest.mark.first_cases(2)
@pytest.mark.parametrize(
    "text", ["dense layer", "DENSE layer", "dense", " dense", "model.dense_units"]
)
def test_a_difference_is_named_by_its_beginning_or_its_setting(text: str) -> None:
    names = ["the notebook's dense layer", "the missing dense layer"]
    assert [one.swap.name for one in programs([text, "dense"]) if one.swap] == names


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(("base", "other"), [(BLOG, NOTEBOOK), (NOTEBOOK, BLOG)])
def test_all_differences_together_lead_from_one_tutorial_to_the_other(
    base: str, other: str
) -> None:
    swaps = [p for p in programs(NAMES) if p.base == base and p.swap]
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
    """Five finished runs of each program."""
    runs = FakeRuns(workdir)
    for one in programs(SWAPPED):
        add(runs, one, range(5))
    return runs


def add(runs: FakeRuns, one: Program, seeds: Iterable[int]) -> None:
    settings = one.preset.settings.config
    tags = {"config_hash": settings.hash(), "code_digest": code_digest()}
    # A setting that changes nothing about a seed would leave no spread to infer from.
    luck = np.random.default_rng(len(one.name)).normal(0, 1e-4, 5)
    luck -= luck.mean()
    for seed in seeds:
        accuracy = 0.98 + ADDED[one.name] + SPREAD[seed] + luck[seed]
        runs.add(seed, accuracy, tags=tags)


def test_the_page_says_what_the_runs_show(
    store: FakeRuns, workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    swaps = command.run(["--swap", *SWAPPED, "--output", "out (2)"])
    assert isinstance(swaps, Swaps)
    assert swaps.is_complete
    said = capsys.readouterr().out
    assert "finished runs: 30 of 30; to train: 0" in said
    folder = workdir / "out (2)"
    text = (folder / "swaps.md").read_text()
    assert (
        "Written by `python -m mnist_exp.reproduce --swap 'dense layer' 'learning rate'`." in text
    )
    gap = (
        "From the blog's CNN (0.9800) to the notebook's (0.9850), test/accuracy changes by +0.0050 "
    )
    assert gap in said
    assert f"**In short.** {gap}(95% interval +0.00" in text
    blog, notebook = re.findall(r"- (In the (?:blog|notebook)'s CNN: .*)", text)
    luck = re.findall(r"Corrected for 4 tests \(Holm\), .*", text)
    for part in (blog, notebook, *luck):
        assert part in said
    assert len(luck) == 1
    assert "An effect is shown of the notebook's dense layer (null → 1024) +0.0030" in blog
    assert "smaller than 0.002 is shown of the notebook's learning rate (0.001 → 0.0001)" in blog
    assert "the missing dense layer (1024 → null) \N{MINUS SIGN}0.0040" in notebook
    assert "What is left of the gap: +0.0020 (+0.00" in blog
    assert " with the notebook's dense layer, +0.0049 (" in blog
    assert "What is left of the gap: +0.0010 (+0.00" in notebook
    assert "CNN drops values of its last feature maps instead" in text
    assert "half or twice as many images" not in text
    assert "compared with that" not in text
    # In the blog's CNN the dense layer adds 0.0030, in the notebook's 0.0040.
    alike = re.findall(r"What the same change adds to the blog's CNN more .*", text)
    assert alike[0] in said
    assert "dense layer (null → 1024) \N{MINUS SIGN}0.0010 (" in alike[0]
    assert "Of the blog's learning rate no effect is shown, and tests at 5% rule out" in notebook
    row = "| notebook's CNN without the dense layer | `model.dense_units` | 1024 → null |"
    assert row in text
    assert text.count("**shown**") == 3
    assert "{{" not in text
    assert (folder / "swaps.png").stat().st_size > 10_000

    table = pd.read_csv(folder / "swaps.csv")
    assert list(table.groupby("program")["seed"].count()) == [5] * 7
    accuracies = table.pivot(index="seed", columns="program", values="test_accuracy")
    for name, base in (
        ("blog's CNN with the notebook's dense layer", "blog's CNN"),
        ("notebook's CNN with the blog's learning rate", "notebook's CNN"),
        ("gap", "blog's CNN"),
    ):
        lines = table[table["program"] == name].set_index("seed")
        changes = lines["test_accuracy"] - accuracies[base]
        np.testing.assert_allclose(lines["change"], changes, atol=1e-12)
        effect = PairedEffect(name="", before="", after="", values=tuple(changes))
        for column, number in (
            ("mean", lines["test_accuracy"].mean()),
            ("mean_change", changes.mean()),
            ("low", effect.interval.low),
            ("high", effect.interval.high),
            ("p", effect.p),
            ("noticed", effect.noticed),
        ):
            assert set(lines[column].round(9)) == {round(number, 9)}
        assert set(lines["is_shown"]) == {effect.is_shown}
    numbers = table.groupby("program", sort=False).first()
    swapped = numbers[numbers["setting"].notna()].sort_values("p")
    holm = np.minimum(1, np.maximum.accumulate(swapped["p"].to_numpy() * [4, 3, 2, 1]))
    np.testing.assert_allclose(swapped["p_holm"], holm)
    assert numbers["p_holm"].count() == 4
    for name, ends in (
        ("blog's CNN with the notebook's dense layer", ("notebook's CNN", None)),
        ("notebook's CNN without the dense layer", (None, "blog's CNN")),
    ):
        after, before = (accuracies[end or name] for end in ends)
        rest = PairedEffect(name="", before="", after="", values=tuple(after - before))
        wanted = [rest.mean, rest.interval.low, rest.interval.high]
        np.testing.assert_allclose(numbers.loc[name, ["left", "left_low", "left_high"]], wanted)
    runs = pd.read_csv(folder / "runs.csv")
    assert set(runs["page"]) == {"swaps.md"}
    assert set(runs["run_id"]) == set(table["run_id"].dropna())
    assert set(runs["code_digest"]) == {code_digest()}


@pytest.mark.slow
def test_how_good_the_compared_runs_are_among_others_is_said(store: FakeRuns) -> None:
    blog, *_ = programs(SWAPPED)
    tags = {"config_hash": blog.preset.settings.config.hash(), "code_digest": code_digest()}
    for seed in range(5, 10):
        store.add(seed, 0.99, tags=tags)
    command.run(["--swap", *SWAPPED, "--output", "."])
    assert (
        "Over 5 seeds, as here, the blog's CNN has 0.9800, and over 10 it has 0.9850: compared "
        "with that, its changes and the gap would be 0.0050 lower."
    ) in Path("swaps.md").read_text()


@pytest.mark.slow
def test_differences_may_be_named_one_by_one_and_a_folder_in_the_way_is_told_first(
    store: FakeRuns, workdir: Path
) -> None:
    arguments = ["--swap", "dense", "--swap", "learning rate", "--seeds", "2"]
    (workdir / "swaps.png").mkdir()
    with pytest.raises(UserError, match=r"--output \.: swaps\.png is a folder there"):
        command.run([*arguments, "--output", "."])
    assert not Path("swaps.md").exists()
    (workdir / "swaps.png").rmdir()
    assert isinstance(swaps := command.run([*arguments, "--output", "."]), Swaps)
    assert len(swaps.effects()) == 4


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mnist_exp.reproduce.runs.train", lambda *_: "failed: out of luck")
    monkeypatch.setattr("sys.argv", ["reproduce"])


@pytest.mark.slow
@pytest.mark.usefixtures("no_training")
def test_seeds_that_are_missing_are_named_and_those_of_both_compared(
    workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = FakeRuns(workdir)
    seeds = {
        "blog's CNN": [1, 2, 3],
        "blog's CNN with the notebook's dense layer": [3, 2, 1, 0],
        "notebook's CNN": [0, 1, 2, 3],
        "notebook's CNN without the dense layer": [2, 3],
        "notebook's CNN with the blog's learning rate": [],
        "blog's CNN with the notebook's learning rate": [0, 1, 2, 3],
    }
    for one in programs(SWAPPED):
        add(runs, one, seeds[one.name])
    arguments = ["--swap", *SWAPPED, "--seeds", "4", "--output", "."]
    assert command.run_to_exit_code(arguments) == 1
    text, said = Path("swaps.md").read_text(), capsys.readouterr().out
    assert "--swap 'dense layer' 'learning rate' --seeds 4`" in text
    for out in (text, said):
        assert "In the notebook's CNN: Too few seeds for the missing dense layer: a verdict" in out
        assert "over 3 seeds." in out
    assert "Not counted: blog's CNN, seed 0: failed: out of luck; notebook's CNN without" in text
    assert "not counted: notebook's CNN with the blog's learning rate, seed 3: failed: out" in said
    row = next(line for line in text.splitlines() if line.startswith("| notebook's CNN without"))
    assert " | too few seeds | " in row
    assert row.endswith(" | 2 |")
    (row,) = (line for line in text.splitlines() if "CNN with the blog's learning rate |" in line)
    assert row.endswith(f"| {NONE} | **{NONE}** | {NONE} | {NONE} | {NONE} | {NONE} | {NONE} | 0 |")
    table = pd.read_csv("swaps.csv").set_index(["program", "seed"])
    dense = table.loc["blog's CNN with the notebook's dense layer"]
    assert sorted(dense.index) == [1, 2, 3]
    own = table.loc["blog's CNN"]["test_accuracy"]
    np.testing.assert_allclose(dense["change"], dense["test_accuracy"] - own, atol=1e-12)


@pytest.mark.slow
@pytest.mark.usefixtures("no_training")
def test_without_a_cnn_as_it_is_nothing_is_written(workdir: Path) -> None:
    runs = FakeRuns(workdir)
    for one in programs(SWAPPED):
        add(runs, one, [] if one.name == "notebook's CNN" else [0, 1, 2])
    with pytest.raises(UserError, match="notebook's CNN: no run has finished \\(failed: out of"):
        command.run(["--swap", *SWAPPED, "--output", "new"])
    assert not Path("new").exists()


@pytest.mark.parametrize("values", [[0.0003] * 3, [0.001]])
def test_effects_without_a_test_are_not_said_to_survive_a_correction(values: list[float]) -> None:
    def effect(name: str, *values: float) -> PairedEffect:
        return PairedEffect(name=name, before="1", after="2", values=values)

    others = [effect("equal", *values), effect("zero", 0.0, 0.0, 0.0)]
    said = paired_words.luck([effect("weak", 0.001, 0.0016, 0.0022), *others])
    untested = " Of equal, which all seeds agree about, there is no test."
    assert said.endswith(
        "Corrected for 1 test (Holm), an effect is still shown of weak."
        f"{untested if len(values) == 3 else ''}"
    )
    assert paired_words.luck(others) == ""
    if len(values) == 3:
        answer = paired_words.answer(others, 0.002, "test/accuracy")
        assert "An effect is shown of equal (1 → 2) +0.0003 (all equal)." in answer
