"""One worker: takes trials from the study until none waits, each with a config and an output folder of its own."""

import contextlib
import io
import logging
import math
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import optuna
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import run_job
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict
from optuna.trial import FrozenTrial, TrialState

from mnist_exp.sweeper.hooks import build_hooks, load_function
from mnist_exp.sweeper.interruption import Held, held, interrupt_main_thread, interruptible
from mnist_exp.sweeper.plan import Plan
from mnist_exp.sweeper.processes import machine, this_process
from mnist_exp.sweeper.samplers import build_pruner, build_sampler
from mnist_exp.sweeper.space import SearchSpace
from mnist_exp.sweeper.storage import FAILURE, NothingWaits, StudyStorage
from mnist_exp.sweeper.study import failures, fill
from mnist_exp.sweeper.trial import RunningTrial, running

STOPPED = "stopped_launch"  # user attribute of the study: the launch whose workers must stop now
OUTPUT_FILE = "output.txt"  # what a trial printed, in its folder
_WATCH_SECONDS = 1.0
_LONGEST = 300  # characters of a reason

_log = logging.getLogger(__name__)


class Interrupted(BaseException):
    """A trial was interrupted and waits again. Not an Exception, so that Optuna does not call it failed."""


class TakenOver(BaseException):
    """This process was silent for so long that another worker runs the trial now: what came of it here is void."""


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
    deadline: float | None  # time.time() after which no trial begins

    def __call__(self, _: DictConfig) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        sweeper = self.config.hydra.sweeper
        storage = StudyStorage(self.storage_url, sweeper.heartbeat, self.launch)
        study = optuna.load_study(
            study_name=self.study_name, storage=storage, pruner=build_pruner(sweeper.pruner)
        )
        study_id = storage.get_study_id_from_name(self.study_name)

        def prepare_sampler(number: int) -> None:
            study.sampler = build_sampler(sweeper.sampler, number)

        def after_trial(study: optuna.Study, trial: FrozenTrial) -> None:
            if self.is_over(study):
                study.stop()
                return
            if trial.state == TrialState.FAIL:
                fill(study, storage, self.plan, retry_failed=False)
            storage.give_back_lost(study_id, sweeper.max_retries)

        storage.on_claim = prepare_sampler
        try:
            with _interrupted_when_told(study, self.launch), held() as hold:
                try:
                    while not self.is_over(study):
                        with contextlib.suppress(TakenOver):
                            study.optimize(
                                lambda trial: self._objective(trial, storage, hold),
                                catch=(Exception,),
                                callbacks=[after_trial, lambda *_: hold.check()],
                            )
                except NothingWaits:
                    pass
                finally:
                    storage.give_back_claimed()
        except (Interrupted, KeyboardInterrupt) as interrupted:
            # An error here would make a launcher kill the other workers, which stop by themselves.
            if self._is_parent():
                raise interrupted.__cause__ or interrupted from None

    def is_over(self, study: optuna.Study) -> bool:
        """Whether no further trial may begin: the time is up, too many failed, or the parent says so."""
        if self.deadline is not None and time.time() > self.deadline:
            return True
        stopped = study.user_attrs.get(STOPPED) == self.launch
        return stopped or len(failures(study, self.launch)) > self.plan.failures_allowed

    def _is_parent(self) -> bool:
        return this_process() == self.parent

    def _objective(self, trial: optuna.Trial, storage: StudyStorage, hold: Held) -> Any:
        """The trial's value or values. Raises what the task function raised, Interrupted and TakenOver."""
        try:
            values = self._attempt(trial, hold)
        except KeyboardInterrupt as error:  # a second one, which is not held back
            raise Interrupted from error
        except Exception:
            if not storage.owns(trial._trial_id):
                raise TakenOver from None
            raise
        if not storage.owns(trial._trial_id):
            raise TakenOver
        return values

    def _attempt(self, trial: optuna.Trial, hold: Held) -> Any:
        hooks = build_hooks(self.config.hydra.sweeper.hooks)
        state, why, started = TrialState.COMPLETE, None, None
        try:
            overrides = self._overrides(trial)
            started = RunningTrial(trial, overrides, self._threads())
            config = self._compose(trial.number, overrides)
            hooks.on_trial_start(started, config)
            with running(started):
                return self._values(self._run(config, hold))
        except optuna.TrialPruned as pruned:
            state, why = TrialState.PRUNED, str(pruned)
            raise
        except (Exception, SystemExit) as error:
            if _is_of_interrupt(error):
                state, why = TrialState.WAITING, _one_line(error)
                raise Interrupted from error
            state, why = TrialState.FAIL, _one_line(error)
            trial.set_user_attr(FAILURE, why)
            raise TrialFailed(why) from error
        except BaseException as error:
            state, why = TrialState.WAITING, _one_line(error)
            raise Interrupted from error
        finally:
            if started is not None:
                try:
                    hooks.on_trial_end(started, state.name, why)
                except Exception as error:  # noqa: BLE001  # whatever an application raises
                    _log.warning(f"on_trial_end of trial {trial.number}: {_one_line(error)}")

    def _overrides(self, trial: optuna.Trial) -> tuple[str, ...]:
        for name, distribution in self.space.distributions.items():
            trial._suggest(name, distribution)
        for name, value in self.space.fixed.items():
            trial.set_user_attr(name, value)
        if self.space.extension:
            load_function("custom_search_space", self.space.extension)(self.config, trial)
        if twice := trial.params.keys() & self.space.fixed.keys():
            raise TrialFailed(f"both fixed and searched: {', '.join(sorted(twice))}")
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
                with hold.released():
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
            raise TrialFailed(f"returned {len(values)} values, expected {len(self.plan.directions)}")
        if any(math.isnan(value) for value in values):
            raise TrialFailed(f"returned {returned!r}")
        return values if several else values[0]

    def _threads(self) -> int:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return max(1, cores // self.share) if machine() == self.machine else cores


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
        isinstance(error, KeyboardInterrupt) or _is_of_interrupt(error.__cause__ or error.__context__)
    )


def _one_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    text = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
