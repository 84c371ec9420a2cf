"""What is asked of runs, whoever made them: the options of `compare` and of `compare_runs`."""

from dataclasses import dataclass


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
