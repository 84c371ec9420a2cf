"""What each swapped setting adds to its tutorial's CNN at full length."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mnist_exp.compare.labels import tidy
from mnist_exp.compare.paired_effects import PairedEffect
from mnist_exp.compare.statistics import holm
from mnist_exp.errors import UserError
from mnist_exp.reproduce.presets import BLOG, NOTEBOOK
from mnist_exp.reproduce.runs import PresetRuns
from mnist_exp.reproduce.swap_programs import Program

PAGE = "swaps.md"


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A program's runs, and what its swapped setting adds to the tutorial's CNN."""

    program: Program
    runs: PresetRuns
    seeds: tuple[int, ...]  # of the finished runs; with a swap, those that the CNN as it is has too
    effect: PairedEffect | None = None  # None for the CNN as it is, and without a seed
    left: PairedEffect | None = None  # of the gap with this swap; None as above

    @property
    def accuracies(self) -> tuple[float, ...]:
        """Return the test accuracy of each of the seeds."""
        return tuple(self.runs.accuracies[seed] for seed in self.seeds)

    @property
    def mean(self) -> float:
        """Return the mean test accuracy; NaN without a seed."""
        return float(np.mean(self.accuracies)) if self.seeds else np.nan


@dataclass(frozen=True, kw_only=True)
class Swaps:
    """Both CNNs and those with a swapped setting."""

    measured: tuple[Measured, ...]  # each CNN as it is, followed by its swaps
    gap: Measured  # the notebook's CNN, and what it has more than the blog's

    @property
    def is_complete(self) -> bool:
        """Return whether no run is missing."""
        return not any(one.runs.missing for one in self.measured)

    def effects(self, base: str | None = None) -> list[PairedEffect]:
        """Return what the swaps of one CNN add, or of both."""
        wanted = [one for one in self.measured if base in (None, one.program.base)]
        return [one.effect for one in wanted if one.effect]


def interactions(swaps: Swaps) -> list[PairedEffect]:
    """Return how much more the same change adds to the blog's CNN than to the notebook's.

    One for each difference that was swapped in both, by the seeds that have all four runs.
    """
    of_name: dict[str, dict[str, Measured]] = {}
    for one in swaps.measured:
        if one.program.swap and one.effect:
            of_name.setdefault(one.program.swap.difference, {})[one.program.base] = one
    return [
        _interaction(name, both[BLOG], both[NOTEBOOK])
        for name, both in of_name.items()
        if len(both) == 2 and {*both[BLOG].seeds} & {*both[NOTEBOOK].seeds}
    ]


def _interaction(name: str, blog: Measured, notebook: Measured) -> PairedEffect:
    assert blog.effect is not None
    assert notebook.effect is not None
    # The notebook's CNN has the change undone, so that what it adds there has the other sign.
    undone = dict(zip(notebook.seeds, notebook.effect.values, strict=True))
    done = zip(blog.seeds, blog.effect.values, strict=True)
    return PairedEffect(
        name=name,
        before=blog.effect.before,
        after=blog.effect.after,
        values=tuple(value + undone[seed] for seed, value in done if seed in undone),
    )


def measure(found: Sequence[tuple[Program, PresetRuns]]) -> Swaps:
    """Compare each program with its tutorial's CNN, seed by seed.

    Raises UserError if one of the two CNNs as they are has no run, or they have no seed in common.
    """
    own = {program.base: (program, runs) for program, runs in found if program.swap is None}
    for program, runs in own.values():
        if not runs.accuracies:
            reason = next(iter(runs.missing.values()))
            raise UserError(f"{program.name}: no run has finished ({reason})")
    as_they_are = {base: runs for base, (_, runs) in own.items()}
    program, runs = own[NOTEBOOK]
    effect = _gap(as_they_are)
    if effect is None:
        raise UserError("the two CNNs as they are: no seed has a finished run of both")
    gap = Measured(program=program, runs=runs, seeds=_common(*as_they_are.values()), effect=effect)
    return Swaps(
        measured=tuple(_measured(program, runs, as_they_are) for program, runs in found), gap=gap
    )


def _measured(
    program: Program, runs: PresetRuns, as_they_are: Mapping[str, PresetRuns]
) -> Measured:
    swap, base = program.swap, as_they_are[program.base]
    if swap is None:
        return Measured(program=program, runs=runs, seeds=_common(runs))
    return Measured(
        program=program,
        runs=runs,
        seeds=_common(runs, base),
        effect=_effect((swap.name, tidy(str(swap.before)), tidy(str(swap.after))), base, runs),
        left=_gap({**as_they_are, program.base: runs}),
    )


def _common(*of: PresetRuns) -> tuple[int, ...]:
    """Return the seeds with a finished run of each program."""
    return tuple(sorted(set.intersection(*(set(runs.accuracies) for runs in of))))


def _gap(of: Mapping[str, PresetRuns]) -> PairedEffect | None:
    return _effect(("gap", "blog's CNN", "notebook's CNN"), of[BLOG], of[NOTEBOOK])


def _effect(
    names: tuple[str, str, str], before: PresetRuns, after: PresetRuns
) -> PairedEffect | None:
    """Return what the runs `after` have more than those `before` with the same seeds."""
    values = tuple(
        after.accuracies[seed] - before.accuracies[seed] for seed in _common(before, after)
    )
    name, old, new = names
    return PairedEffect(name=name, before=old, after=new, values=values) if values else None


def table(swaps: Swaps) -> pd.DataFrame:
    """Return swaps.csv: a line for each run, and for each seed of the gap.

    What is computed from all seeds stands in each line of a program.
    """
    p_holm = holm([one.effect.p if one.effect else np.nan for one in swaps.measured])
    lines = [
        _lines(one, one.program.name, p) for one, p in zip(swaps.measured, p_holm, strict=True)
    ]
    return pd.concat([*lines, _lines(swaps.gap, "gap", np.nan)], ignore_index=True)


def _lines(one: Measured, name: str, p_holm: float) -> pd.DataFrame:
    effect, left, swap = one.effect, one.left, one.program.swap
    interval = effect.interval if effect else None
    rest = left.interval if left else None
    return pd.DataFrame(
        {
            "program": name,
            "setting": swap.key if swap else None,
            "before": effect.before if effect else None,
            "after": effect.after if effect else None,
            "seed": one.seeds,
            "run_id": [one.runs.run_ids[seed] for seed in one.seeds],
            "test_accuracy": one.accuracies,
            "mean": one.mean,
            "change": effect.values if effect else np.nan,
            "mean_change": effect.mean if effect else np.nan,
            "low": interval.low if interval else np.nan,
            "high": interval.high if interval else np.nan,
            "p": effect.p if effect else np.nan,
            "p_holm": p_holm,
            "noticed": effect.noticed if effect else np.nan,
            "is_shown": effect.is_shown if effect else None,
            "left": left.mean if left else np.nan,
            "left_low": rest.low if rest else np.nan,
            "left_high": rest.high if rest else np.nan,
        }
    )
