"""The study's database: one lock for all its workers, trials claimed one by one, those of dead workers given back."""

import json
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy
from optuna.storages import RDBStorage
from optuna.storages._rdb import models
from optuna.storages._rdb.storage import _create_scoped_session
from optuna.trial import FrozenTrial, TrialState

from mnist_exp.sweeper import database, processes
from mnist_exp.sweeper.errors import SweepError

# User attributes of a trial; fixed overrides are there, too, under their keys.
WORKER = "sweeper:worker"  # the process that runs it, see processes.py
HEARTBEAT = "sweeper:heartbeat"  # seconds between that worker's signs of life
RETRIES = "sweeper:retries"  # how often its worker died
FAILURE = "sweeper:failure"  # why it failed
LAUNCH = "sweeper:launch"  # the command whose worker ran it last
DRAWN = (
    "sweeper:drawn"  # its parameters are complete: whoever goes on with it takes them as they are
)

_LOCK = "mnist_exp.sweeper"


class TakenOver(BaseException):
    """This process was silent for so long that another worker runs the trial now: what came of it here is void."""


class StudyStorage(RDBStorage):
    """RDBStorage whose waiting trials are the budget: a worker claims one after the other, and makes none.

    A trial has one owner, the process that claimed it, and what changes an owner happens under the study's lock.
    `launch` names the command on whose behalf trials are claimed here. What is asked for every trial costs the same
    however many trials wait.
    """

    def __init__(self, url: str, heartbeat: int, launch: str | None = None) -> None:
        self._launch = launch
        self._claimed: int | None = None  # id of the trial that was claimed here last
        with usable(url, ImportError, OSError, RuntimeError, ValueError):
            engine = sqlalchemy.create_engine(url, **_engine_options(url))
            with database.lock(engine, _LOCK), warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                _refuse_foreign(engine)
                super().__init__(url, _engine_options(url), heartbeat_interval=heartbeat)
            engine.dispose()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Only one process at a time, on whichever machine, makes, claims or gives back trials."""
        with ExitStack() as stack:
            with usable(self.url, OSError):  # a disk that is full or read-only now
                stack.enter_context(database.lock(self.engine, _LOCK))
            yield

    def add_waiting(
        self, study_id: int, trials: Iterable[tuple[dict[str, Any], dict[str, Any]]]
    ) -> None:
        """Let trials wait that begin with these parameters and user attributes. The caller holds the lock."""
        with _create_scoped_session(self.scoped_session) as session:
            query = session.query(models.TrialModel).filter(models.TrialModel.study_id == study_id)
            for number, (parameters, attributes) in enumerate(trials, start=query.count()):
                fixed = models.TrialSystemAttributeModel(
                    key="fixed_params", value_json=json.dumps(parameters)
                )  # as Study.enqueue_trial has it
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
                session.flush()  # so that the ids have the order of the numbers

    def claim(self, study_id: int) -> int | None:
        """Make the first trial that waits this process' own, and return its id; None if no trial waits."""
        with self.lock(), _create_scoped_session(self.scoped_session) as session:
            trial = (
                session.query(models.TrialModel)
                .filter(models.TrialModel.study_id == study_id)
                .filter(models.TrialModel.state == TrialState.WAITING)
                .order_by(models.TrialModel.trial_id)
                .first()
            )
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
            session.query(models.TrialHeartbeatModel).filter_by(trial_id=self._claimed).delete()
            session.add(
                models.TrialHeartbeatModel(trial_id=self._claimed)
            )  # with the database's time
        return self._claimed

    def note(self, trial_id: int, attributes: Mapping[str, Any]) -> None:
        """Set user attributes of a trial that is this process' own. Raises TakenOver if it is not."""
        with self.owned(trial_id), _create_scoped_session(self.scoped_session) as session:
            self._note(session, trial_id, attributes)

    def _note(self, session: Any, trial_id: int, attributes: Mapping[str, Any]) -> None:
        for key, value in attributes.items():
            self._set_trial_attr_without_commit(
                session, models.TrialUserAttributeModel, trial_id, key, value
            )

    def owns(self, trial_id: int) -> bool:
        """Whether the trial runs in this process: one that gave no sign of life is given to another worker."""
        with _create_scoped_session(self.scoped_session) as session:
            owner = (
                session.query(models.TrialUserAttributeModel.value_json)
                .join(
                    models.TrialModel,
                    models.TrialModel.trial_id == models.TrialUserAttributeModel.trial_id,
                )
                .filter(models.TrialModel.trial_id == trial_id)
                .filter(models.TrialModel.state == TrialState.RUNNING)
                .filter(models.TrialUserAttributeModel.key == WORKER)
                .scalar()
            )
        return owner is not None and json.loads(owner) == processes.this_process()

    @contextmanager
    def owned(self, trial_id: int) -> Iterator[None]:
        """The trial stays this process' own in the block. Raises TakenOver if it is not."""
        with self.lock():
            if not self.owns(trial_id):
                raise TakenOver
            yield

    def record_heartbeat(self, trial_id: int) -> None:
        """A sign of life of its owner only; not of a database that is away for a moment."""
        with suppress(optuna.exceptions.StorageInternalError):
            if self.owns(trial_id):
                super().record_heartbeat(trial_id)

    def counts(self, study_id: int) -> dict[str, int]:
        """Trials by the name of their state, 0 where there are none."""
        with _create_scoped_session(self.scoped_session) as session:
            rows = (
                session.query(models.TrialModel.state, sqlalchemy.func.count())
                .filter(models.TrialModel.study_id == study_id)
                .group_by(models.TrialModel.state)
                .all()
            )
        return {state.name: 0 for state in TrialState} | {
            state.name: count for state, count in rows
        }

    def attributes(self, study_id: int, key: str) -> list[tuple[TrialState, Any]]:
        """The state and the user attribute of all trials that have it."""
        with _create_scoped_session(self.scoped_session) as session:
            rows = (
                session.query(models.TrialModel.state, models.TrialUserAttributeModel.value_json)
                .join(models.TrialUserAttributeModel)
                .filter(models.TrialModel.study_id == study_id)
                .filter(models.TrialUserAttributeModel.key == key)
                .all()
            )
        return [(state, json.loads(text)) for state, text in rows]

    def count_failed(self, study_id: int, launch: str) -> int:
        """How many trials failed in one launch."""
        with _create_scoped_session(self.scoped_session) as session:
            return (
                session.query(models.TrialModel)
                .join(models.TrialUserAttributeModel)
                .filter(models.TrialModel.study_id == study_id)
                .filter(models.TrialModel.state == TrialState.FAIL)
                .filter(models.TrialUserAttributeModel.key == LAUNCH)
                .filter(models.TrialUserAttributeModel.value_json == json.dumps(launch))
                .count()
            )

    def begun(self, study_id: int, newer_than: int) -> list[tuple[int, int, TrialState]]:
        """Id, number and state of the trials that do not wait, and of those that wait and have a larger id."""
        with _create_scoped_session(self.scoped_session) as session:
            rows = (
                session.query(
                    models.TrialModel.trial_id, models.TrialModel.number, models.TrialModel.state
                )
                .filter(models.TrialModel.study_id == study_id)
                .filter(
                    sqlalchemy.or_(
                        models.TrialModel.state != TrialState.WAITING,
                        models.TrialModel.trial_id > newer_than,
                    )
                )
                .all()
            )
        return [tuple(row) for row in rows]

    def _get_stale_trial_ids(self, study_id: int) -> list[int]:
        """None for Optuna, which would fail them: `give_back_lost` lets another worker run them."""
        return []

    def give_back_lost(self, study_id: int, max_retries: int | None) -> list[int]:
        """Let trials whose worker died wait again, and return their numbers; fail those that lost too many.

        `max_retries` None: this does not count as a retry.
        """
        given_back = []
        with self.lock():
            silence = self._silence(study_id)
            for trial in self.get_all_trials(study_id, states=(TrialState.RUNNING,)):
                alive = is_alive(trial)
                if alive or (alive is None and not self._is_silent(trial, silence)):
                    continue
                retries = trial.user_attrs.get(RETRIES, 0) + (max_retries is not None)
                if max_retries is not None and retries > max_retries:
                    reason = f"its worker died {retries} times (max_retries={max_retries})"
                    self.set_trial_user_attr(trial._trial_id, FAILURE, reason)
                    super().set_trial_state_values(trial._trial_id, TrialState.FAIL)
                    continue
                self.set_trial_user_attr(trial._trial_id, RETRIES, retries)
                self._wait_again(trial._trial_id)
                given_back.append(trial.number)
        return given_back

    def running_beside(self, study_id: int) -> list[FrozenTrial]:
        """The trials that other live processes of this machine run, on behalf of whichever command."""
        running = self.get_all_trials(study_id, deepcopy=False, states=(TrialState.RUNNING,))
        own = processes.this_process()
        return [
            trial for trial in running if trial.user_attrs.get(WORKER) != own and is_alive(trial)
        ]

    def give_back_claimed(self) -> None:
        """Let the trial that was claimed here and has not ended wait again: its worker stops."""
        with self.lock():
            if self._claimed is not None and self.owns(self._claimed):
                self._wait_again(self._claimed)

    def _wait_again(self, trial_id: int) -> None:
        """One whose parameters were not all drawn draws all of them again, as its seed and number want it."""
        with _create_scoped_session(self.scoped_session) as session:
            trial = models.TrialModel.find_or_raise_by_id(trial_id, session)
            if not any(attribute.key == DRAWN for attribute in trial.user_attributes):
                session.query(models.TrialParamModel).filter_by(trial_id=trial_id).delete()
            self._note(session, trial_id, {WORKER: None})
            trial.state = TrialState.WAITING

    def _is_silent(self, trial: FrozenTrial, silence: Mapping[int, float]) -> bool:
        """Whether its worker missed two signs of life. How often it gives one, it has noted itself."""
        interval = int(trial.user_attrs.get(HEARTBEAT) or self.get_heartbeat_interval() or 0)
        return silence.get(trial._trial_id, 0) > 2 * interval

    def _silence(self, study_id: int) -> dict[int, float]:
        """For how many seconds the trials that run gave no sign of life, all by the clock of the database."""
        with _create_scoped_session(self.scoped_session) as session:
            now = session.execute(sqlalchemy.func.now()).scalar_one()
            rows = (
                session.query(models.TrialModel.trial_id, models.TrialHeartbeatModel.heartbeat)
                .join(models.TrialHeartbeatModel)
                .filter(models.TrialModel.study_id == study_id)
                .filter(models.TrialModel.state == TrialState.RUNNING)
                .all()
            )
        # PostgreSQL has a time zone in one of them.
        return {
            trial_id: (now.replace(tzinfo=None) - last.replace(tzinfo=None)).total_seconds()
            for trial_id, last in rows
        }


