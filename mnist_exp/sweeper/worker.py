"""One worker: takes trials from the study until none waits, each with a config and an output folder of its own."""

import contextlib
import io
import logging
import math
import os
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NoReturn, TextIO

import optuna
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import run_job
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict
from optuna.storages._heartbeat import get_heartbeat_thread
from optuna.trial import TrialState

from mnist_exp.sweeper.cache import StudyCache
from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.sweeper.hooks import build_hooks, load_function
from mnist_exp.sweeper.interruption import Held, held, interrupt_main_thread, interruptible, unblock
from mnist_exp.sweeper.plan import Plan
from mnist_exp.sweeper.processes import machine, this_process
from mnist_exp.sweeper.samplers import build_pruner, build_sampler
from mnist_exp.sweeper.space import SearchSpace
from mnist_exp.sweeper.storage import DRAWN, FAILURE, StudyStorage, TakenOver, reason, usable
from mnist_exp.sweeper.study import fill
from mnist_exp.sweeper.trial import RunningTrial, running

# User attributes of the study.
STOPPED = "stopped_launch"  # the launch whose workers must stop now
TIME_IS_UP = "launch_out_of_time"  # the launch whose workers begin no further trial
OUTPUT_FILE = "output.txt"  # what a trial printed, in its folder
_WATCH_SECONDS = 1.0
_LONGEST = 300  # characters of a reason

_log = logging.getLogger(__name__)


class Interrupted(BaseException):
    """A trial was interrupted and waits again."""


class TrialFailed(Exception):
    """A trial ended with a value that cannot be used."""


@dataclass(frozen=True)
class Worker:
    """The task function of a worker job, called by the launcher in whichever process, on whichever machine."""

    hydra_context: HydraContext
    config: DictConfig  # of the sweep, without a trial's parameters
    task_function: TaskFunction
    plan: Plan
    space: SearchSpace
    study_name: str
    storage_url: str
    launch: str  # names this run of the command
    machine: str  # of the parent
    parent: str  # its process
    share: int  # workers that share the parent's machine

    def __call__(self, _: DictConfig) -> None:
        try:
            unblock()
            self._work()
        except (Interrupted, KeyboardInterrupt) as interrupted:
            # An error here would make a launcher kill the other workers, which stop by themselves.
            if self._is_parent():
                raise interrupted.__cause__ or interrupted from None

    def _work(self) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        sweeper = self.config.hydra.sweeper
        storage = StudyStorage(self.storage_url, sweeper.heartbeat, self.launch)
        with usable(self.storage_url, KeyError):  # of a study that somebody removed
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
        """One after the other, until none waits or none may begin."""
        over = self.is_over(study, storage)
        while not over and (trial_id := storage.claim(study._study_id)) is not None:
            state = None
            with contextlib.suppress(TakenOver):
                state = self._run_trial(study, storage, trial_id, hold)
            hold.check()
            over = self.is_over(study, storage)
            if not over:
                if state == TrialState.FAIL:
                    fill(study, storage, self.plan, retry_failed=False)
                storage.give_back_lost(study._study_id, self.config.hydra.sweeper.max_retries)

    def is_over(self, study: optuna.Study, storage: StudyStorage) -> bool:
        """Whether no further trial may begin: the parent says so, or too many failed."""
        attributes = study.user_attrs
        if self.launch in (attributes.get(STOPPED), attributes.get(TIME_IS_UP)):
            return True
        return storage.count_failed(study._study_id, self.launch) > self.plan.failures_allowed

    def _is_parent(self) -> bool:
        return this_process() == self.parent

    def _run_trial(
        self, study: optuna.Study, storage: StudyStorage, trial_id: int, hold: Held
    ) -> TrialState:
        """How the trial ended, as the study has it now. Raises Interrupted and TakenOver."""
        study._thread_local.cached_all_trials = (
            None  # what Optuna's samplers know is of the trial before
        )
        study.sampler = build_sampler(
            self.config.hydra.sweeper.sampler, storage.get_trial_number_from_id(trial_id)
        )
        with get_heartbeat_thread(trial_id, storage):
            try:
                trial = optuna.Trial(study, trial_id)
                state, values = self._attempt(trial, storage, hold)
            except KeyboardInterrupt as error:  # a second one, which is not held back
                raise Interrupted from error
        study.tell(trial, values, state)
        return state

    def _attempt(
        self, trial: optuna.Trial, storage: StudyStorage, hold: Held
    ) -> tuple[TrialState, float | list[float] | None]:
        """How the trial ended, and its value or values."""
        hooks = build_hooks(self.config.hydra.sweeper.hooks)
        started: RunningTrial | None = None

        def end(state: TrialState, why: str | None) -> None:
            if not storage.owns(trial._trial_id):
                raise TakenOver
            if state == TrialState.FAIL:
                storage.note(trial._trial_id, {FAILURE: why})
            if started is not None:
                try:
                    hooks.on_trial_end(started, state.name, why)
                except Exception as error:  # noqa: BLE001  # whatever an application raises
                    _log.warning(f"on_trial_end of trial {trial.number}: {_one_line(error)}")

        try:
            overrides = self._overrides(trial, storage)
            started = RunningTrial(trial, overrides, self._threads())
            config = self._compose(trial.number, overrides)
            hooks.on_trial_start(started, config)
            with running(started):
                values = self._values(self._run(config, hold))
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

    def _overrides(self, trial: optuna.Trial, storage: StudyStorage) -> tuple[str, ...]:
        for name, distribution in self.space.distributions.items():
            trial._suggest(name, distribution)
        if self.space.extension:
            load_function("custom_search_space", self.space.extension)(self.config, trial)
        if twice := trial.params.keys() & self.space.fixed.keys():
            raise TrialFailed(f"both fixed and searched: {', '.join(sorted(twice))}")
        storage.note(trial._trial_id, {**self.space.fixed, DRAWN: True})
        return self.space.overrides(trial.params)

    def _compose(self, number: int, overrides: tuple[str, ...]) -> DictConfig:
        config = self.hydra_context.config_loader.load_sweep_config(self.config, list(overrides))
        with open_dict(config):
            config.hydra.job.id = f"{config.hydra.job.name}_{number}"
            config.hydra.job.num = number
        return config

    def _run(self, config: DictConfig, hold: Held) -> Any:
        result = run_job(
            hydra_context=self.hydra_context,
            task_function=partial(self._task, hold),
            config=config,
            job_dir_key="hydra.sweep.dir",
            job_subdir_key="hydra.sweep.subdir",
        )
        with contextlib.redirect_stderr(
            io.StringIO()
        ):  # where Hydra announces a failure, in the middle of a table
            returned = result.return_value
        if isinstance(returned, optuna.TrialPruned):
            raise returned
        return returned

    def _task(self, hold: Held, config: DictConfig) -> Any:
        """The task function with its output in a file, so that one progress display serves all workers."""
        folder = Path(HydraConfig.get().runtime.output_dir)
        with (folder / OUTPUT_FILE).open("a") as output, _output_to(output):
            try:
                with hold.released(), _without_its_children():
                    return self.task_function(config)
            except optuna.TrialPruned as pruned:
                return pruned  # an exception would be in the job's log as a failure

    def _values(self, returned: Any) -> float | list[float]:
        several = len(self.plan.directions) > 1
        try:
            values = [float(value) for value in (returned if several else [returned])]
        except (TypeError, ValueError):
            raise TrialFailed(
                f"returned {returned!r}, expected {'numbers' if several else 'a number'}"
            ) from None
        if len(values) != len(self.plan.directions):
            raise TrialFailed(
                f"returned {len(values)} values, expected {len(self.plan.directions)}"
            )
        if any(math.isnan(value) for value in values):
            raise TrialFailed(f"returned {returned!r}")
        return values if several else values[0]

    def _threads(self) -> int:
        cores = (
            len(os.sched_getaffinity(0))
            if hasattr(os, "sched_getaffinity")
            else os.cpu_count() or 1
        )
        return max(1, cores // self.share) if machine() == self.machine else cores


@contextmanager
def _without_its_children() -> Iterator[None]:
    """A child that was forked in the block ends at the block's end, as at a program's: the trial is its parent's."""
    parent = os.getpid()
    try:
        yield
    except BaseException as error:
        if os.getpid() != parent:
            _end_process(error)
        raise
    if os.getpid() != parent:
        _end_process(SystemExit())


def _end_process(error: BaseException) -> NoReturn:
    """End this process with the words and the exit code that Python has for the error, and nothing else that is registered."""
    code = error.code if isinstance(error, SystemExit) else 1
    if not isinstance(error, SystemExit):
        traceback.print_exception(error)
    elif not isinstance(code, int | None):
        print(code, file=sys.stderr)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code & 0xFF if isinstance(code, int) else int(code is not None))


