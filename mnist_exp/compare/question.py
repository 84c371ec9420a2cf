"""What is asked of runs, whoever made them: the options of `compare` and of `compare_runs`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mnist_exp.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is compared, and what a group and its baseline are."""

    metric: str | None = None
    """None: `test/accuracy`, or the only metric that there is."""
    seed: str | None = None
    """The setting, tag or column that is the seed. None: the one that is named like a seed."""
    group_by: tuple[str, ...] = ()
    """The settings or tags that the runs of a group share. Empty: all settings but the seed."""
    baseline: str | None = None
    """`KEY=VALUE,...`. None: the group with most seeds, the oldest if there are several."""
    higher_is_better: bool | None = None
    """None: as the metric's name says."""
    margin: float | str | None = None
    """The smallest difference that matters: asks for tests of equivalence within it."""


def asked(options: Mapping[str, Any]) -> Question:
    """Return what the options ask of the runs; `group_by` is several names, or a text with commas.

    Raises UserError for a direction that is none.
    """
    direction, group_by = options.get("direction"), options.get("group_by") or ()
    if direction not in (None, "maximize", "minimize"):
        raise UserError(f"direction={direction!r}: expected 'maximize' or 'minimize'")
    names = group_by.split(",") if isinstance(group_by, str) else map(str, group_by)
    return Question(
        metric=options.get("metric"),
        seed=options.get("seed"),
        group_by=tuple(name.strip() for name in names if name.strip()),
        baseline=options.get("baseline"),
        higher_is_better=None if direction is None else direction == "maximize",
        margin=options.get("margin"),
    )