@contextmanager
def usable(url: str, *more: type[Exception]) -> Iterator[None]:
    """What the database of this URL refuses in the block, and `more` errors, end as SweepError with its own reason."""
    try:
        yield
    except Exception as error:
        if not isinstance(
            error, (sqlalchemy.exc.SQLAlchemyError, optuna.exceptions.OptunaError, *more)
        ):
            raise
        raise SweepError(
            f"hydra.sweeper.storage={_shown(url)}: cannot be used ({reason(error)})"
        ) from error


def reason(error: BaseException) -> str:
    """One line: what the database says, where SQLAlchemy and Optuna only say that it said something."""
    if isinstance(error, optuna.exceptions.StorageInternalError) and error.__cause__ is not None:
        return reason(error.__cause__)
    try:
        lines = str(getattr(error, "orig", None) or error).strip().splitlines()
    except Exception:  # noqa: BLE001  # an error whose own __str__ fails
        lines = []
    return lines[0] if lines else type(error).__name__


def absolute_url(url: Any) -> str:
    """A SQLite file's URL as seen from every folder; other URLs as they are. Raises SweepError for what is none."""
    try:
        parsed = sqlalchemy.make_url(url)
        backend = parsed.get_backend_name()
        if backend != "sqlite":
            return str(url)
        if parsed.database in (None, "", ":memory:"):
            raise SweepError(
                f"hydra.sweeper.storage={url}: expected a file, which workers can share"
            )
        if parsed.database.startswith("file:"):
            raise SweepError(
                f"hydra.sweeper.storage={url}: expected a path, not a URI, after sqlite:///"
            )
        absolute = parsed.set(database=str(Path(parsed.database).absolute()))
        return absolute.render_as_string(hide_password=False)
    except UnicodeEncodeError:
        raise SweepError(f"hydra.sweeper.storage={_shown(url)}: expected a path in UTF-8") from None
    except (sqlalchemy.exc.ArgumentError, ValueError) as error:
        why = "; a port is a whole number" if isinstance(error, ValueError) else ""
        raise SweepError(
            f"hydra.sweeper.storage={_shown(url)}: expected a URL such as sqlite:///FILE{why}"
        ) from None


