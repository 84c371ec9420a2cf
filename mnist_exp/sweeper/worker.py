"""One worker: it runs the study's waiting trials one after the other until none is left."""

import contextlib
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import optuna
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict
from optuna.exceptions import StorageInternalError
from optuna.pruners import _filter_study
from optuna.storages._heartbeat import get_heartbeat_thread
from optuna.trial import TrialState

from mnist_exp.sweeper.attributes import DRAWN, FAILURE, STOPPED, TIME_IS_UP, of_launch
from mnist_exp.sweeper.cache import StudyCache
from mnist_exp.sweeper.composing import Composer
from mnist_exp.sweeper.errors import SweepError, causes
from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.sweeper.hooks import TrialEnd, build_hooks, load_function
from mnist_exp.sweeper.interruption import Held, held, interrupt_main_thread, interruptible, unblock
from mnist_exp.sweeper.plan import Plan
from mnist_exp.sweeper.processes import cores, machine, this_process
from mnist_exp.sweeper.samplers import build_pruner, build_sampler
from mnist_exp.sweeper.space import SearchSpace
from mnist_exp.sweeper.storage import StudyStorage, TakenOver
from mnist_exp.sweeper.storage_setting import reason, usable
from mnist_exp.sweeper.study import fill
from mnist_exp.sweeper.task import TrialFailed, objective_values, run_task
from mnist_exp.sweeper.trial import RunningTrial, running

_WATCH_SECONDS = 1.0
_LONGEST_REASON = 300  # characters

_log = logging.getLogger(__name__)


class Interrupted(BaseException):
    """A trial was interrupted and waits again."""


