"""A study is found by its name, or by the beginning of its name."""

import pytest

from benchmarks.fake_runs import FakeRuns, trial
from mnist_exp.errors import ConfigError, UserError
from mnist_exp.tracking.runs import Selection, Store
from mnist_exp.tracking.studies import find_study, study_name

QUICK, QUICKER = "variants schedule.epochs=1", "variants schedule.epochs=1 data.train_limit=100"


def found(fake_runs: FakeRuns, name: str) -> str:
    return study_name(find_study(fake_runs.client, name, "best_of"))


def test_the_only_study_that_begins_so(fake_runs: FakeRuns) -> None:
    fake_runs.study(QUICK)
    fake_runs.study("bridge")
    assert found(fake_runs, "variants") == QUICK
    assert Store().resolved(Selection(study="var")) == Selection(study=QUICK)


def test_an_exact_name_wins(fake_runs: FakeRuns) -> None:
    for name in (QUICK, QUICKER):
        fake_runs.study(name)
    assert found(fake_runs, QUICK) == QUICK
    assert found(fake_runs, QUICKER[:-1]) == QUICKER


def test_several_are_listed_with_their_trials_and_dates(fake_runs: FakeRuns) -> None:
    for name in (QUICK, QUICKER, "bridge"):
        fake_runs.study(name)
    for state, number in (("WAITING", 0), ("COMPLETE", 0), ("COMPLETE", 1)):
        fake_runs.add(
            0, 0.9, tags=trial(QUICK, number, "seed", state)
        )  # a trial begun twice is one
    for find in (
        lambda: Store().resolved(Selection(study="variants")),
        lambda: found(fake_runs, "variants"),
    ):
        with pytest.raises(ConfigError) as raised:
            find()
        first, second = str(raised.value).splitlines()
        assert first.endswith("variants: 2 studies begin so; which one is meant?")
        assert f"'{QUICK}' (2 trials, begun 20" in second
        assert f"'{QUICKER}' (0 trials, begun 20" in second
        assert "bridge" not in second


def test_runs_of_a_study_without_a_parent_are_enough(fake_runs: FakeRuns) -> None:
    """A program without a parent run may tag its runs so; they win over a longer name."""
    fake_runs.study("theirs and more")
    fake_runs.add(0, 0.9, tags={"study_name": "theirs"})
    assert Store().resolved(Selection(study="theirs")) == Selection(study="theirs")


def test_no_study_begins_so(fake_runs: FakeRuns) -> None:
    fake_runs.study("bridge")
    with pytest.raises(ConfigError, match=r"best_of=bridg_e: no such study; did you mean bridge\?"):
        found(fake_runs, "bridg_e")
    with pytest.raises(ConfigError, match=r"best_of=\?: no such study"):
        found(fake_runs, "?")


def test_a_study_without_trials_says_so(fake_runs: FakeRuns) -> None:
    fake_runs.study(QUICK)
    with pytest.raises(UserError, match="no trial of this study has begun"):
        Store().select(Selection(study=QUICK))
