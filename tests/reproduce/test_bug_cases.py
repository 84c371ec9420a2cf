"""bug.md: what the wrong loss does from other starts, and that its numbers are in bug.csv."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mnist_exp import data
from mnist_exp.config.tree import compose
from mnist_exp.reproduce import bug_command
from mnist_exp.reproduce.bug_cases import CNN, GLOROT, NORMAL, PRESET_RATE, ROUNDED, ZEROS, cases
from mnist_exp.tracking.code_digest import code_digest
from mnist_exp.training.loop import fit
from mnist_exp.training.program import build_program


# Seven trainings and seven looks of preflight take 15 seconds.
@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, small_mnist: data.Dataset) -> Path:
    """The page of the tutorials' own rates, and of one at which the cost becomes NaN."""
    folder = tmp_path_factory.mktemp("bug")
    wanted = [
        case
        for case in cases(quick=True)
        if case.rate == PRESET_RATE[case.start] or (case.start, case.rate) == (NORMAL, 1.0)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "load", lambda **_: small_mnist)
        bug_command.write_page(folder, wanted, range(1), "python -m this")
    return folder


@pytest.mark.slow
def test_the_page_tells_the_looks_apart(page: Path, small_mnist: data.Dataset) -> None:
    text = (page / "bug.md").read_text()
    assert "Written by `python -m this`." in text
    assert re.search(
        r"- \*\*From zeros, nothing\.\*\* (At every learning rate no weight changes at all\.|"
        r"The largest change of a weight is .*, which is rounding; on another processor)",
        text,
    )
    assert "The last cost is 2.3026; ln 10 = 2.3026" in text
    assert f"- **From {GLOROT}, success, it seems.**" in text
    assert "- **NaN**, in 1 training: the notebook's random weights at a learning rate of 1" in text
    assert "mnist_exp: training stopped: the cost became nan in epoch" in text
    assert "That is chance: the answer" in text or "That may be chance: the answer" in text
    images = f"{len(small_mnist.test)} test images"
    assert f"give a single answer, each its own, to all {images}" in text
    assert re.search(r"a cost that stands still \(\d+\), .*falls to zero as in the best of", text)
    assert "or becomes NaN (1)." in text
    assert "images/s" not in text
    assert "{{" not in text
    for name in re.findall(r"!\[[^]]*\]\((\S+)\)", text):
        assert (page / name).stat().st_size > 10_000


@pytest.mark.slow
def test_each_number_is_in_the_csv_with_the_command_that_gives_it(
    page: Path, small_mnist: data.Dataset
) -> None:
    lines = pd.read_csv(page / "bug.csv")
    assert set(lines["start"]) == {ZEROS, ROUNDED, NORMAL, GLOROT, CNN}
    labels = np.bincount(small_mnist.test.labels) / len(small_mnist.test)
    wrong = lines[(lines["loss"] == "own entropy") & (lines["ended"] == "finished")]
    one_answer = wrong[wrong["classes_answered"] == 1]
    assert len(one_answer) >= 3
    for line in one_answer.itertuples():
        assert line.test_accuracy == pytest.approx(labels[line.most_frequent_answer])
    zeros = wrong[wrong["start"] == ZEROS].iloc[0]
    assert zeros["largest_change_of_a_weight"] < 1e-4  # rounding, on some processors
    assert wrong[wrong["start"] == GLOROT]["last_cost"].iloc[0] < 0.01
    assert (wrong["preflight"].str.contains("LOSS_IGNORES_LABELS")).all()
    stopped = lines[(lines["loss"] == "own entropy") & (lines["ended"] == "stopped")]
    (bad,) = stopped["first_bad_step"]
    assert 0 < bad < 1000

    _, _, _, *overrides = lines[lines["start"] == GLOROT].iloc[0]["command"].split()
    program = build_program(compose(overrides).config, len(small_mnist.train))
    (*_, last) = fit(program, small_mnist)
    assert last.test is not None
    assert last.test.accuracy == lines[lines["start"] == GLOROT].iloc[0]["test_accuracy"]


@pytest.mark.slow
def test_the_cost_of_each_training_is_in_runs_csv(page: Path) -> None:
    runs = pd.read_csv(page / "runs.csv")
    assert len(runs) == len(pd.read_csv(page / "bug.csv"))
    assert set(runs["code_digest"]) == {code_digest()}
    assert (runs["processor_seconds"] > 0).all()


@pytest.mark.slow
def test_every_case_differs_from_the_others_and_has_its_twin_with_the_right_loss() -> None:
    every = cases(quick=False)
    assert len({compose(case.overrides).config.hash() for case in every}) == len(every)
    wrong = {(c.start, c.rate) for c in every if not c.is_meant and c.start != ROUNDED}
    assert wrong == {(c.start, c.rate) for c in every if c.is_meant}
