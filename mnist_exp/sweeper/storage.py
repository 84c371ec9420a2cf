"""The study's database: one lock for all its workers, trials claimed one by one, those of dead workers given back."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

from mnist_exp.sweeper import database, processes
from mnist_exp.sweeper.errors import SweepError

# User attributes of a trial; fixed overrides are there, too, under their keys.
WORKER = "sweeper:worker"  # the process that runs it, see processes.py
RETRIES = "sweeper:retries"  # how often its worker died
FAILURE = "sweeper:failure"  # why it failed
LAUNCH = "sweeper:launch"  # the command whose worker ran it last

_LOCK = "mnist_exp.sweeper"


class NothingWaits(Exception):
    """No trial is left to claim."""


class StudyStorage(RDBStorage):
    """RDBStorage whose waiting trials are the budget: a worker takes one of them, and cannot make more.

    A trial is claimed and marked with its worker under the study's lock, so that one that runs without a live worker
    has lost it. `launch` names the command on whose behalf trials are claimed here.
    """

    def __init__(self, url: str, heartbeat: int, launch: str | None = None) -> None:
        self.on_claim: Callable[[int], None] = lambda number: None  # told of a trial that was claimed here
        self._launch = launch
        self._claimed: int | None = None  # id of the trial that was claimed here last
        try:
            engine = sqlalchemy.create_engine(url, **_engine_options(url))
            with database.lock(engine, _LOCK), warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                _refuse_foreign(engine)
                super().__init__(url, _engine_options(url), heartbeat_interval=heartbeat)
            engine.dispose()
        except (
            sqlalchemy.exc.SQLAlchemyError,
            optuna.exceptions.OptunaError,
            ImportError,
            OSError,
            RuntimeError,
            ValueError,
        ) as error:
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            shown = sqlalchemy.make_url(url).render_as_string()  # without the password
            raise SweepError(f"hydra.sweeper.storage={shown}: cannot be used ({reason})") from error

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Only one process at a time, on whichever machine, makes, claims or gives back trials."""
        with database.lock(self.engine, _LOCK):
            yield

    def _create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> FrozenTrial:
        if template_trial is None:
            raise NothingWaits
        return super()._create_new_trial(study_id, template_trial)

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        if state != TrialState.RUNNING:
            return super().set_trial_state_values(trial_id, state, values)
        with self.lock():
            if not super().set_trial_state_values(trial_id, state, values):
                return False
            self._claimed = trial_id
            self.set_trial_user_attr(trial_id, LAUNCH, self._launch)
            self.set_trial_user_attr(trial_id, WORKER, processes.this_process())
            self.record_heartbeat(trial_id)
        self.on_claim(self.get_trial(trial_id).number)
        return True

    def _get_stale_trial_ids(self, study_id: int) -> list[int]:
        """None for Optuna, which would fail them: `give_back_lost` lets another worker run them."""
        return []

    def owns(self, trial_id: int) -> bool:
        """Whether the trial still runs in this process: one that was silent for long is given to another worker."""
        trial = self.get_trial(trial_id)
        return trial.state == TrialState.RUNNING and trial.user_attrs.get(WORKER) == processes.this_process()

    def give_back_lost(self, study_id: int, max_retries: int | None) -> list[int]:
        """Let trials whose worker died wait again, and return their numbers; fail those that lost too many.

        `max_retries` None: this does not count as a retry.
        """
        given_back = []
        with self.lock():
            silent = set(super()._get_stale_trial_ids(study_id))
            for trial in self.get_all_trials(study_id, states=(TrialState.RUNNING,)):
                alive = is_alive(trial)
                if alive or (alive is None and trial._trial_id not in silent):
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

    def give_back_claimed(self) -> None:
        """Let the trial that was claimed here and has not ended wait again: its worker stops."""
        with self.lock():
            if self._claimed is not None and self.owns(self._claimed):
                self._wait_again(self._claimed)

    def _wait_again(self, trial_id: int) -> None:
        self.set_trial_user_attr(trial_id, WORKER, None)
        super().set_trial_state_values(trial_id, TrialState.WAITING)


def absolute_url(url: Any) -> str:
    """A SQLite file's URL as seen from every folder; other URLs as they are. Raises SweepError for what is none."""
    try:
        parsed = sqlalchemy.make_url(url)
        backend = parsed.get_backend_name()
    except sqlalchemy.exc.ArgumentError:
        raise SweepError(f"hydra.sweeper.storage={url}: expected a URL such as sqlite:///FILE") from None
    if backend != "sqlite":
        return str(url)
    if parsed.database in (None, "", ":memory:"):
        raise SweepError(f"hydra.sweeper.storage={url}: expected a file, which workers can share")
    if parsed.database.startswith("file:"):
        raise SweepError(f"hydra.sweeper.storage={url}: expected a path, not a URI, after sqlite:///")
    return parsed.set(database=str(Path(parsed.database).absolute())).render_as_string(hide_password=False)


def _refuse_foreign(engine: sqlalchemy.Engine) -> None:
    """Raise SweepError for a database that MLflow keeps its tables in, before there are others in it."""
    if {"experiments", "registered_models"} & set(sqlalchemy.inspect(engine).get_table_names()):
        raise SweepError(
            f"hydra.sweeper.storage={engine.url.render_as_string()}: holds MLflow's tables; "
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
