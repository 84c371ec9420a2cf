"""From the sweeper's settings to what is to be run, or to a SweepError that names the setting."""

import json
import math
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig, OmegaConf

from mnist_exp.sweeper.errors import SweepError
from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.sweeper.samplers import is_grid
from mnist_exp.sweeper.settings import SETTINGS
from mnist_exp.sweeper.space import SearchSpace

_LEAST = {"max_retries": 0, "heartbeat": 1, "n_trials": 1, "n_workers": 1, "n_jobs": 1}


@dataclass(frozen=True)
class Plan:
    """`configurations`: parameters to try first, or all cells of a grid; `n_trials`: how many must end well."""

    n_trials: int
    configurations: tuple[dict[str, Any], ...]
    directions: tuple[str, ...]
    max_failure_rate: float

    @property
    def is_list(self) -> bool:
        """Whether there is nothing to sample: every trial is one of the configurations."""
        return self.n_trials <= len(self.configurations)

    @property
    def failures_allowed(self) -> int:
        """More stop the sweep; as many as there are trials stop it in any case."""
        share = math.floor(
            self.max_failure_rate * self.n_trials + 1e-9
        )  # 0.29 * 100 is 28.999999999999996
        return min(share, self.n_trials - 1)


def check_settings(sweeper: DictConfig) -> None:
    """Raise SweepError for a value that no sweep can run with."""
    if missing := sorted(SETTINGS - sweeper.keys()):
        raise SweepError(f"hydra.sweeper.{missing[0]}: is missing; expected a value or null")
    for key, least in _LEAST.items():
        value = sweeper[key]
        if value is None and key not in ("max_retries", "heartbeat"):
            continue
        if type(value) is not int or value < least:
            raise SweepError(f"hydra.sweeper.{key}={value}: expected a whole number >= {least}")
    if not (_is_number(sweeper.max_failure_rate) and 0 <= sweeper.max_failure_rate <= 1):
        raise SweepError(
            f"hydra.sweeper.max_failure_rate={sweeper.max_failure_rate}: expected a fraction from 0 to 1"
        )
    if None not in (sweeper.n_jobs, sweeper.n_workers) and sweeper.n_jobs != sweeper.n_workers:
        raise SweepError(
            f"hydra.sweeper.n_jobs={sweeper.n_jobs} and hydra.sweeper.n_workers={sweeper.n_workers}: "
            "expected one of them; they mean the same"
        )
    if sweeper.timeout is not None and not (_is_number(sweeper.timeout) and sweeper.timeout > 0):
        raise SweepError(
            f"hydra.sweeper.timeout={sweeper.timeout}: expected a number of seconds > 0"
        )
    if sweeper.params is not None and not OmegaConf.is_dict(sweeper.params):
        raise SweepError(f"hydra.sweeper.params={sweeper.params}: expected {{KEY: VALUE}}")
    for kind in ("sampler", "pruner"):
        node = sweeper[kind]
        if (node is not None or kind == "sampler") and not (
            OmegaConf.is_dict(node) and "_target_" in node
        ):
            raise SweepError(
                f"hydra.sweeper.{kind}={clean(node)}: expected hydra/sweeper/{kind}=NAME"
            )
    if not isinstance(sweeper.storage, str | None):
        raise SweepError(
            f"hydra.sweeper.storage={clean(sweeper.storage)}: expected a database URL such as sqlite:///optuna.db"
        )
    if not sweeper.direction:
        raise SweepError(
            f"hydra.sweeper.direction={sweeper.direction}: expected minimize or maximize"
        )


def make_plan(sweeper: DictConfig, space: SearchSpace) -> Plan:
    directions = (
        list(sweeper.direction) if OmegaConf.is_list(sweeper.direction) else [sweeper.direction]
    )
    names = tuple(str(getattr(direction, "name", direction)) for direction in directions)
    if unknown := [name for name in names if name not in ("minimize", "maximize")]:
        raise SweepError(f"hydra.sweeper.direction={unknown[0]}: expected minimize or maximize")
    listed, n_trials = _enqueued(sweeper, space), sweeper.n_trials
    if is_grid(sweeper.sampler):
        if listed:
            raise SweepError(
                f"hydra.sweeper.enqueue={sweeper.enqueue}: a grid tries every configuration; expected []"
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
        directions=names,
        max_failure_rate=sweeper.max_failure_rate,
    )
    if space.size() == 1 and plan.n_trials > 1 and not plan.is_list:
        raise SweepError(
            f"hydra.sweeper.n_trials={plan.n_trials}: nothing is searched, so that all trials would be the same; "
            "expected a setting with several values, such as x=1,2 or x=interval(0,1)"
        )
    return plan


def repetitions(plan: Plan, space: SearchSpace) -> list[str]:
    """What a user should know before the first trial: why the same configuration will be tried more than once."""
    texts = [json.dumps(entry, sort_keys=True) for entry in plan.configurations]
    is_whole = [
        not space.extension and space.distributions.keys() <= entry.keys()
        for entry in plan.configurations
    ]
    lines = [
        f"hydra.sweeper.enqueue: {' '.join(space.assignments(entry))} is listed more than once and tried as often"
        for i, entry in enumerate(plan.configurations)
        if is_whole[i] and texts[:i].count(texts[i]) == 1
    ]
    if space.size() < plan.n_trials and not plan.is_list:
        lines.append(
            f"hydra.sweeper.n_trials={plan.n_trials}, but there are only {space.size()} configurations: some are "
            "tried more than once. hydra/sweeper/sampler=grid tries each once"
        )
    return lines


def _enqueued(sweeper: DictConfig, space: SearchSpace) -> list[dict[str, Any]]:
    """What `enqueue` lists, each value as its distribution has it; only a custom search space knows other keys."""
    listed = (
        OmegaConf.to_container(sweeper.enqueue, resolve=True) if sweeper.enqueue is not None else []
    )
    if not isinstance(listed, list) or not all(isinstance(entry, dict) for entry in listed):
        raise SweepError(f"hydra.sweeper.enqueue={listed}: expected a list of {{KEY: VALUE}}")
    searched = space.distributions
    for key in {key for entry in listed for key in entry} - searched.keys():
        if not sweeper.custom_search_space:
            raise SweepError(
                f"hydra.sweeper.enqueue: {key} is not searched; expected some of {', '.join(searched) or 'none'}"
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
