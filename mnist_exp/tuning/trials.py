"""A study as its page needs it, whoever recorded it: its trials, and which of them are best."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from mnist_exp.sweeper.pareto import costs, dominates


class State(StrEnum):
    """How a trial ended, in the words of the page."""

    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"
    RUNNING = "running"
    WAITING = "waiting"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One trial of a study."""

    number: int  # from 0
    state: State
    params: Mapping[str, object]
    values: tuple[float, ...]  # one an objective; empty unless the trial is complete
    course: Mapping[int, float]  # what it reported after each step, of the first objective
    seconds: float | None
    reason: str = ""  # why it failed
    is_feasible: bool = True  # False: it breaks a constraint of the study, whatever its value

    @property
    def last_report(self) -> tuple[int, float] | None:
        """Return the last step with a finite value, and the value; None if there is none."""
        finite = [point for point in self.course.items() if math.isfinite(point[1])]
        return max(finite, default=None)


@dataclass(frozen=True, kw_only=True)
class Study:
    """The trials of a study, by their numbers."""

    name: str
    objectives: tuple[str, ...]
    maximised: tuple[bool, ...]  # one an objective
    logarithmic: frozenset[str]  # parameters that are searched on a log scale
    trials: tuple[Trial, ...]

    @cached_property
    def parameters(self) -> list[str]:
        """Return the parameters of which the trials have two values or more.

        A parameter that only some trials have is one of them: to be absent is a value, too.
        """
        names = dict.fromkeys(name for trial in self.trials for name in trial.params)
        with_params = [trial.params for trial in self.trials if trial.params]
        return [
            name for name in names if len({repr(p.get(name, "absent")) for p in with_params}) > 1
        ]

    @cached_property
    def complete(self) -> list[Trial]:
        """Return the complete trials whose values can be compared: feasible and finite."""
        return [
            trial
            for trial in self.trials
            if trial.state is State.COMPLETE
            and trial.is_feasible
            and all(map(math.isfinite, trial.values))
        ]

    @cached_property
    def best(self) -> list[Trial]:
        """Return the complete trials from the best on.

        With several objectives these are the trials of the Pareto front, to which no other trial
        is better in one objective and as good in all others, from the best in the first on.
        """
        ranked = sorted(self.complete, key=self._costs)
        if len(self.objectives) == 1:
            return ranked
        return [trial for trial in ranked if not any(self._beats(t, trial) for t in ranked)]

    @cached_property
    def winners(self) -> frozenset[int]:
        """Return the number of the best trial, or those of the Pareto front."""
        best = self.best if len(self.objectives) > 1 else self.best[:1]
        return frozenset(trial.number for trial in best)

    def _costs(self, trial: Trial) -> tuple[float, ...]:
        return costs(trial.values, self.maximised)

    def _beats(self, one: Trial, other: Trial) -> bool:
        return dominates(self._costs(one), self._costs(other))

    def of_state(self, state: State) -> list[Trial]:
        """Return the trials of a state."""
        return [trial for trial in self.trials if trial.state is state]

    @cached_property
    def common_step(self) -> int | None:
        """Return the last step that all trials with a value reached; None if none was pruned."""
        pruned = [trial for trial in self.of_state(State.PRUNED) if trial.last_report]
        if not pruned:
            return None
        return min(max(trial.course) for trial in [*pruned, *self.complete] if trial.course)

    def comparable(self, objective: int = 0) -> list[tuple[Trial, float]]:
        """Return the trials with values that can be compared with each other.

        These are the final values, or those after `common_step` if trials were pruned: the later
        values of a pruned trial do not exist, and without it only good settings would be left.
        """
        step = self.common_step
        if step is None:
            return [(trial, trial.values[objective]) for trial in self.complete]
        reported = [
            (trial, trial.course.get(step, math.nan))
            for trial in self.trials
            if trial.is_feasible and trial.state in (State.COMPLETE, State.PRUNED)
        ]
        return [(trial, value) for trial, value in reported if math.isfinite(value)]

    @property
    def is_search(self) -> bool:
        """Return whether settings were searched with one run of each configuration.

        Otherwise several seeds of a configuration can be compared with those of others.
        """
        return is_search([trial.params for trial in self.trials])


def is_search(params: Iterable[Mapping[str, object]]) -> bool:
    """Return whether trials with these parameters search settings, with one run of each."""
    tried = {
        (_without_seed(of_trial), repr(of_trial.get("seed"))) for of_trial in params if of_trial
    }
    configurations = {configuration for configuration, _ in tried}
    return any(configurations) and len(tried) == len(configurations)


def _without_seed(params: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    return tuple((key, repr(value)) for key, value in params.items() if key != "seed")
