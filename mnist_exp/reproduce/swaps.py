"""What each swapped setting adds to its tutorial's CNN at full length."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mnist_exp.compare.labels import tidy
from mnist_exp.compare.paired_effects import PairedEffect, intervals
from mnist_exp.errors import UserError
from mnist_exp.reproduce.presets import BLOG, NOTEBOOK
from mnist_exp.reproduce.runs import PresetRuns
from mnist_exp.reproduce.swap_programs import Program
from mnist_exp.tracking import costs
from mnist_exp.tracking.runs import Store

PAGE = "swaps.md"
MARGIN = 0.002  # the smallest effect that matters: 20 of 10,000 test images, as in `explain`


@dataclass(frozen=True, kw_only=True)
class Change:
    """What differs between two programs that have seeds in common."""

    seeds: tuple[int, ...]
    effect: PairedEffect  # on the test accuracy, one value for each of the seeds


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A program's runs, and what its swapped setting adds to the tutorial's CNN."""

    program: Program
    runs: PresetRuns
    change: Change | None  # None for the CNN as it is

    @property
    def mean(self) -> float:
        """Return the mean test accuracy."""
        return float(np.mean([*self.runs.accuracies.values()]))


@dataclass(frozen=True, kw_only=True)
class Swaps:
    """Both CNNs and those with a swapped setting."""

    measured: tuple[Measured, ...]  # each CNN as it is, followed by its swaps
    gap: Change  # from the blog's CNN to the notebook's

    @property
    def is_complete(self) -> bool:
        """Return whether no run is missing."""
        return not any(one.runs.missing for one in self.measured)

    def effects(self, base: str | None = None) -> list[PairedEffect]:
        """Return what the swaps of one CNN add, or of both."""
        wanted = [one for one in self.measured if base in (None, one.program.base)]
        return [one.change.effect for one in wanted if one.change]


def measure(runs: Sequence[tuple[Program, PresetRuns]]) -> Swaps:
    """Compare each program with its tutorial's CNN, seed by seed.

    Raises UserError if they have no seed in common.
    """
    own = {program.base: found for program, found in runs if not program.difference}
    changes = {
        program.preset.name: _change(program, found, own[program.base])
        for program, found in runs
        if program.difference
    }
    return Swaps(
        measured=tuple(
            Measured(program=program, runs=found, change=changes.get(program.preset.name))
            for program, found in runs
        ),
        gap=_change(None, own[NOTEBOOK], own[BLOG]),
    )


def _change(program: Program | None, runs: PresetRuns, base: PresetRuns) -> Change:
    """Return what `runs` have more than `base`; without a program it is the gap."""
    seeds = sorted(runs.accuracies.keys() & base.accuracies.keys())
    if not seeds:
        raise UserError(
            f"{runs.preset.name} and {base.preset.name}: no seed has finished runs of both; the "
            "same command goes on"
        )
    values = [runs.accuracies[seed] - base.accuracies[seed] for seed in seeds]
    before, after = program.values if program else (base.preset.name, runs.preset.name)
    effect = PairedEffect(
        name=program.swapped if program else "gap",
        before=tidy(str(before)),
        after=tidy(str(after)),
        values=tuple(values),
        interval=intervals([np.array(values)])[0],
    )
    return Change(seeds=tuple(seeds), effect=effect)


def table(swaps: Swaps) -> pd.DataFrame:
    """Return swaps.csv: a line for each run, and for each seed of the gap.

    What is computed from all seeds stands in each line of a program.
    """
    parts = [
        _lines(one.change, one.runs.accuracies).assign(
            program=one.program.preset.name,
            setting=one.program.difference.key if one.program.difference else None,
            run_id=[one.runs.run_ids[seed] for seed in one.runs.accuracies],
            test_accuracy=[*one.runs.accuracies.values()],
            mean=one.mean,
        )
        for one in swaps.measured
    ]
    gap = _lines(swaps.gap, dict.fromkeys(swaps.gap.seeds)).assign(program="gap")
    columns = ["program", "setting", "before", "after", "seed", "run_id", "test_accuracy", "mean"]
    columns += ["change", "mean_change", "low", "high", "noticed", "is_shown"]
    return pd.DataFrame([line for part in [*parts, gap] for line in part.to_dict("records")])[
        columns
    ]


def _lines(change: Change | None, seeds: Mapping[int, object]) -> pd.DataFrame:
    """Return a line for each seed with what the change adds to it."""
    lines = pd.DataFrame({"seed": [*seeds]})
    if change is None:
        return lines
    effect = change.effect
    return lines.assign(
        before=effect.before,
        after=effect.after,
        change=lines["seed"].map(dict(zip(change.seeds, effect.values, strict=True))),
        mean_change=effect.mean,
        low=effect.interval.low,
        high=effect.interval.high,
        noticed=effect.noticed,
        is_shown=effect.is_shown,
    )


def cost_lines(store: Store, swaps: Swaps) -> pd.DataFrame:
    """Return the lines of runs.csv."""
    parts = [
        costs.table(
            store,
            one.runs.considered,
            dict.fromkeys(one.runs.run_ids.values(), one.program.preset.name),
            PAGE,
        )
        for one in swaps.measured
        if one.runs.considered is not None
    ]
    return pd.concat(parts, ignore_index=True)
