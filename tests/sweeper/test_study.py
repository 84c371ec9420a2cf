"""As many trials wait as `n_trials` good ends need; a study keeps its search space."""

from typing import Any

import optuna
import pytest
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial

from mnist_exp.sweeper.attributes import DRAWN, FAILURE, LAUNCH
from mnist_exp.sweeper.attributes import SPACE as SPACE_OF_STUDY
from mnist_exp.sweeper.errors import SweepError
from mnist_exp.sweeper.plan import Plan
from mnist_exp.sweeper.space import SearchSpace
from mnist_exp.sweeper.storage import StudyStorage
from mnist_exp.sweeper.study import budget, failed_trials, fill, open_study, results, why_failed

SPACE = SearchSpace.parse(["x=interval(0.0,1.0)", "y=3"])


def plan(
    n_trials: int = 4,
    *configurations: dict[str, Any],
    directions: tuple[StudyDirection, ...] = (StudyDirection.MINIMIZE,),
) -> Plan:
    return Plan(
        n_trials=n_trials,
        configurations=configurations,
        directions=directions,
        max_failure_rate=0.5,
    )


def end(
    study: optuna.Study, storage: StudyStorage, state: TrialState, count: int = 1, **attributes: Any
) -> list[Any]:
    """Let the next trials end so; returns their given parameters."""
    given = []
    for _ in range(count):
        trial_id = storage.claim(study._study_id)
        assert trial_id is not None
        given.append(storage.get_trial(trial_id).system_attrs["fixed_params"])
        storage.note(trial_id, attributes)
        storage.set_trial_state_values(
            trial_id, state, [1.0] if state == TrialState.COMPLETE else None
        )
    return given


def test_the_number_of_trials_is_the_total(storage: StudyStorage) -> None:
    study = open_study(storage, "s", plan(), SPACE)
    assert fill(study, storage, plan(4), retry_failed=True) == 4
    assert fill(study, storage, plan(4), retry_failed=True) == 0
    end(study, storage, TrialState.COMPLETE, 2)
    end(study, storage, TrialState.PRUNED)
    assert fill(study, storage, plan(4), retry_failed=True) == 0
    assert fill(study, storage, plan(6), retry_failed=True) == 2
    assert fill(study, storage, plan(2), retry_failed=True) == 0


def test_failed_trials_are_replaced(storage: StudyStorage) -> None:
    study = open_study(storage, "s", plan(), SPACE)
    fill(study, storage, plan(4), retry_failed=True)
    end(study, storage, TrialState.FAIL, 2)
    assert fill(study, storage, plan(4), retry_failed=False) == 2
    assert storage.counts(study._study_id)[TrialState.WAITING] == 4


def test_given_configurations_come_first(storage: StudyStorage) -> None:
    study = open_study(storage, "s", plan(), SPACE)
    fill(study, storage, plan(4, {"x": 0.1}, {"x": 0.2}), retry_failed=True)
    assert end(study, storage, TrialState.COMPLETE, 4) == [{"x": 0.1}, {"x": 0.2}, {}, {}]


def test_given_configurations_keep_their_place_when_others_are_added(storage: StudyStorage) -> None:
    study = open_study(storage, "s", plan(), SPACE)
    fill(study, storage, plan(2, {"x": 0.1}, {"x": 0.1}), retry_failed=True)
    end(study, storage, TrialState.COMPLETE, 2)
    fill(study, storage, plan(4, {"x": 0.3}, {"x": 0.1}, {"x": 0.1}), retry_failed=True)
    assert end(study, storage, TrialState.COMPLETE, 2) == [{"x": 0.3}, {}]


def test_configurations_come_first_in_a_study_that_goes_on(storage: StudyStorage) -> None:
    """They take the place of trials that wait to be sampled, and are not drawn yet."""
    study = open_study(storage, "s", plan(), SPACE)
    fill(study, storage, plan(6, {"x": 0.1}), retry_failed=True)
    end(study, storage, TrialState.COMPLETE)
    drawn = storage.claim(study._study_id)
    assert drawn is not None
    storage.note(drawn, {DRAWN: True})
    storage.give_back_claimed()
    listed = plan(6, {"x": 0.1}, {"x": 0.2}, {"x": 0.3})
    for _ in range(2):
        assert fill(study, storage, listed, retry_failed=True) == 0
    assert budget(storage, study._study_id, listed) == (6, [])
    given = [{}, {"x": 0.2}, {"x": 0.3}, {}, {}]
    assert end(study, storage, TrialState.COMPLETE, 5) == given


def test_configurations_that_come_too_late_are_told(storage: StudyStorage) -> None:
    study = open_study(storage, "s", plan(), SPACE)
    fill(study, storage, plan(3), retry_failed=True)
    end(study, storage, TrialState.COMPLETE, 2)
    listed = plan(3, {"x": 0.2}, {"x": 0.3})
    assert fill(study, storage, listed, retry_failed=True) == 0
    total, (note,) = budget(storage, study._study_id, listed)
    assert total == 3
    assert note == (
        "hydra.sweeper.enqueue: no trial is left for 1 of its 2; "
        "a larger number than hydra.sweeper.n_trials=3 tries them"
    )
    assert end(study, storage, TrialState.COMPLETE) == [{"x": 0.2}]


def test_a_cell_that_failed_is_tried_again_by_the_next_command_only(storage: StudyStorage) -> None:
    cells = plan(3, {"x": 0.1}, {"x": 0.2}, {"x": 0.3})
    study = open_study(storage, "s", cells, SPACE)
    fill(study, storage, cells, retry_failed=True)
    end(study, storage, TrialState.COMPLETE)
    end(study, storage, TrialState.FAIL)
    assert fill(study, storage, cells, retry_failed=False) == 0
    assert fill(study, storage, cells, retry_failed=True) == 1
    assert end(study, storage, TrialState.COMPLETE, 2) == [{"x": 0.3}, {"x": 0.2}]


