"""The jobs of a plain `-m`: a list of overrides for each combination of their values."""

from collections.abc import Sequence

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser


def combinations(overrides: Sequence[str]) -> list[list[str]]:
    """Return the overrides of each job in their order, as Hydra's own sweeper makes them."""
    parsed = OverridesParser.create().parse_overrides(list(overrides))
    (jobs,) = BasicSweeper.split_arguments(parsed, None)
    return [list(job) for job in jobs]