def _shown(url: Any) -> str:
    """Without the password, also of what is no URL."""
    return re.sub(r"(//[^:/@]*):.*@", r"\1:***@", str(url))


def _refuse_foreign(engine: sqlalchemy.Engine) -> None:
    """Raise SweepError for a database that MLflow or another program keeps its tables in, before there are others in it."""
    seen = sqlalchemy.inspect(engine)
    tables = set(seen.get_table_names())
    owner = "MLflow" if {"experiments", "registered_models"} & tables else None
    for table, column in (("studies", "study_name"), ("trials", "study_id")):
        if table in tables and column not in {found["name"] for found in seen.get_columns(table)}:
            owner = owner or "another program"
    if owner is not None:
        raise SweepError(
            f"hydra.sweeper.storage={engine.url.render_as_string()}: holds {owner}'s tables; "
            "expected a database of its own"
        )


def _engine_options(url: str) -> dict[str, Any]:
    if url.startswith("sqlite"):
        return {"connect_args": {"timeout": 120}}
    return {"pool_pre_ping": True}


def is_alive(trial: FrozenTrial) -> bool | None:
    """Whether the process of the trial's worker lives; None on another machine, of which only heartbeats tell."""
    worker = trial.user_attrs.get(WORKER)
    return False if worker is None else processes.is_alive(str(worker))
