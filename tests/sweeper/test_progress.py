"""What the parent shows, on a terminal and elsewhere."""

import io
from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState, create_trial

from mnist_exp.sweeper import progress
from mnist_exp.sweeper.attributes import FAILURE
from mnist_exp.sweeper.progress import Display
from mnist_exp.sweeper.space import SearchSpace
from mnist_exp.sweeper.terminal import console
from tests.support.waiting import until

TOTAL = 4
SPACE = SearchSpace.parse(["rate=interval(0,1)", "name=choice([a,b],'[/b]')"])


def ended(
    state: TrialState, value: float | None = None, why: str | None = None
) -> optuna.trial.FrozenTrial:
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
    with Display(study, TOTAL, SPACE).live():
        study.add_trial(ended(TrialState.COMPLETE, 2.0))
        study.add_trial(ended(TrialState.FAIL, why="OSError: [full]"))
        study.add_trial(ended(TrialState.WAITING))
    first, *lines = capsys.readouterr().out.splitlines()
    assert first == "study name: 1 of 4 trials are done"
    assert lines[0] == "trial 1 COMPLETE, value 2, with rate=0.1235"
    assert lines[1] == "trial 2 FAIL, value -, with rate=0.1235: OSError: [full]"
    assert lines[2].startswith("  2/4 done, 0 pruned, 1 failed, 0 running, about ")
    assert lines[2].endswith(" left, best so far: value 2 in trial 1 with rate=0.1235")
    assert len(lines) == 3


def seeded(
    name: str, seed: int, value: float | None, state: TrialState = TrialState.COMPLETE
) -> optuna.trial.FrozenTrial:
    names = CategoricalDistribution(["good", "lucky"])
    return create_trial(
        state=state,
        value=value,
        params={"name": name, "seed": seed},
        distributions={"name": names, "seed": CategoricalDistribution([0, 1, 2])},
    )


def test_a_lucky_seed_is_not_the_best(
    study: optuna.Study, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, values in {"good": (0.2, 0.3, 0.4), "lucky": (0.1, 0.8, 0.9)}.items():
        for seed, value in enumerate(values):
            study.add_trial(seeded(name, seed, value))
    display = Display(study, TOTAL, SPACE, names=["val/cost"], repeated_by="seed")
    display.summary()
    assert capsys.readouterr().out.splitlines()[1:] == [
        "  best: val/cost 0.3 (mean over 3 seeds), with name=good"
    ]
    with display.live():
        study.add_trial(seeded("lucky", 2, 0.7))
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "trial 6 COMPLETE, val/cost 0.7, with name=lucky seed=2"
    assert lines[2].endswith("best so far: val/cost 0.3 (mean over 3 seeds) with name=good")


def test_a_live_table_on_a_terminal(study: optuna.Study, monkeypatch: pytest.MonkeyPatch) -> None:
    display, screen = Display(study, TOTAL, SPACE), io.StringIO()
    display._console = console(file=screen, force_terminal=True, width=100)
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
    Display(study, TOTAL, SPACE).summary()
    out = capsys.readouterr().out
    assert "study name: 1 complete, 3 fail, 1 waiting" in out
    assert "best: value 2 in trial 3, with rate=0.1235" in out
    (row,) = [line for line in out.splitlines() if "OSError: full" in line]
    assert [cell.strip() for cell in row.strip("│ ").split("│")] == ["2", "OSError: full", "0, 1"]
    assert "The same command goes on" in out


def test_a_busy_database_does_not_end_the_display(
    study: optuna.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "_REFRESH_SECONDS", 0.01)
    display, calls = Display(study, TOTAL, SPACE), []

    def busy() -> list[optuna.trial.FrozenTrial]:
        calls.append(1)
        if 1 < len(calls) < 4:
            raise optuna.exceptions.StorageInternalError
        return study.get_trials(deepcopy=False)

    monkeypatch.setattr(display, "_trials", busy)
    with display.live():
        until(lambda: len(calls) >= 6, "the display looks on", limit=60)


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_busy_database_at_the_last_look_hides_neither_the_error_nor_the_cursor(
    study: optuna.Study, monkeypatch: pytest.MonkeyPatch, is_terminal: bool
) -> None:
    display, screen = Display(study, TOTAL, SPACE), io.StringIO()
    display._console = console(file=screen, force_terminal=is_terminal, width=100)

    def busy() -> list[optuna.trial.FrozenTrial]:
        raise optuna.exceptions.StorageInternalError

    with pytest.raises(KeyboardInterrupt), display.live():
        monkeypatch.setattr(display, "_trials", busy)
        raise KeyboardInterrupt
    hides, shows = "\x1b[?25l", "\x1b[?25h"
    assert screen.getvalue().count(hides) == screen.getvalue().count(shows) == is_terminal


def test_names_and_reasons_are_shown_as_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is no markup, emoji or escape sequence, and text differs from a number or a list."""
    study = optuna.create_study(study_name="[/n] :cat: \x1b[31m\nred")
    distributions = {
        **SPACE.distributions,
        "other": CategoricalDistribution(["1", None, "[bold]ü"]),
    }
    failed: list[tuple[dict[str, Any], str]] = [
        ({"name": "[a,b]", "other": "1"}, "OSError: [/x/y]"),
        ({"name": "'[/b]'", "other": None}, "a\nb"),
    ]
    for params, why in failed:
        study.add_trial(
            create_trial(
                state=TrialState.FAIL,
                user_attrs={FAILURE: why},
                params=params,
                distributions={key: distributions[key] for key in params},
            )
        )
    last = {"rate": 0.5, "other": "[bold]ü"}
    study.add_trial(
        create_trial(
            value=1.0, params=last, distributions={key: distributions[key] for key in last}
        )
    )
    screen = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", screen)
    display = Display(study, TOTAL, SPACE)
    display._console = console(file=screen, force_terminal=True, width=100)
    with display.live():
        pass
    display.summary()
    screen.flush()
    shown = screen.buffer.getvalue().decode()
    for text in (
        "[/n] :cat: \\x1b[31m red",
        "OSError: [/x/y]",
        "a b",
        "name=[a,b] other='1'",
        "name='[/b]' other=null",
    ):
        assert text in shown
    assert "rate=0.5 other='[bold]\\xfc'" in shown
    assert "\x1b[31m" not in shown