@contextmanager
def _output_to(file: TextIO) -> Iterator[None]:
    """What is printed and logged to the terminal in the block goes to the file."""
    terminals = [
        (handler, handler.stream)
        for handler in logging.getLogger().handlers
        if type(handler) is logging.StreamHandler
    ]
    with contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
        for handler, _ in terminals:
            handler.setStream(file)
        try:
            yield
        finally:
            for handler, stream in terminals:
                handler.setStream(stream)


@contextmanager
def _interrupted_when_told(study: optuna.Study, launch: str) -> Iterator[None]:
    """Interrupt the block, as Ctrl-C does, when the parent asks the workers of this launch to stop."""
    if threading.current_thread() is not threading.main_thread():  # which alone can be interrupted
        yield
        return
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_WATCH_SECONDS):
            with contextlib.suppress(
                optuna.exceptions.StorageInternalError
            ):  # a server that is away for a moment
                if study.user_attrs.get(STOPPED) == launch:
                    interrupt_main_thread()
                    return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    with interruptible():
        try:
            yield
        finally:
            over.set()
            watcher.join()


def _is_of_interrupt(error: BaseException | None) -> bool:
    """Whether an interruption led to the error, as when a database is left in the middle of a commit."""
    return error is not None and (
        isinstance(error, KeyboardInterrupt)
        or _is_of_interrupt(error.__cause__ or error.__context__)
    )


def _one_line(error: BaseException) -> str:
    name, why = type(error).__name__, reason(error)
    text = name if why == name else f"{name}: {why}"
    return clean(text, _LONGEST)
