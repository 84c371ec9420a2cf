"""Start sweeps of the trivial task as a user does, look at their study, and kill their workers."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial, TrialState

from mnist_exp.sweeper.attributes import WORKER
from mnist_exp.sweeper.storage import StudyStorage, is_alive
from tests.support.sweeps import apps
from tests.support.waiting import LIMIT, until

NAME = "trivial"
_ROOT = Path(__file__).parents[3]
_COMMAND = (
    *(sys.executable, "-m", "tests.support.sweeps.trivial", "-m", "hydra/sweeper=optuna_study"),
    *("x=interval(0.0,1.0)", f"hydra.sweeper.study_name={NAME}"),
)


def environment() -> dict[str, str]:
    """Return variables with which a command finds the tests' modules.

    With them Ray leaves nothing in the home folder and sends nothing.
    """
    ray = {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
    return {**os.environ, **ray, "PYTHONPATH": str(_ROOT)}


class Sweep:
    """A running command; its output goes to a file, so that nobody has to read it meanwhile."""

    def __init__(self, folder: Path, url: str, *overrides: str, **settings: object) -> None:
        self._output = folder / f"output-{time.monotonic_ns()}.txt"
        with self._output.open("w") as output:
            self._process = subprocess.Popen(
                [*_COMMAND, *overrides, *apps.written({"storage": url, **settings})],
                cwd=folder,
                env=environment(),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._output.read_text()

    def runs(self) -> bool:
        return self._process.poll() is None

    def wait(self) -> None:
        """Raises AssertionError unless it ends well."""
        try:
            code = self._process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still running after {LIMIT} s: {self.output}") from None
        assert code == 0, self.output

    def kill(self) -> None:
        """The command and all its workers."""
        if self.runs():
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def load(url: str) -> optuna.Study:
    """Raises KeyError if there is no such study yet."""
    return optuna.load_study(study_name=NAME, storage=StudyStorage(url, heartbeat=60))


def load_soon(url: str, sweep: Sweep) -> optuna.Study:
    """The study that the sweep is about to make."""
    made: list[optuna.Study] = []

    def is_made() -> bool:
        assert sweep.runs(), f"no study: {sweep.output}"
        with suppress(KeyError):
            made.append(load(url))
        return bool(made)

    until(is_made, "the study")
    return made[0]


def ended(study: optuna.Study) -> int:
    """How many trials have a result."""
    states = (TrialState.COMPLETE, TrialState.PRUNED)
    return len(study.get_trials(deepcopy=False, states=states))


def kill_a_worker(study: optuna.Study) -> bool:
    """Kill -9 of one of the workers that have a trial just now; False if there is none."""
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    owners = [trial.user_attrs[WORKER] for trial in running if is_alive(trial)]
    if not owners:
        return False
    try:
        os.kill(int(random.choice(owners).split("/")[1]), signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def assert_exactly(url: str, n_trials: int) -> list[FrozenTrial]:
    """`n_trials` results with the numbers 0, 1 ... and nothing else in the study."""
    trials = load(url).get_trials()
    states = Counter(trial.state.name for trial in trials)
    assert set(states) <= {"COMPLETE", "PRUNED"}, states
    assert sorted(trial.number for trial in trials) == list(range(n_trials))
    return trials


def workers(trials: list[FrozenTrial]) -> set[str]:
    """The processes that ended the trials."""
    return {trial.user_attrs[WORKER] for trial in trials}
