"""The database of a study: who owns a trial, and what becomes of a dead worker's trials."""

import json
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from typing import Any

import optuna
import sqlalchemy
from optuna.distributions import BaseDistribution
from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from optuna.storages._rdb.storage import _create_scoped_session
from optuna.trial import FrozenTrial, TrialState

from mnist_exp.sweeper import database, processes
from mnist_exp.sweeper.attributes import (
    CONFIGURATION,
    DRAWN,
    FAILURE,
    HEARTBEAT,
    LAUNCH,
    RETRIES,
    WORKER,
)
from mnist_exp.sweeper.storage_setting import engine_options, refuse_foreign, usable

_LOCK = "mnist_exp.sweeper"

Drawn = tuple[str, float, BaseDistribution]  # a parameter's name, value as Optuna keeps it, space


class TakenOver(BaseException):
    """Another worker runs the trial now, because this process was silent for too long.

    The results of the trial in this process do not count.
    """


class StudyStorage(RDBStorage):
    """Optuna's storage, with waiting trials as the budget: workers claim them and create none.

    A trial has one owner, the process that claimed it; owners change only under the study's lock.
    Queries that are made for every trial cost the same however many trials wait.
    """

    def __init__(self, url: str, heartbeat: int, launch: str | None = None) -> None:
        """Open or create the database; `launch` names the command for which trials are claimed.

        `heartbeat` is the number of seconds between heartbeats. Raises SweepError.
        """
        self._launch = launch
        self._claimed: int | None = None  # id of the trial that this object claimed last
        self._has_heartbeat = False  # whether the claim has just written one
        self._drawn_before: dict[str, BaseDistribution] = {}  # by parameter, in this process' study
        with usable(url, ImportError, LookupError, OSError, RuntimeError, ValueError):
            engine = sqlalchemy.create_engine(url, **engine_options(url))
            with database.lock(engine, _LOCK), warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                refuse_foreign(engine)
                super().__init__(url, engine_options(url), heartbeat_interval=heartbeat)
            engine.dispose()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the study's lock in the block: one process on all machines changes owners."""
        with ExitStack() as stack:
            with usable(self.url, OSError):  # a disk that is full or read-only now
                stack.enter_context(database.lock(self.engine, _LOCK))
            yield

    def add_waiting(
        self, study_id: int, trials: Iterable[tuple[dict[str, Any], dict[str, Any]]]
    ) -> None:
        """Add waiting trials with these parameters and user attributes, under the caller's lock."""
        with _create_scoped_session(self.scoped_session) as session:
            query = session.query(models.TrialModel).filter(models.TrialModel.study_id == study_id)
            for number, (parameters, attributes) in enumerate(trials, start=query.count()):
                # Study.enqueue_trial writes this attribute, too.
                fixed = models.TrialSystemAttributeModel(
                    key="fixed_params", value_json=json.dumps(parameters)
                )
                noted = [
                    models.TrialUserAttributeModel(key=key, value_json=json.dumps(value))
                    for key, value in attributes.items()
                ]
                session.add(
                    models.TrialModel(
                        study_id=study_id,
                        number=number,
                        state=TrialState.WAITING,
                        system_attributes=[fixed],
                        user_attributes=noted,
                    )
                )
                session.flush()  # ids get the order of the numbers

    def configure_waiting(
        self, study_id: int, trials: Sequence[tuple[dict[str, Any], dict[str, Any]]]
    ) -> int:
        """Give these parameters and user attributes to waiting trials, under the caller's lock.

        The first trials get them that have no configuration and no drawn parameters. Returns how
        many these are.
        """
        if not trials:
            return 0
        fixed, trial, noted = (
            models.TrialSystemAttributeModel,
            models.TrialModel,
            models.TrialUserAttributeModel,
        )
        with _create_scoped_session(self.scoped_session) as session:
            rows = (
                session.query(fixed)
                .filter_by(key="fixed_params", value_json=json.dumps({}))
                .join(trial)
                .filter_by(study_id=study_id, state=TrialState.WAITING)
                .filter(~trial.user_attributes.any(noted.key.in_((CONFIGURATION, DRAWN))))
                .order_by(trial.trial_id)
                .limit(len(trials))
                .all()
            )
            for row, (parameters, attributes) in zip(rows, trials, strict=False):
                row.value_json = json.dumps(parameters)
                self._note(session, int(row.trial_id), attributes)
        return len(rows)

    def claim(self, study_id: int) -> int | None:
        """Make this process the owner of the first waiting trial; return its id, or None."""
        with self.lock(), _create_scoped_session(self.scoped_session) as session:
            waiting = session.query(models.TrialModel).filter_by(
                study_id=study_id, state=TrialState.WAITING
            )
            trial = waiting.order_by(models.TrialModel.trial_id).first()
            if trial is None:
                return None
            trial.state, trial.datetime_start = TrialState.RUNNING, datetime.now()
            marks = {
                LAUNCH: self._launch,
                WORKER: processes.this_process(),
                HEARTBEAT: self.get_heartbeat_interval(),
            }
            self._claimed = int(trial.trial_id)
            self._note(session, self._claimed, marks)
            self._has_heartbeat = True
            session.query(models.TrialHeartbeatModel).filter_by(trial_id=self._claimed).delete()
            # The new heartbeat has the database's time.
            session.add(models.TrialHeartbeatModel(trial_id=self._claimed))
        return self._claimed

    def note(self, trial_id: int, attributes: Mapping[str, Any]) -> None:
        """Set user attributes of a trial. Raises TakenOver unless this process owns it."""
        self.note_drawn(trial_id, [], attributes)

    def note_drawn(
        self, trial_id: int, drawn: Iterable[Drawn], attributes: Mapping[str, Any]
    ) -> None:
        """Write drawn parameters and user attributes of a trial, all of them or none.

        Raises TakenOver unless this process owns the trial, and ValueError for a distribution that
        does not fit that of earlier trials.
        """
        with self.lock(), _create_scoped_session(self.scoped_session) as session:
            if not self._is_owner(session, trial_id):
                raise TakenOver
            for name, value, distribution in drawn:
                before = self._drawn_before.get(name)
                self._set_trial_param_without_commit(
                    session, trial_id, name, value, distribution, before
                )
                self._drawn_before[name] = distribution
            self._note(session, trial_id, attributes)

    def _note(self, session: Any, trial_id: int, attributes: Mapping[str, Any]) -> None:
        """Set user attributes; the caller holds the lock, so that no other process does."""
        model = models.TrialUserAttributeModel
        rows = session.query(model).filter(model.trial_id == trial_id, model.key.in_(attributes))
        existing = {row.key: row for row in rows}
        for key, value in attributes.items():
            text = json.dumps(value)
            if key in existing:
                existing[key].value_json = text
            else:
                session.add(model(trial_id=trial_id, key=key, value_json=text))

    def owns(self, trial_id: int) -> bool:
        """Return True if this process owns the trial.

        It no longer does if its heartbeats stopped and the trial was given to another worker.
        """
        with _create_scoped_session(self.scoped_session) as session:
            return self._is_owner(session, trial_id)

    def _is_owner(self, session: Any, trial_id: int) -> bool:
        owner = (
            session.query(models.TrialUserAttributeModel.value_json)
            .filter_by(trial_id=trial_id, key=WORKER)
            .join(models.TrialModel)
            .filter_by(state=TrialState.RUNNING)
            .scalar()
        )
        return owner is not None and json.loads(owner) == processes.this_process()

    @contextmanager
    def owned(self, trial_id: int) -> Iterator[None]:
        """Keep the trial's owner in the block. Raises TakenOver unless this process owns it."""
        with self.lock():
            if not self.owns(trial_id):
                raise TakenOver
            yield

    def record_heartbeat(self, trial_id: int) -> None:
        """Record a heartbeat if this process owns the trial; its claim has written the first."""
        if self._has_heartbeat:
            self._has_heartbeat = False
            return
        with suppress(optuna.exceptions.StorageInternalError):  # a server may be away for a moment
            if self.owns(trial_id):
                super().record_heartbeat(trial_id)

    def counts(self, study_id: int) -> Counter[TrialState]:
        """Return how many trials have each state."""
        with _create_scoped_session(self.scoped_session) as session:
            rows = (
                session.query(models.TrialModel.state, sqlalchemy.func.count())
                .filter_by(study_id=study_id)
                .group_by(models.TrialModel.state)
                .all()
            )
        return Counter({state: count for state, count in rows})

    def attributes(self, study_id: int, key: str) -> list[tuple[TrialState, Any]]:
        """Return the state and the value of the user attribute of all trials that have it."""
        with _create_scoped_session(self.scoped_session) as session:
            rows = (
                session.query(models.TrialModel.state, models.TrialUserAttributeModel.value_json)
                .filter_by(study_id=study_id)
                .join(models.TrialUserAttributeModel)
                .filter_by(key=key)
                .all()
            )
        return [(state, json.loads(text)) for state, text in rows]

    def count_failed(self, study_id: int, launch: str) -> int:
        """Return how many trials failed in one launch."""
        with _create_scoped_session(self.scoped_session) as session:
            return (
                session.query(models.TrialModel)
                .filter_by(study_id=study_id, state=TrialState.FAIL)
                .join(models.TrialUserAttributeModel)
                .filter_by(key=LAUNCH, value_json=json.dumps(launch))
                .count()
            )

    def begun(self, study_id: int, newer_than: int) -> list[tuple[int, int, TrialState]]:
        """Return id, number and state of the trials that have begun, or wait and are newer."""
        with _create_scoped_session(self.scoped_session) as session:
            trial = models.TrialModel
            rows = (
                session.query(trial.trial_id, trial.number, trial.state)
                .filter_by(study_id=study_id)
                .filter((trial.state != TrialState.WAITING) | (trial.trial_id > newer_than))
                .all()
            )
        return [tuple(row) for row in rows]

    def _get_stale_trial_ids(self, study_id: int) -> list[int]:
        """Return none: Optuna would fail them, but `give_back_lost` lets other workers run them."""
        return []

    def give_back_lost(self, study_id: int, max_retries: int | None) -> list[int]:
        """Let trials whose worker died wait again, and return their numbers.

        A trial fails instead if its workers died more than `max_retries` times. With None,
        the deaths are not counted.
        """
        if not self.counts(study_id)[TrialState.RUNNING]:
            return []
        given_back = []
        with self.lock():
            silence = self._silence(study_id)
            for trial in self.get_all_trials(study_id, states=(TrialState.RUNNING,)):
                alive = is_alive(trial)
                if alive or (alive is None and not self._is_silent(trial, silence)):
                    continue
                retries = trial.user_attrs.get(RETRIES, 0) + (max_retries is not None)
                if max_retries is not None and retries > max_retries:
                    times = "once" if retries == 1 else f"{retries} times"
                    reason = f"its worker died {times} (max_retries={max_retries})"
                    self.set_trial_user_attr(trial._trial_id, FAILURE, reason)
                    super().set_trial_state_values(trial._trial_id, TrialState.FAIL)
                    continue
                self.set_trial_user_attr(trial._trial_id, RETRIES, retries)
                self._wait_again(trial._trial_id)
                given_back.append(trial.number)
        return given_back

    def running_beside(self, study_id: int) -> list[FrozenTrial]:
        """Return the trials that other processes of this machine run, for any command."""
        running = self.get_all_trials(study_id, deepcopy=False, states=(TrialState.RUNNING,))
        own = processes.this_process()
        return [
            trial for trial in running if trial.user_attrs.get(WORKER) != own and is_alive(trial)
        ]

    def give_back_claimed(self) -> None:
        """Let this worker's trial wait again if it has not ended. Called when the worker stops."""
        with self.lock():
            if self._claimed is not None and self.owns(self._claimed):
                self._wait_again(self._claimed)

    def _wait_again(self, trial_id: int) -> None:
        """Let a trial wait, without its parameters unless all of them were drawn.

        It then draws all of them again: what they are depends only on its seed and number.
        """
        with _create_scoped_session(self.scoped_session) as session:
            trial = models.TrialModel.find_or_raise_by_id(trial_id, session)
            if not any(attribute.key == DRAWN for attribute in trial.user_attributes):
                session.query(models.TrialParamModel).filter_by(trial_id=trial_id).delete()
            self._note(session, trial_id, {WORKER: None})
            trial.state = TrialState.WAITING

    def _is_silent(self, trial: FrozenTrial, silence: Mapping[int, float]) -> bool:
        """Return True if its worker missed two heartbeats of the interval that it has noted."""
        interval = int(trial.user_attrs.get(HEARTBEAT) or self.get_heartbeat_interval() or 0)
        return silence.get(trial._trial_id, 0) > 2 * interval

    def _silence(self, study_id: int) -> dict[int, float]:
        """Return for each running trial the seconds since its last heartbeat.

        Both times are by the clock of the database.
        """
        seconds = _seconds_since(models.TrialHeartbeatModel.heartbeat, self.engine.dialect.name)
        with _create_scoped_session(self.scoped_session) as session:
            rows = (
                session.query(models.TrialModel.trial_id, seconds)
                .filter_by(study_id=study_id, state=TrialState.RUNNING)
                .join(models.TrialHeartbeatModel)
                .all()
            )
        return {trial_id: float(silence) for trial_id, silence in rows}


def _seconds_since(moment: Any, dialect: str) -> Any:
    """Return SQL for the seconds since a moment that was noted without its time zone.

    A server notes it in the time zone of the session, and so finds the right moment on both sides
    of a change to or from summer time. SQLite notes it in UTC.
    """
    func = sqlalchemy.func
    if dialect == "postgresql":
        zoned = sqlalchemy.cast(moment, sqlalchemy.DateTime(timezone=True))
        return func.extract("epoch", func.now() - zoned)
    if dialect == "sqlite":
        return func.strftime("%s", "now") - func.strftime("%s", moment)
    return func.unix_timestamp() - func.unix_timestamp(moment)


def is_alive(trial: FrozenTrial) -> bool | None:
    """Return whether the trial's worker is alive; None if that cannot be known.

    Of a worker on another machine only its heartbeats are known.
    """
    worker = trial.user_attrs.get(WORKER)
    return False if worker is None else processes.is_alive(str(worker))
