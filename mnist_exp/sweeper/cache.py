"""The study as one process sees it, which reads from the database only what has changed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.storages._cached_storage import _CachedStorage, _StudyInfo
from optuna.trial import FrozenTrial, TrialState, create_trial

from mnist_exp.sweeper.storage import Drawn, StudyStorage

_NO_ID = 2**31 - 1  # larger than any trial's id


class StudyCache(_CachedStorage):
    """Optuna's cache, which here keeps only the number and the state of a trial that waits.

    Optuna's own class reads all waiting trials again and again. Writing to a trial raises TakenOver
    unless this process owns the trial.
    """

    _backend: StudyStorage

    def __init__(self, storage: StudyStorage) -> None:
        super().__init__(storage)
        self._newest = -1  # the largest id of a known trial
        self._drawn: list[Drawn] | None = None  # in `drawing`, what is to be written

    def _read_trials_from_remote_storage(self, study_id: int) -> None:
        with self._lock:
            study = self._studies.setdefault(study_id, _StudyInfo())
            rows = self._backend.begun(study_id, self._newest)
            waiting = [row for row in rows if row[2] == TrialState.WAITING]
            self._add_trials_to_cache(
                study_id, [_waiting(trial_id, number) for trial_id, number, _ in waiting]
            )
            self._newest = max([self._newest, *(row[0] for row in rows)])
            changed = {trial_id for trial_id, number, state in rows if not _is_final(study, number)}
            changed |= study.unfinished_trial_ids  # they ran before and may wait again
            changed -= {row[0] for row in waiting}
            if not changed:
                return
            trials = self._backend._get_trials(study_id, None, changed, _NO_ID)
            self._add_trials_to_cache(study_id, trials)
            study.unfinished_trial_ids = {t._trial_id for t in trials if not t.state.is_finished()}

    @contextmanager
    def drawing(self, trial_id: int) -> Iterator[dict[str, Any]]:
        """Write the parameters that are drawn in the block in one transaction at its end.

        So are the user attributes that the block puts into the dict.
        """
        attributes: dict[str, Any] = {}
        drawn: list[Drawn] = []
        self._drawn = drawn
        try:
            yield attributes
        finally:
            self._drawn = None
            self._backend.note_drawn(trial_id, drawn, attributes)

    def set_trial_param(
        self,
        trial_id: int,
        param_name: str,
        param_value_internal: float,
        distribution: BaseDistribution,
    ) -> None:
        """Write a drawn parameter, without a read of the trial; in `drawing` only note it."""
        if self._drawn is not None:
            self._drawn.append((param_name, param_value_internal, distribution))
            return
        with self._backend.owned(trial_id):
            self._backend.set_trial_param(trial_id, param_name, param_value_internal, distribution)

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        """Write the end of a trial."""
        with self._backend.owned(trial_id):
            return super().set_trial_state_values(trial_id, state, values)

    def set_trial_intermediate_value(
        self, trial_id: int, step: int, intermediate_value: float
    ) -> None:
        """Write a reported value."""
        with self._backend.owned(trial_id):
            super().set_trial_intermediate_value(trial_id, step, intermediate_value)

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Write an attribute of the application."""
        with self._backend.owned(trial_id):
            super().set_trial_user_attr(trial_id, key, value)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        """Write an attribute of Optuna."""
        with self._backend.owned(trial_id):
            super().set_trial_system_attr(trial_id, key, value)


def _is_final(study: _StudyInfo, number: int) -> bool:
    return number in study.trials and study.trials[number].state.is_finished()


def _waiting(trial_id: int, number: int) -> FrozenTrial:
    trial = create_trial(state=TrialState.WAITING)
    trial.number, trial._trial_id = number, trial_id
    return trial
