"""Run a sweep's workers until no trial waits, and again after some have died."""

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import optuna
from optuna.exceptions import StorageInternalError
from optuna.trial import TrialState

from mnist_exp.sweeper import launchers
from mnist_exp.sweeper.attributes import LAUNCH, RETRIES, STOPPED, TIME_IS_UP, of_launch
from mnist_exp.sweeper.errors import SweepError
from mnist_exp.sweeper.hooks import StudyHooks
from mnist_exp.sweeper.interruption import Stop, held, stoppable
from mnist_exp.sweeper.progress import Display
from mnist_exp.sweeper.storage import StudyStorage, is_alive
from mnist_exp.sweeper.study import failed_trials, fill, why_failed
from mnist_exp.sweeper.worker import Worker

# Launches in a row without progress after which another is tried: workers may die before they
# claim a trial.
_FRUITLESS_LAUNCHES = 1
_END_SECONDS = 3.0  # for workers whose launcher gave up to give their trials back
_POLL_SECONDS = 1.0  # while trials of other machines or commands, or a database, are waited for


@dataclass(frozen=True, kw_only=True)
class Supervisor:
    """Runs the workers of one command."""

    worker: Worker
    study: optuna.Study
    storage: StudyStorage
    display: Display
    hooks: StudyHooks

    def run(self) -> None:
        """Run the trials between the hooks' start and end of the study.

        Raises SystemExit if a signal stopped the sweep, and SweepError if its failures did.
        """
        config = self.worker.config
        stop, is_begun = Stop(), False
        try:
            with stoppable(self._tell_to_stop, at_once=launchers.is_basic(config)) as stop:
                with held():
                    self.hooks.on_study_start(self.study, config)
                    is_begun = True
                stop.check()
                with self.display.live(), self._time_limit(config.hydra.sweeper.timeout):
                    self._launch_until_done(stop)
        except KeyboardInterrupt as interrupt:
            # A trial in this process may have handled the signal, and say which one it was.
            code = getattr(interrupt, "exit_code", 128 + signal.SIGINT)
            raise SystemExit(128 + stop.signum if stop.signum else code) from interrupt
        finally:
            with _told_before():
                self.display.summary()
            if is_begun:
                with _told_before():
                    self.hooks.on_study_end(self.study, config)
                    self.display.next_steps(self.hooks.next_steps(self.study, config))
        self._refuse_failures()

    def _launch_until_done(self, stop: Stop) -> None:
        """Launch workers until no trial waits. Raises their error when they make no progress."""
        fruitless = 0
        while fruitless <= _FRUITLESS_LAUNCHES:
            before, error = self._progress(), None
            try:
                try:
                    launchers.run_workers(self.worker, self._missing_workers())
                except SweepError as refused:
                    # Another worker would meet it, too. Hydra would show where it comes from.
                    raise SweepError(str(refused)) from None
                except Exception as caught:  # noqa: BLE001  # perhaps a worker's death
                    error = caught
                    self._wait_for_end()
                stop.check()
                if not self._must_launch_again(stop):
                    return
            except BaseException:
                with _told_before():
                    self._tell_to_stop()
                    self._wait_for_end()
                    self.storage.give_back_lost(self.study._study_id, max_retries=None)
                raise
            fruitless = 0 if self._progress() > before else fruitless + 1
        if error is not None:
            raise error

    def _missing_workers(self) -> int:
        """Return how many workers to launch, at least one.

        Where a launcher gives up because one worker died, as those of submitit and Ray do, the
        others live on.
        """
        launches = self.storage.attributes(self.study._study_id, LAUNCH)
        living = launches.count((TrialState.RUNNING, self.worker.launch))
        return max(1, self.worker.n_workers - living)

    def _must_launch_again(self, stop: Stop) -> bool:
        """Return True if trials wait after all workers of the launcher have ended.

        Trials of dead workers on other machines are waited for until their heartbeats are missing.
        So are trials that another command's workers run on this machine: they live on where their
        command was killed.
        """
        study_id = self.study._study_id
        is_noted, before = False, None
        while True:
            self.storage.give_back_lost(study_id, self.worker.config.hydra.sweeper.max_retries)
            if self.worker.is_over(self.study, self.storage):
                return False
            counts = self.storage.counts(study_id)
            if counts != before:  # looking through a large list takes long
                fill(self.study, self.storage, self.worker.plan, retry_failed=False)
                counts = before = self.storage.counts(study_id)
            if counts[TrialState.WAITING]:
                return True
            beside = self.storage.running_beside(study_id)
            launches = self.storage.attributes(study_id, LAUNCH)
            if not beside and (TrialState.RUNNING, self.worker.launch) not in launches:
                return False
            if beside and not is_noted:
                numbers = ", ".join(str(trial.number) for trial in beside)
                self.display.note(
                    f"waiting for trial {numbers}, "
                    "which a worker of another command runs on this machine"
                )
                is_noted = True
            time.sleep(_POLL_SECONDS)
            stop.check()

    def _progress(self) -> int:
        """Return a number that grows with every trial that ends, and with every retry."""
        counts = self.storage.counts(self.study._study_id)
        ended = sum(counts[state] for state in TrialState if state.is_finished())
        retries = self.storage.attributes(self.study._study_id, RETRIES)
        return int(ended + sum(number for _, number in retries))

    def _tell_to_stop(self) -> None:
        self._note_of_launch(STOPPED)

    def _note_of_launch(self, key: str) -> None:
        self.study.set_user_attr(of_launch(key, self.worker.launch), True)

    @contextmanager
    def _time_limit(self, seconds: float | None) -> Iterator[None]:
        """Let no trial begin after so many seconds.

        The parent measures them for all workers: the clocks of machines may be set.
        """
        has_ended = threading.Event()

        def tell_workers(wait: float) -> None:
            while not has_ended.wait(wait):
                with contextlib.suppress(StorageInternalError):  # it may be busy for a moment
                    self._note_of_launch(TIME_IS_UP)
                    return
                wait = _POLL_SECONDS

        if seconds is not None:
            wait = min(seconds, threading.TIMEOUT_MAX)
            threading.Thread(target=tell_workers, args=(wait,), daemon=True).start()
        try:
            yield
        finally:
            has_ended.set()

    def _wait_for_end(self) -> None:
        """Wait some seconds for the trials that this launch still runs on this machine."""
        latest = time.monotonic() + _END_SECONDS
        while time.monotonic() < latest and any(
            trial.user_attrs.get(LAUNCH) == self.worker.launch and is_alive(trial)
            for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        ):
            time.sleep(0.1)

    def _refuse_failures(self) -> None:
        """Raise SweepError if more trials failed than are allowed."""
        plan, failed = self.worker.plan, failed_trials(self.study, self.worker.launch)
        if len(failed) > plan.failures_allowed:
            raise SweepError(
                f"study {self.worker.study_name}: {len(failed)} failed; "
                f"hydra.sweeper.max_failure_rate={plan.max_failure_rate} of {plan.n_trials} trials "
                f"allows {plan.failures_allowed}\n"
                f"Trial {failed[-1].number}: {why_failed(failed[-1])}"
            )


def _told_before() -> contextlib.suppress:
    """Let an error that is under way be told, and not that the database is silent since then."""
    is_under_way = sys.exc_info()[0] is not None
    return contextlib.suppress(*([StorageInternalError] if is_under_way else []))