def test_another_search_space_is_refused_with_the_difference(storage: StudyStorage) -> None:
    open_study(storage, "s", plan(), SPACE)
    open_study(storage, "s", plan(), SPACE)
    changed = SearchSpace.parse(["x=interval(0.0,2.0)", "y=4"])
    with pytest.raises(SweepError) as error:
        open_study(storage, "s", plan(), changed)
    first, second = str(error.value).splitlines()
    assert (
        first == "study s has other settings: x: interval(0.0,1.0) -> interval(0.0,2.0); y: 3 -> 4"
    )
    assert "hydra.sweeper.study_name=NAME" in second


def test_other_directions_are_refused(storage: StudyStorage) -> None:
    open_study(storage, "s", plan(), SPACE)
    with pytest.raises(
        SweepError, match="study s: hydra.sweeper.direction: minimize -> maximize,minimize"
    ):
        open_study(
            storage, "s", plan(directions=(StudyDirection.MAXIMIZE, StudyDirection.MINIMIZE)), SPACE
        )


def test_a_study_with_trials_of_another_program_is_refused_and_stays_as_it_is(
    storage: StudyStorage,
) -> None:
    """Not one without trials, which `optuna create-study` may have made."""
    foreign = optuna.create_study(study_name="s", storage=storage)
    foreign.enqueue_trial({"x": 50.0})
    with pytest.raises(SweepError, match=r"^study s: another program made it and its trials"):
        open_study(storage, "s", plan(), SPACE)
    assert (foreign.user_attrs, len(foreign.trials)) == ({}, 1)
    optuna.create_study(study_name="empty", storage=storage)
    assert open_study(storage, "empty", plan(), SPACE).user_attrs[SPACE_OF_STUDY]


def test_a_primary_config_is_noted_with_the_study(storage: StudyStorage) -> None:
    """Also with one of an earlier version, which did not note it, but by no refused command."""
    earlier = optuna.create_study(study_name="s", storage=storage)
    earlier.set_user_attr(SPACE_OF_STUDY, SPACE.to_dict())
    with pytest.raises(SweepError):
        open_study(storage, "s", plan(), SearchSpace.parse(["x=1"]), config_name="refused")
    open_study(storage, "s", plan(), SPACE, config_name="config")
    with pytest.raises(SweepError, match="^study s: --config-name: config -> large\n"):
        open_study(storage, "s", plan(), SPACE, config_name="large")


def test_failures_are_those_of_this_launch(storage: StudyStorage) -> None:
    study = open_study(storage, "s", plan(), SPACE)
    fill(study, storage, plan(4), retry_failed=True)
    end(study, storage, TrialState.FAIL, 1, **{LAUNCH: "before"})
    end(study, storage, TrialState.FAIL, 1, **{LAUNCH: "now", FAILURE: "OSError: full"})
    (failed,) = failed_trials(study, "now")
    assert failed.number == 1
    assert why_failed(failed) == "OSError: full"


def test_results_are_those_of_the_official_plugin() -> None:
    def ended(value: float) -> Any:
        return create_trial(params={"x": value}, distributions=SPACE.distributions, value=value)

    study = optuna.create_study()
    assert results(study) == {"name": "optuna"}
    study.add_trials([ended(0.5), ended(0.25)])
    assert results(study) == {"name": "optuna", "best_params": {"x": 0.25}, "best_value": 0.25}
    several = optuna.create_study(directions=["minimize", "maximize"])
    several.add_trial(
        create_trial(params={"x": 0.5}, distributions=SPACE.distributions, values=[1.0, 2.0])
    )
    assert results(several) == {
        "name": "optuna",
        "solutions": [{"params": {"x": 0.5}, "values": [1.0, 2.0]}],
    }


def test_a_reason_that_somebody_else_wrote_is_one_clean_line(storage: StudyStorage) -> None:
    study = open_study(storage, "s", plan(1), SPACE)
    fill(study, storage, plan(1), retry_failed=True)
    end(study, storage, TrialState.FAIL, 1, **{FAILURE: "\x1b[31mred\nand more"})
    assert why_failed(study.trials[0]) == r"\x1b[31mred and more"


def test_more_trials_than_asked_for_now_are_told(storage: StudyStorage) -> None:
    study = open_study(storage, "s", plan(), SPACE)
    fill(study, storage, plan(4), retry_failed=True)
    assert budget(storage, study._study_id, plan(4)) == (4, [])
    total, (note,) = budget(storage, study._study_id, plan(3))
    assert total == 3
    assert note.startswith("hydra.sweeper.n_trials=3: an earlier start asked for more, and what wa")


def test_a_list_is_tried_whole_beside_the_trials_of_an_earlier_start(storage: StudyStorage) -> None:
    study = open_study(storage, "s", plan(), SPACE)
    fill(study, storage, plan(4), retry_failed=True)
    end(study, storage, TrialState.COMPLETE, 4)
    cells = plan(2, {"x": 0.1}, {"x": 0.2})
    assert fill(study, storage, cells, retry_failed=True) == 2
    assert budget(storage, study._study_id, cells) == (6, [])
    assert end(study, storage, TrialState.COMPLETE, 2) == [{"x": 0.1}, {"x": 0.2}]
    assert fill(study, storage, cells, retry_failed=True) == 0
    assert fill(study, storage, plan(1, {"x": 0.3}), retry_failed=True) == 1
    total, (note,) = budget(storage, study._study_id, cells)
    assert total == 7
    assert "and what waits (1) is tried, too" in note
