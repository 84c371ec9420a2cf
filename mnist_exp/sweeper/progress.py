"""What the parent shows of a sweep: a live table on a terminal, else a line for each trial that ends; a summary."""

import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import starmap
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.sweeper.lasting_stream import LastingStream
from mnist_exp.sweeper.plan import Plan
from mnist_exp.sweeper.space import SearchSpace
from mnist_exp.sweeper.study import counts, reason
from mnist_exp.sweeper.wording import duration

_REFRESH_SECONDS = 1.0
_ROWS = 12  # of the live table


class Display:
    """Follows the study in its storage, whoever runs the trials."""

    def __init__(self, study: optuna.Study, plan: Plan, space: SearchSpace) -> None:
        self._study, self._plan, self._space = study, plan, space
        self._name = clean(study.study_name)
        if getattr(sys.stdout, "errors", None) == "strict":
            sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a name in any encoding
        # The stream of now, since trials in this process redirect sys.stdout.
        self._console = Console(file=LastingStream(), emoji=False)  # type: ignore[arg-type]
        self._started = time.monotonic()
        self._shown = {trial.number for trial in self._trials() if trial.state.is_finished()}
        self._done_before = len(self._shown)

    def nothing_to_do(self, before: Mapping[str, int]) -> None:
        running = f", {before['RUNNING']} run elsewhere" if before["RUNNING"] else ""
        self._print(
            f"study {self._name}: all {self._plan.n_trials} trials are there{running}; none is started"
        )
        self.summary()

    def note(self, text: str) -> None:
        """Tell what is unusual about the sweep."""
        self._print(f"note: {clean(text)}")

    @contextmanager
    def live(self) -> Iterator[None]:
        """Keep the display up to date while the block runs."""
        over = threading.Event()
        self._print(self._headline())
        live = (
            Live(console=self._console, auto_refresh=False) if self._console.is_terminal else None
        )

        def refresh() -> None:
            trials = self._trials()
            if live is not None:
                live.update(self._picture(trials), refresh=True)
            else:
                self._print_new(trials)

        def follow() -> None:
            while not over.wait(_REFRESH_SECONDS):
                with suppress(optuna.exceptions.StorageInternalError):  # a database that is busy
                    refresh()

        follower = threading.Thread(target=follow, daemon=True)
        try:
            if live is not None:
                live.start()
            follower.start()
            yield
        finally:
            over.set()
            follower.join()
            refresh()
            if live is not None:
                live.stop()

    def summary(self) -> None:
        """How many trials ended how, the best, and why others failed."""
        trials = self._trials()
        number = counts(trials)
        shown = ", ".join(f"{count} {state.lower()}" for state, count in number.items() if count)
        self._print(f"study {self._name}: {shown}")
        for trial in self._best():
            self._print(
                f"  best: trial {trial.number}, {_values(trial)} with {self._params(trial)}"
            )
        failed = [trial for trial in trials if trial.state == TrialState.FAIL]
        if failed:
            self._console.print(_failure_table(failed))
        if number["WAITING"]:
            self._print("  The same command goes on with the trials that wait.")

    def _trials(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False)

    def _best(self) -> Sequence[FrozenTrial]:
        return _best(self._study)

    def _headline(self) -> str:
        number = counts(self._trials())
        ended = number["COMPLETE"] + number["PRUNED"]
        return f"study {self._name}: {ended} of {self._plan.n_trials} trials are there"

    def _status(self, trials: Sequence[FrozenTrial]) -> str:
        number = counts(trials)
        ended = number["COMPLETE"] + number["PRUNED"]
        new = sum(trial.state.is_finished() for trial in trials) - self._done_before
        seconds = time.monotonic() - self._started
        left = self._plan.n_trials - ended
        rest = f", about {duration(seconds / new * left)} left" if new and left > 0 else ""
        return (
            f"{ended}/{self._plan.n_trials} done, {number['PRUNED']} pruned, {number['FAIL']} failed, "
            f"{number['RUNNING']} running{rest}"
        )

    def _picture(self, trials: Sequence[FrozenTrial]) -> Group:
        """The status above a table of the best and the last trials."""
        best = {trial.number for trial in self._best()}
        table = Table()
        for column in ("trial", "state", "value", "parameters"):
            table.add_column(column, no_wrap=column != "parameters")
        seen = [trial for trial in trials if trial.state != TrialState.WAITING]
        for trial in [t for t in seen[:-_ROWS] if t.number in best] + seen[-_ROWS:]:
            mark = " *" if trial.number in best else ""
            table.add_row(
                f"{trial.number}{mark}", trial.state.name, _values(trial), Text(self._params(trial))
            )
        return Group(Text(f"{self._name}: {self._status(trials)}"), table)

    def _print_new(self, trials: Sequence[FrozenTrial]) -> None:
        new = [
            trial
            for trial in trials
            if trial.state.is_finished() and trial.number not in self._shown
        ]
        for trial in new:
            self._shown.add(trial.number)
            why = f": {clean(reason(trial))}" if trial.state == TrialState.FAIL else ""
            self._print(
                f"trial {trial.number} {trial.state.name} {_values(trial)} with {self._params(trial)}{why}"
            )
        if new:
            best = "".join(
                f", best {_values(trial)} in trial {trial.number}" for trial in self._best()[:1]
            )
            self._print(f"  {self._status(trials)}{best}")

    def _params(self, trial: FrozenTrial) -> str:
        """What the trial sets, as it would be written on the command line."""
        return clean(" ".join(starmap(self._assignment, trial.params.items()))) or "no parameters"

    def _assignment(self, key: str, value: Any) -> str:
        if isinstance(value, float):
            return f"{key}={value:.4g}"
        try:
            return self._space.assignments({key: value})[0]
        except ValueError:  # no override can set it, as the trial's failure says
            return f"{key}={value!r}"

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def _best(study: optuna.Study) -> Sequence[FrozenTrial]:
    if len(study.directions) > 1:
        return study.best_trials
    try:
        return [study.best_trial]
    except ValueError:
        return []


def _failure_table(failed: Sequence[FrozenTrial]) -> Table:
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for trial in failed:
        numbers[clean(reason(trial))].append(trial.number)
    table = Table("failed", "why", "trials", title="failed trials", title_justify="left")
    for why, trials in sorted(numbers.items(), key=lambda item: len(item[1]), reverse=True):
        table.add_row(str(len(trials)), Text(why), ", ".join(map(str, trials)))
    return table


def _values(trial: FrozenTrial) -> str:
    if trial.values is not None:
        return ", ".join(f"{value:.6g}" for value in trial.values)
    if trial.intermediate_values:
        step, value = max(trial.intermediate_values.items())
        return f"{value:.6g} at {step}"
    return "-"