@dataclass(frozen=True, kw_only=True)
class Worker:
    """The task function of a worker's job, which the launcher calls on any machine."""

    hydra_context: HydraContext
    config: DictConfig  # of the sweep, without a trial's parameters
    task_function: TaskFunction  # of the application
    plan: Plan
    space: SearchSpace
    study_name: str
    storage_url: str
    launch: str  # names this run of the command
    machine: str  # of the parent
    parent: str  # the parent's process
    n_workers: int  # that share the parent's machine
    handed: Any = None  # what the parent's hooks give to the trials

    def __call__(self, _: DictConfig) -> None:
        """Run trials; an interruption is an error only in the parent's own process."""
        try:
            unblock()
            self._work()
        except (Interrupted, KeyboardInterrupt) as interrupted:
            # An error here would make a launcher kill the other workers, which stop by themselves.
            if this_process() == self.parent:
                raise interrupted.__cause__ or interrupted from None

    def _work(self) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        sweeper = self.config.hydra.sweeper
        storage = StudyStorage(self.storage_url, sweeper.heartbeat, self.launch)
        with usable(self.storage_url, KeyError):  # for a study that somebody has deleted
            study = optuna.load_study(
                study_name=self.study_name,
                storage=StudyCache(storage),
                pruner=build_pruner(sweeper.pruner),
            )
        with usable(self.storage_url), _interrupted_when_told(study, self.launch), held() as hold:
            try:
                self._take_trials(study, storage, hold)
            finally:
                storage.give_back_claimed()

    def _take_trials(self, study: optuna.Study, storage: StudyStorage, hold: Held) -> None:
        """Run one trial after the other, until none waits or none may begin."""
        is_over = self.is_over(study, storage)
        while not is_over and (trial_id := storage.claim(study._study_id)) is not None:
            state = None
            with contextlib.suppress(TakenOver):
                state = self._run_trial(study, storage, trial_id, hold)
            hold.check()
            is_over = self.is_over(study, storage)
            if not is_over:
                if state == TrialState.FAIL:
                    fill(study, storage, self.plan, retry_failed=False)
                storage.give_back_lost(study._study_id, self.config.hydra.sweeper.max_retries)

    def is_over(self, study: optuna.Study, storage: StudyStorage) -> bool:
        """Return True if no further trial may begin: the parent says so, or too many failed."""
        attributes = study.user_attrs
        if any(of_launch(key, self.launch) in attributes for key in (STOPPED, TIME_IS_UP)):
            return True
        return storage.count_failed(study._study_id, self.launch) > self.plan.failures_allowed

    def _run_trial(
        self, study: optuna.Study, storage: StudyStorage, trial_id: int, hold: Held
    ) -> TrialState:
        """Run the trial and write its end to the study. Raises Interrupted and TakenOver."""
        study._thread_local.cached_all_trials = None  # Optuna's samplers know the state before
        study.sampler = build_sampler(
            self.config.hydra.sweeper.sampler, storage.get_trial_number_from_id(trial_id)
        )
        with get_heartbeat_thread(trial_id, storage):
            try:
                trial = optuna.Trial(study, trial_id)
                state, values = self._attempt(trial, storage, hold)
            except KeyboardInterrupt as error:  # a second one, which is not held back
                raise Interrupted from error
        self._tell_sampler(study, trial_id, state, values)
        study.sampler = optuna.samplers.RandomSampler()  # which `tell` has nothing to say to
        study.tell(trial, values, state)
        return state

    def _tell_sampler(
        self,
        study: optuna.Study,
        trial_id: int,
        state: TrialState,
        values: float | list[float] | None,
    ) -> None:
        """Let the sampler see how the trial ended, for instance to compute its constraints.

        Raises SweepError for what the sampler raises, while the trial has no end yet: it waits
        again. Optuna's `tell` would write the end first, and a trial without constraints meets all.
        """
        trial = study._storage.get_trial(trial_id)
        study._thread_local.in_optimize_loop = True  # a sampler that has tried all may stop it
        try:
            study.sampler.after_trial(
                _filter_study(study, trial),
                trial,
                state,
                [values] if isinstance(values, float) else values,
            )
        except (SweepError, StorageInternalError):
            raise
        except Exception as error:
            config = self.config.hydra.sweeper.sampler
            key = ".constraints_func" if config.get("constraints_func") else ""
            raise SweepError(
                f"hydra.sweeper.sampler{key}: cannot be used after trial {trial.number} "
                f"({_one_line(error)}); the trial waits again"
            ) from error

    def _attempt(
        self, trial: optuna.Trial, storage: StudyStorage, hold: Held
    ) -> tuple[TrialState, float | list[float] | None]:
        """Run the trial, and return how it ended with its value or values."""
        hooks = build_hooks(self.config.hydra.sweeper.hooks)
        started: RunningTrial | None = None

        def end(state: TrialState, why: str | None) -> None:
            if not storage.owns(trial._trial_id):
                raise TakenOver
            if state == TrialState.FAIL:
                storage.note(trial._trial_id, {FAILURE: why})
            if started is not None:
                try:
                    hooks.on_trial_end(started, TrialEnd(state.name), why)
                except Exception as error:  # noqa: BLE001  # whatever an application raises
                    _log.warning(f"on_trial_end of trial {trial.number}: {_one_line(error)}")

        try:
            overrides = self._overrides(trial)
            started = RunningTrial(
                trial=trial,
                overrides=overrides,
                threads=self._threads(),
                study_config=self.config,
                handed=self.handed,
            )
            config = self._compose(trial.number, overrides)
            hooks.on_trial_start(started, config)
            with running(started):
                returned = run_task(self.hydra_context, self.task_function, config, hold)
                values = objective_values(returned, len(self.plan.directions))
        except TakenOver:
            raise
        except optuna.TrialPruned as pruned:
            end(TrialState.PRUNED, str(pruned))
            return TrialState.PRUNED, None
        except BaseException as error:
            if not _is_of_interrupt(error):  # asyncio.CancelledError is no Exception, and a failure
                end(TrialState.FAIL, _one_line(error))
                return TrialState.FAIL, None
            end(TrialState.WAITING, _one_line(error))
            raise Interrupted from error
        end(TrialState.COMPLETE, None)
        return TrialState.COMPLETE, values

    def _overrides(self, trial: optuna.Trial) -> tuple[str, ...]:
        """Draw the trial's parameters, and return all its overrides."""
        assert isinstance(trial.storage, StudyCache)
        with trial.storage.drawing(trial._trial_id) as attributes:
            for name, distribution in self.space.distributions.items():
                trial._suggest(name, distribution)
            if self.space.extension:
                load_function("custom_search_space", self.space.extension)(self.config, trial)
            if twice := trial.params.keys() & self.space.fixed.keys():
                raise TrialFailed(f"both fixed and searched: {', '.join(sorted(twice))}")
            attributes.update(self.space.fixed, **{DRAWN: True})
        return self.space.overrides(trial.params)

    @cached_property
    def _composer(self) -> Composer:
        return Composer(self.hydra_context.config_loader, self.config)

    def _compose(self, number: int, overrides: tuple[str, ...]) -> DictConfig:
        config = self._composer.compose(overrides)
        with open_dict(config):
            config.hydra.job.id = f"{config.hydra.job.name}_{number}"
            config.hydra.job.num = number
        return config

    def _threads(self) -> int:
        available = cores() or 1
        return max(1, available // self.n_workers) if machine() == self.machine else available


@contextmanager
def _interrupted_when_told(study: optuna.Study, launch: str) -> Iterator[None]:
    """Interrupt the block as Ctrl-C does when the parent asks this launch's workers to stop."""
    if threading.current_thread() is not threading.main_thread():  # only that can be interrupted
        yield
        return
    has_ended = threading.Event()

    def watch() -> None:
        while not has_ended.wait(_WATCH_SECONDS):
            # A server may be away for a moment.
            with contextlib.suppress(StorageInternalError):
                if of_launch(STOPPED, launch) in study.user_attrs:
                    interrupt_main_thread()
                    return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    with interruptible():
        try:
            yield
        finally:
            has_ended.set()
            watcher.join()


def _is_of_interrupt(error: BaseException) -> bool:
    """Return True if an interruption led to the error, for instance in the middle of a commit."""
    return any(isinstance(cause, KeyboardInterrupt) for cause in causes(error))


def _one_line(error: BaseException) -> str:
    name, why = type(error).__name__, reason(error)
    text = name if why == name else f"{name}: {why}"
    return clean(text, _LONGEST_REASON)
