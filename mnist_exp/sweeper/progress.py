"""What the parent shows of a sweep: a live table on a terminal, else a line for each trial."""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from itertools import starmap
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState
from rich.console import Group
from rich.live import Live
from rich.table import Table

from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.sweeper.ranking import Settings, best_settings
from mnist_exp.sweeper.space import SearchSpace
from mnist_exp.sweeper.study import why_failed
from mnist_exp.sweeper.terminal import console
from mnist_exp.sweeper.wording import duration

_REFRESH_SECONDS = 1.0
_ROWS = 12  # of the live table


class Display:
    """Follows the study in its database, whoever runs the trials.

    `total` is the number of trials that there are to be. `names` are those of their values. The
    values of the parameter `repeated_by` only repeat a trial: the mean over them decides which
    settings are the best.
    """

    def __init__(
        self,
        study: optuna.Study,
        total: int,
        space: SearchSpace,
        *,
        names: Sequence[str] = (),
        repeated_by: str | None = None,
    ) -> None:
        self._study, self._total, self._space = study, total, space
        count = len(study.directions)
        self._names = [clean(name) for name in names] if len(names) == count else ["value"] * count
        self._repeated_by = repeated_by
        self._name = clean(study.study_name)
        self._console = console()  # on sys.stdout of now: a trial in this process replaces it
        self._started = time.monotonic()
        self._shown = {trial.number for trial in self._trials() if trial.state.is_finished()}
        self._done_before = len(self._shown)

    def nothing_to_do(self, before: Counter[TrialState]) -> None:
        """Say that no trial is started, and show the summary."""
        running = before[TrialState.RUNNING]
        elsewhere = f", {running} {'runs' if running == 1 else 'run'} elsewhere" if running else ""
        total = self._total
        trials = "its only trial is" if total == 1 else f"all {total} trials are"
        self._print(f"study {self._name}: {trials} done{elsewhere}; none is started")
        self.summary()

    def note(self, text: str) -> None:
        """Print something unusual about the sweep."""
        self._print(f"note: {clean(text)}")

    @contextmanager
    def live(self) -> Iterator[None]:
        """Keep the display up to date while the block runs."""
        has_ended = threading.Event()
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
            while True:
                is_last = has_ended.wait(_REFRESH_SECONDS)
                with suppress(optuna.exceptions.StorageInternalError):  # a database that is busy
                    refresh()
                if is_last:
                    return

        follower = threading.Thread(target=follow, daemon=True)
        with live or nullcontext():
            follower.start()
            try:
                yield
            finally:
                has_ended.set()
                follower.join()

    def summary(self) -> None:
        """Print how many trials ended how, the best trials, and why others failed."""
        trials = self._trials()
        counts = _counts(trials)
        shown = ", ".join(
            f"{counts[state]} {state.name.lower()}" for state in TrialState if counts[state]
        )
        self._print(f"study {self._name}: {shown}")
        for best in self._best():
            self._print(f"  best: {self._in_words(best)}, with {self._written(best.params)}")
        failed = [trial for trial in trials if trial.state == TrialState.FAIL]
        if failed:
            self._console.print(_failure_table(failed))
        if counts[TrialState.WAITING]:
            self._print("  The same command goes on with the trials that wait.")

    def next_steps(self, text: str) -> None:
        """Print what to do next, in the words of the study's hooks."""
        if text:
            self._print(text)

    def _trials(self) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False)

    def _best(self) -> list[Settings]:
        return best_settings(self._study, self._repeated_by)

    def _in_words(self, best: Settings) -> str:
        """Return the values, and the trial or the number of repetitions that they are of."""
        if not best.is_mean:
            return f"{self._named(best.values)} in trial {best.trials[0].number}"
        count = len(best.trials)
        repetitions = f"{count} {self._repeated_by}{'' if count == 1 else 's'}"
        return f"{self._named(best.values)} (mean over {repetitions})"

    def _headline(self) -> str:
        ended = _n_results(_counts(self._trials()))
        trials = "trial is" if self._total == 1 else "trials are"
        return f"study {self._name}: {ended} of {self._total} {trials} done"

    def _status(self, trials: Sequence[FrozenTrial]) -> str:
        counts = _counts(trials)
        ended = _n_results(counts)
        new = sum(trial.state.is_finished() for trial in trials) - self._done_before
        seconds = time.monotonic() - self._started
        left = self._total - ended
        rest = f", about {duration(seconds / new * left)} left" if new and left > 0 else ""
        return (
            f"{ended}/{self._total} done, {counts[TrialState.PRUNED]} pruned, "
            f"{counts[TrialState.FAIL]} failed, {counts[TrialState.RUNNING]} running{rest}"
        )

    def _picture(self, trials: Sequence[FrozenTrial]) -> Group:
        """Return the status above a table of the best and the last trials."""
        best = {trial.number for settings in self._best() for trial in settings.trials}
        table = Table()
        for column in ("trial", "state", ", ".join(self._names), "parameters"):
            table.add_column(column, no_wrap=column != "parameters")
        begun = [trial for trial in trials if trial.state != TrialState.WAITING]
        for trial in [t for t in begun[:-_ROWS] if t.number in best] + begun[-_ROWS:]:
            mark = " *" if trial.number in best else ""
            table.add_row(
                f"{trial.number}{mark}",
                trial.state.name,
                _values(trial),
                self._written(trial.params),
            )
        return Group(f"{self._name}: {self._status(trials)}", table)

    def _print_new(self, trials: Sequence[FrozenTrial]) -> None:
        new = [
            trial
            for trial in trials
            if trial.state.is_finished() and trial.number not in self._shown
        ]
        for trial in new:
            self._shown.add(trial.number)
            why = f": {why_failed(trial)}" if trial.state == TrialState.FAIL else ""
            self._print(
                f"trial {trial.number} {trial.state.name}, {self._values(trial)}, "
                f"with {self._written(trial.params)}{why}"
            )
        if new:
            best = "".join(
                f", best so far: {self._in_words(settings)} with {self._written(settings.params)}"
                for settings in self._best()[:1]
            )
            self._print(f"  {self._status(trials)}{best}")

    def _values(self, trial: FrozenTrial) -> str:
        """Return the trial's values, each with its name."""
        return (
            f"{self._names[0]} {_values(trial)}"
            if trial.values is None
            else self._named(trial.values)
        )

    def _named(self, values: Sequence[float]) -> str:
        pairs = zip(self._names, values, strict=True)
        return ", ".join(f"{name} {value:.6g}" for name, value in pairs)

    def _written(self, params: Mapping[str, Any]) -> str:
        """Return parameters as they would be written on the command line."""
        return clean(" ".join(starmap(self._assignment, params.items()))) or "no parameters"

    def _assignment(self, key: str, value: Any) -> str:
        if isinstance(value, float):
            return f"{key}={value:.4g}"
        try:
            return self._space.assignments({key: value})[0]
        except ValueError:  # no override can set it, as the trial's failure says
            return f"{key}={value!r}"

    def _print(self, text: str) -> None:
        self._console.print(text, soft_wrap=True)


def _counts(trials: Sequence[FrozenTrial]) -> Counter[TrialState]:
    return Counter(trial.state for trial in trials)


def _n_results(counts: Counter[TrialState]) -> int:
    """Return how many trials ended well."""
    return counts[TrialState.COMPLETE] + counts[TrialState.PRUNED]


def _failure_table(failed: Sequence[FrozenTrial]) -> Table:
    numbers: defaultdict[str, list[int]] = defaultdict(list)
    for trial in failed:
        numbers[why_failed(trial)].append(trial.number)
    table = Table("failed", "why", "trials", title="failed trials", title_justify="left")
    for why, trials in sorted(numbers.items(), key=lambda item: len(item[1]), reverse=True):
        table.add_row(str(len(trials)), why, ", ".join(map(str, trials)))
    return table


def _values(trial: FrozenTrial) -> str:
    """Return the trial's values, else its last reported value and that one's step, else `-`."""
    if trial.values is not None:
        return ", ".join(f"{value:.6g}" for value in trial.values)
    if trial.intermediate_values:
        step, value = max(trial.intermediate_values.items())
        return f"{value:.6g} at {step}"
    return "-"
