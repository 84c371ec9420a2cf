"""What a sweep is to run, from its settings; a wrong setting is a SweepError that names it."""

import json
import math
from collections import Counter
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf
from optuna.study import StudyDirection

from mnist_exp.sweeper.errors import SweepError
from mnist_exp.sweeper.foreign_text import short
from mnist_exp.sweeper.samplers import is_grid
from mnist_exp.sweeper.settings import SETTINGS
from mnist_exp.sweeper.space import SearchSpace

_LEAST = {"max_retries": 0, "heartbeat": 1, "n_trials": 1, "n_workers": 1, "n_jobs": 1}
_NEVER_NULL = ("max_retries", "heartbeat")
_MOST_CELLS = 1_000_000  # of a grid, whose configurations are all kept in memory
_MOST_CHECKED = 50  # configurations of a list; a longer one is checked value by value
_DIRECTIONS = {"minimize": StudyDirection.MINIMIZE, "maximize": StudyDirection.MAXIMIZE}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a sweep is to run."""

    n_trials: int  # that must end well
    configurations: tuple[dict[str, Any], ...]  # to try first; of a grid these are all cells
    directions: tuple[StudyDirection, ...]  # of each objective
    max_failure_rate: float  # share of n_trials that may fail before the sweep stops

    @property
    def is_list(self) -> bool:
        """Return True if nothing is sampled: every trial is one of the configurations."""
        return self.n_trials <= len(self.configurations)

    @property
    def failures_allowed(self) -> int:
        """Return how many trials may fail; it is always less than `n_trials`."""
        # 0.29 * 100 is 28.999999999999996.
        share = math.floor(self.max_failure_rate * self.n_trials + 1e-9)
        return min(share, self.n_trials - 1)


def check_settings(sweeper: DictConfig) -> None:
    """Raise SweepError for a value that no sweep can run with."""
    if missing := sorted(SETTINGS - sweeper.keys()):
        raise SweepError(f"hydra.sweeper.{missing[0]}: is missing; expected a value or null")
    _check_numbers(sweeper)
    if sweeper.params is not None and not OmegaConf.is_dict(sweeper.params):
        raise SweepError(f"hydra.sweeper.params={short(sweeper.params)}: expected {{KEY: VALUE}}")
    for kind in ("sampler", "pruner"):
        node = sweeper[kind]
        is_option = OmegaConf.is_dict(node) and "_target_" in node
        if not is_option and (kind == "sampler" or node is not None):
            name = short(node) if isinstance(node, str) else "NAME"
            raise SweepError(
                f"hydra.sweeper.{kind}={short(node)}: expected hydra/sweeper/{kind}={name}"
            )
    if not isinstance(sweeper.storage, str | None):
        raise SweepError(
            f"hydra.sweeper.storage={short(sweeper.storage)}: "
            "expected a database URL such as sqlite:///optuna.db"
        )
    if not sweeper.direction:
        raise SweepError(
            f"hydra.sweeper.direction={short(sweeper.direction)}: expected minimize or maximize"
        )


def _check_numbers(sweeper: DictConfig) -> None:
    for key, least in _LEAST.items():
        value = sweeper[key]
        if value is None and key not in _NEVER_NULL:
            continue
        if type(value) is not int or value < least:
            raise SweepError(
                f"hydra.sweeper.{key}={short(value)}: expected a whole number >= {least}"
            )
    rate, seconds = sweeper.max_failure_rate, sweeper.timeout
    if not (_is_number(rate) and 0 <= rate <= 1):
        raise SweepError(
            f"hydra.sweeper.max_failure_rate={short(rate)}: expected a fraction from 0 to 1"
        )
    if None not in (sweeper.n_jobs, sweeper.n_workers) and sweeper.n_jobs != sweeper.n_workers:
        raise SweepError(
            f"hydra.sweeper.n_jobs={sweeper.n_jobs} and hydra.sweeper.n_workers="
            f"{sweeper.n_workers}: expected one of them; they mean the same"
        )
    if seconds is not None and not (_is_number(seconds) and seconds > 0):
        raise SweepError(
            f"hydra.sweeper.timeout={short(seconds)}: expected a number of seconds > 0"
        )


def make_plan(sweeper: DictConfig, space: SearchSpace) -> Plan:
    """Return what these settings ask for in this search space. Raises SweepError."""
    listed, n_trials = _enqueued(sweeper, space), sweeper.n_trials
    if is_grid(sweeper.sampler):
        if listed:
            raise SweepError("hydra.sweeper.enqueue: expected []; a grid tries every configuration")
        if math.isfinite(size := space.size()) and size > _MOST_CELLS:
            raise SweepError(
                f"hydra/sweeper/sampler=grid: {size:,.0f} combinations; expected at most "
                f"{_MOST_CELLS:,}, or hydra/sweeper/sampler=random"
            )
        listed = space.grid()
        n_trials = len(listed) if n_trials is None else min(n_trials, len(listed))
    if n_trials is None and not listed:
        raise SweepError(
            "hydra.sweeper.n_trials=null: expected a number, or a grid, or a list in enqueue"
        )
    plan = Plan(
        n_trials=len(listed) if n_trials is None else n_trials,
        configurations=tuple(listed),
        directions=_directions(sweeper.direction),
        max_failure_rate=sweeper.max_failure_rate,
    )
    if space.size() == 1 and plan.n_trials > 1 and not plan.is_list:
        raise SweepError(
            f"hydra.sweeper.n_trials={plan.n_trials}: nothing is searched, so that all trials "
            "would be the same; expected a setting with several values, such as x=1,2 or "
            "'x=interval(0,1)'"
        )
    return plan


def _directions(setting: Any) -> tuple[StudyDirection, ...]:
    """Return the directions of a word or a list of words, or of the official plugin's enum."""
    words = list(setting) if OmegaConf.is_list(setting) else [setting]
    names = [str(getattr(word, "name", word)) for word in words]
    if unknown := [name for name in names if name not in _DIRECTIONS]:
        raise SweepError(
            f"hydra.sweeper.direction={short(unknown[0])}: expected minimize or maximize"
        )
    return tuple(_DIRECTIONS[name] for name in names)


