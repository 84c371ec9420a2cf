"""Which values of several objectives are better: those that no others dominate."""

from collections.abc import Sequence


def costs(values: Sequence[float], maximised: Sequence[bool]) -> tuple[float, ...]:
    """Return the values of objectives with signs that make the smaller one better."""
    pairs = zip(values, maximised, strict=True)
    return tuple(-value if is_maximised else value for value, is_maximised in pairs)


def dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    """Return whether the costs of one are as small in every objective, and smaller in one."""
    return tuple(one) != tuple(other) and all(a <= b for a, b in zip(one, other, strict=True))
