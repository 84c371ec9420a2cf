"""Optuna's distributions: made from a swept override of Hydra, and read for their values."""

import math
from decimal import Decimal
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Override, RangeSweep, Transformer
from hydra.errors import HydraException
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from mnist_exp.sweeper import quoting
from mnist_exp.sweeper.errors import SweepError
from mnist_exp.sweeper.foreign_text import short


def from_override(override: Override) -> BaseDistribution:
    """Return the distribution of a swept override. Raises SweepError for one that has none."""
    value: Any = override.value()
    tags: set[Any] = getattr(value, "tags", set())  # a glob has none
    if unknown := sorted(map(str, tags - {"log"})):
        raise SweepError(
            f"{short(override.input_line)}: the tag {short(unknown[0])} means nothing here; "
            "expected log"
        )
    if tags and not override.is_interval_sweep():
        raise SweepError(
            f"{short(override.input_line)}: only an interval can be searched by its logarithm; "
            f"expected such as '{override.key_or_group}=tag(log,int(interval(1,64)))'"
        )
    if override.is_interval_sweep():
        return _interval(override, value)
    if override.is_range_sweep() and not value.transformers:
        return _range(override, value)
    return _choice(override, value)


def _interval(override: Override, value: Any) -> BaseDistribution:
    low, high, log = value.start, value.end, "log" in value.tags
    if not -math.inf < low <= high < math.inf:
        raise SweepError(
            f"{short(override.input_line)}: "
            "expected an interval from a number to one that is not smaller"
        )
    if log and low <= 0:
        raise SweepError(
            f"{short(override.input_line)}: expected a start > 0 for a logarithmic interval"
        )
    if isinstance(low, int) and isinstance(high, int):
        return IntDistribution(low, high, log=log)
    return FloatDistribution(low, high, log=log)


def _range(override: Override, value: Any) -> BaseDistribution:
    """Return the distribution of a range: Hydra leaves its stop out, Optuna includes its end."""
    if value.step == 0:
        raise SweepError(f"{short(override.input_line)}: expected a step other than 0")
    start, stop, step = (Decimal(str(number)) for number in (value.start, value.stop, value.step))
    count = math.ceil((stop - start) / step)
    if count <= 0:
        raise SweepError(
            f"{short(override.input_line)}: expected at least one value; "
            "a range leaves its stop out"
        )
    low, high = sorted((start, start + (count - 1) * step))
    if all(isinstance(number, int) for number in (value.start, value.stop, value.step)):
        return IntDistribution(int(low), int(high), step=abs(int(step)))
    return FloatDistribution(float(low), float(high), step=float(abs(step)))


def _choice(override: Override, value: Any) -> CategoricalDistribution:
    if isinstance(value, ChoiceSweep | RangeSweep):
        value.shuffle = False  # the same command must search the same space
    choices: list[Any] = []
    for choice in map(_encode, override.sweep_iterator()):
        # Optuna takes 1, 1.0 and true for the same choice, but not their texts.
        choices.append(str(choice) if choice in choices else choice)
    if not choices:
        raise SweepError(f"{short(override.input_line)}: expected at least one value")
    meanings = [repr(parsed(choice)) for choice in choices]
    if twice := [choice for i, choice in enumerate(choices) if meanings[i] in meanings[:i]]:
        raise SweepError(f"{short(override.input_line)}: {short(twice[0])} is listed twice")
    return CategoricalDistribution(choices)


def _encode(value: Any) -> Any:
    """Return the choice that sets this value in an override: the value, or text with quotes."""
    if isinstance(value, str) and parsed(value) != value:
        return quoting.quoted(value)
    return Transformer.encode(value)


def parsed(choice: Any) -> Any:
    """Return what an override with this choice sets; None where it cannot be parsed."""
    try:
        return OverridesParser.create().parse_override(f"key={choice}").value()
    except HydraException:
        return None


def contained(distribution: Any, value: Any) -> Any:
    """Return the value as the distribution has it. Raises ValueError for any other value."""
    if isinstance(distribution, CategoricalDistribution):
        for meaning in (parsed, lambda choice: choice):
            for choice in distribution.choices:
                if _is_equal(meaning(choice), value):
                    return choice
    elif type(value) in (int, float) and distribution._contains(value):
        return value
    raise ValueError(f"expected a value of {written(distribution)}")


def _is_equal(left: Any, right: Any) -> bool:
    """Compare as Python does, except that True is not 1."""
    return bool(left == right) and isinstance(left, bool) == isinstance(right, bool)


def written(distribution: Any) -> str:
    """Return a distribution as in an override, but the end of a range is its last value."""
    if isinstance(distribution, CategoricalDistribution):
        return f"choice({','.join(map(str, distribution.choices))})"
    low, high, step = distribution.low, distribution.high, distribution.step
    if distribution.log:
        return f"tag(log,interval({low},{high}))"
    continuous = step is None or (step == 1 and isinstance(distribution, IntDistribution))
    return f"interval({low},{high})" if continuous else f"{low},{low + step}..{high}"


def values(key: str, distribution: BaseDistribution) -> list[Any]:
    """Return all values. Raises SweepError, which names the key, if they are infinitely many."""
    match distribution:
        case CategoricalDistribution(choices=choices):
            return list(choices)
        case IntDistribution(low=low, high=high, step=step, log=False):
            return list(range(low, high + 1, step))
        case FloatDistribution(low=low, high=high, step=step) if step is not None:
            count = round((high - low) / step) + 1
            return [float(Decimal(str(low)) + i * Decimal(str(step))) for i in range(count)]
    raise SweepError(f"{key}: expected a choice or a range for a grid, found {distribution!r}")


def size(distribution: Any) -> float:
    """Return the number of values, which is infinite for a continuous interval."""
    if isinstance(distribution, CategoricalDistribution):
        return len(distribution.choices)
    if distribution.low == distribution.high:
        return 1
    if distribution.step is None:
        return math.inf
    return int(round((distribution.high - distribution.low) / distribution.step) + 1)


def ends(distribution: Any) -> list[Any]:
    """Return all choices, or both ends of a range or an interval."""
    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    return [distribution.low, distribution.high]
