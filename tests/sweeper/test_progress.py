"""What the parent shows, on a terminal and elsewhere."""

import io

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState, create_trial
from rich.console import Console

from mnist_exp.sweeper import progress
from mnist_exp.sweeper.plan import Plan
from mnist_exp.sweeper.progress import Display
from mnist_exp.sweeper.storage import FAILURE

PLAN = Plan(4, (), ("minimize",), 0.5)


def ended(state: TrialState, value: float | None = None, why: str | None = None) -> optuna.trial.FrozenTrial:
    return create_trial(
        state=state,
        value=value,
        params={"rate": 0.123456},
        distributions={"rate": FloatDistribution(0, 1)},
        user_attrs={FAILURE: why},
    )


@pytest.fixture
def study() -> optuna.Study:
    return optuna.create_study(study_name="name")


def test_plain_lines(study: optuna.Study, capsys: pytest.CaptureFixture[str]) -> None:
    study.add_trial(ended(TrialState.COMPLETE, 3.0))
    with Display(study, PLAN).live():
        study.add_trial(ended(TrialState.COMPLETE, 2.0))
        study.add_trial(ended(TrialState.FAIL, why="OSError: [full]"))
        study.add_trial(ended(TrialState.WAITING))
    first, *lines = capsys.readouterr().out.splitlines()
    assert first == "study name: 1 of 4 trials are there"
    assert lines[0] == "trial 1 COMPLETE 2 with rate=0.1235"
    assert lines[1] == "trial 2 FAIL - with rate=0.1235: OSError: [full]"
    assert lines[2].startswith("  2/4 done, 0 pruned, 1 failed, 0 running, about ")
    assert lines[2].endswith(" left, best 2 in trial 1")
    assert len(lines) == 3


def test_a_live_table_on_a_terminal(study: optuna.Study, monkeypatch: pytest.MonkeyPatch) -> None:
    display, screen = Display(study, PLAN), io.StringIO()
    display._console = Console(file=screen, force_terminal=True, width=100)
    monkeypatch.setattr(progress, "_ROWS", 2)
    for value in (1.0, 3.0, 2.0):
        study.add_trial(ended(TrialState.COMPLETE, value))
    with display.live():
        pass
    shown = screen.getvalue()
    assert "name: 3/4 done" in shown
    assert "0 *" in shown  # the best stays in sight
    assert "COMPLETE" in shown
    assert "rate=0.1235" in shown


def test_summary_counts_and_says_why_trials_failed(
    study: optuna.Study, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        study.add_trial(ended(TrialState.FAIL, why="OSError: full"))
    study.add_trial(ended(TrialState.FAIL, why="TrialFailed: returned nan"))
    study.add_trial(ended(TrialState.COMPLETE, 2.0))
    study.add_trial(ended(TrialState.WAITING))
    Display(study, PLAN).summary()
    out = capsys.readouterr().out
    assert "study name: 1 complete, 3 fail, 1 waiting" in out
    assert "best: trial 3, 2 with rate=0.1235" in out
    (row,) = [line for line in out.splitlines() if "OSError: full" in line]
    assert [cell.strip() for cell in row.strip("│ ").split("│")] == ["2", "OSError: full", "0, 1"]
    assert "The same command goes on" in out


def test_a_busy_database_does_not_end_the_display(
    study: optuna.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_REFRESH_SECONDS", 0.01)
    display, calls = Display(study, PLAN), []

    def busy() -> list[optuna.trial.FrozenTrial]:
        calls.append(1)
        if 1 < len(calls) < 4:
            raise optuna.exceptions.StorageInternalError
        return study.get_trials(deepcopy=False)

    monkeypatch.setattr(display, "_trials", busy)
    with display.live():
        while len(calls) < 6:
            pass


@pytest.mark.parametrize(
    ("seconds", "shown"), [(5, "5 s"), (89, "89 s"), (120, "2 min"), (5399, "90 min"), (7200, "2.0 h")]
)
def test_durations(seconds: float, shown: str) -> None:
    assert progress._duration(seconds) == shown