def samples(plan: Plan, space: SearchSpace) -> list[dict[str, Any]]:
    """Return parameters that together contain every value that will be tried.

    Of a list of more than 50 configurations, only the first 50 are included as a whole.
    """
    if plan.is_list and len(plan.configurations) <= _MOST_CHECKED:
        return list(plan.configurations)
    return [*space.samples(), *plan.configurations[:_MOST_CHECKED]]


def trial_notes(plan: Plan, space: SearchSpace) -> list[str]:
    """Return notes on configurations that are tried more than once, or are listed but not tried."""
    lines, seen = [], Counter[str]()
    for entry in plan.configurations:
        text = json.dumps(entry, sort_keys=True)
        seen[text] += 1
        is_whole = not space.extension and space.distributions.keys() <= entry.keys()
        if is_whole and seen[text] == 2:
            lines.append(
                f"hydra.sweeper.enqueue: {short(' '.join(space.assignments(entry)))} "
                "is listed more than once and tried as often"
            )
    if space.size() < plan.n_trials and not plan.is_list:
        lines.append(
            f"hydra.sweeper.n_trials={plan.n_trials}, but there are only {space.size()} "
            "configurations: some are tried more than once. hydra/sweeper/sampler=grid tries each "
            "once"
        )
    if plan.n_trials < len(plan.configurations):
        lines.append(
            f"hydra.sweeper.n_trials={plan.n_trials}: of {len(plan.configurations)} "
            "configurations, only the first are tried, and the next in place of one that fails; "
            "hydra.sweeper.n_trials=null tries all"
        )
    return lines


def _enqueued(sweeper: DictConfig, space: SearchSpace) -> list[dict[str, Any]]:
    """Return what `enqueue` lists, each value as its distribution has it.

    Only with a custom search space may there be keys that are not searched.
    """
    listed = (
        OmegaConf.to_container(sweeper.enqueue, resolve=True) if sweeper.enqueue is not None else []
    )
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise SweepError(
            f"hydra.sweeper.enqueue={short(listed)}: expected a list of {{KEY: VALUE}}"
        )
    searched = space.distributions
    for key in {key for entry in listed for key in entry} - searched.keys():
        if sweeper.custom_search_space:
            continue
        if key in space.fixed:
            raise SweepError(
                f"{key}={short(space.fixed[key])}: expected no value, or several; trials that "
                "hydra.sweeper.enqueue lists have their own"
            )
        raise SweepError(
            f"hydra.sweeper.enqueue: {short(key)} is not searched; "
            f"expected some of {', '.join(searched) or 'none'}"
        )
    return [
        {
            key: space.contained(key, value) if key in searched else value
            for key, value in entry.items()
        }
        for entry in listed
    ]


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)
