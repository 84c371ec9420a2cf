"""What is searched: overrides and `params` -> Optuna distributions, fixed overrides, and the cells of a grid."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Override, RangeSweep, Transformer
from hydra.errors import HydraException, OverrideParseException
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
    json_to_distribution,
)

from mnist_exp.sweeper import quoting
from mnist_exp.sweeper.errors import SweepError
from mnist_exp.sweeper.foreign_text import clean

_EXTENSION = "hydra.sweeper.custom_search_space"


@dataclass(frozen=True)
class SearchSpace:
    """`distributions` by override key; `fixed` values by key; `deletions` are overrides such as `~key`.

    `extension` names the function that adds parameters of its own.
    """

    distributions: dict[str, BaseDistribution]
    fixed: dict[str, str]
    deletions: tuple[str, ...] = ()
    extension: str | None = None

    @staticmethod
    def parse(
        arguments: Sequence[str],
        config_loader: ConfigLoader | None = None,
        extension: str | None = None,
    ) -> "SearchSpace":
        """From overrides as on the command line; a later one replaces an earlier one of the same key.

        `config_loader` knows the options that a `glob` stands for.
        """
        distributions: dict[str, BaseDistribution] = {}
        fixed: dict[str, str] = {}
        deletions = []
        try:
            overrides = OverridesParser.create(config_loader).parse_overrides(list(arguments))
        except OverrideParseException as error:
            raise SweepError(_explained(error)) from error
        for override in overrides:
            if override.is_delete():
                deletions.append(str(override.input_line))
                continue
            key = override.get_key_element()
            distributions.pop(key, None)
            fixed.pop(key, None)
            if override.is_sweep_override():
                distributions[key] = _distribution(override)
            elif override.is_list_extend():
                fixed[key] = override.get_value_string()
            else:
                fixed[key] = override.get_value_element_as_str()
        return SearchSpace(distributions, fixed, tuple(deletions), extension)

    def overrides(self, params: Mapping[str, Any]) -> tuple[str, ...]:
        """The overrides of a trial with these parameters, after the fixed ones: a part of what those set may vary."""
        fixed = (f"{key}={value}" for key, value in self.fixed.items())
        return (*fixed, *self.assignments(params), *self.deletions)

    def assignments(self, params: Mapping[str, Any]) -> list[str]:
        """`KEY=VALUE` for each parameter. Raises ValueError for a value that no override can set.

        A choice of the space is text of an override already; what `extension` suggests is a value.
        """
        return [
            f"{key}={value}" if key in self.distributions else quoting.override(key, value)
            for key, value in params.items()
        ]

    def contained(self, key: str, value: Any) -> Any:
        """The value as the parameter's distribution has it. Raises SweepError if it is not one of its values."""
        distribution = self.distributions[key]
        if isinstance(distribution, CategoricalDistribution):
            for meaning in (_parsed, lambda choice: choice):
                for choice in distribution.choices:
                    if _is_equal(meaning(choice), value):
                        return choice
        elif type(value) in (int, float) and distribution._contains(value):
            return value
        raise SweepError(
            clean(
                f"hydra.sweeper.enqueue: {key}={value}: expected a value of {_shown(distribution)}"
            )
        )

    def to_dict(self) -> dict[str, str]:
        """Plain text of each part, to keep with the study."""
        spaces = {key: distribution_to_json(value) for key, value in self.distributions.items()}
        extension = {_EXTENSION: self.extension} if self.extension else {}
        return {**spaces, **self.fixed, **{line: "" for line in self.deletions}, **extension}

    def differences(self, recorded: Mapping[str, str]) -> list[str]:
        """`key: before -> now` for each part that is not as recorded."""
        now = self.to_dict()
        return [
            f"{key}: {describe(recorded.get(key))} -> {describe(now.get(key))}"
            for key in sorted({*recorded, *now})
            if recorded.get(key) != now.get(key)
        ]

    def grid(self) -> list[dict[str, Any]]:
        """Every combination of values. Raises SweepError for a parameter with infinitely many."""
        values = {
            key: _values(key, distribution) for key, distribution in self.distributions.items()
        }
        return [
            dict(zip(values, cell, strict=True)) for cell in itertools.product(*values.values())
        ]

    def size(self) -> float:
        """How many configurations there are: infinitely many where a number is continuous or a function adds some."""
        return math.inf if self.extension else math.prod(map(_count, self.distributions.values()))

    def samples(self) -> list[dict[str, Any]]:
        """Parameters that between them meet every choice and both ends of every range."""
        ends = {key: _ends(distribution) for key, distribution in self.distributions.items()}
        first = {key: values[0] for key, values in ends.items()}
        return [first] + [
            {**first, key: value} for key, values in ends.items() for value in values[1:]
        ]


def parameter(key: str, value: Any) -> str:
    """The override that an entry of `hydra.sweeper.params` stands for: text is written as on the command line.

    Raises SweepError for settings within settings, and ValueError for a value that no override can set.
    """
    if isinstance(value, str):
        return f"{key}={value}"
    if isinstance(value, dict):
        raise SweepError(
            f"hydra.sweeper.params: {key}={clean(value)}: expected one value; "
            f"settings within are written {key}.NAME: VALUE"
        )
    written = str(value)  # kept where Hydra reads it so, since a study is named after what it sets
    return (
        f"{key}={written}"
        if repr(_parsed(written)) == repr(value)
        else quoting.override(key, value)
    )


def _explained(error: OverrideParseException) -> str:
    text = str(error.override)
    lines = str(error).partition(f"{text} out of [")[2].replace(text, "").splitlines()[1:]
    noise = ("See ", "Error parsing override", "LexerNoViableAlt")
    reasons = [line for line in lines if line.strip(" ^") and not line.startswith(noise)]
    key, _, value = text.partition("=")
    hint = (
        ""
        if not value or set("'\"([{") & set(value)
        else f"; text is written in quotes: {key}={quoting.quoted(value)}"
    )
    return clean(f"{text}: {reasons[0] if reasons else 'cannot be read'}{hint}")


def _parsed(choice: Any) -> Any:
    """What an override with this choice sets; None where it cannot be parsed."""
    try:
        return OverridesParser.create().parse_override(f"key={choice}").value()
    except HydraException:
        return None


def _is_equal(one: Any, other: Any) -> bool:
    """As Python has it, but that True is not 1."""
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def describe(text: str | None) -> str:
    """One part of `SearchSpace.to_dict` for a person."""
    if text is None:
        return "(none)"
    return _shown(json_to_distribution(text)) if text.startswith('{"name"') else text


def _shown(distribution: Any) -> str:
    """As in an override, but that the end of a range is the last value."""
    if isinstance(distribution, CategoricalDistribution):
        return f"choice({','.join(map(str, distribution.choices))})"
    low, high, step = distribution.low, distribution.high, distribution.step
    if distribution.log:
        return f"tag(log,interval({low},{high}))"
    continuous = step is None or (step == 1 and isinstance(distribution, IntDistribution))
    return f"interval({low},{high})" if continuous else f"{low},{low + step}..{high}"


def _distribution(override: Override) -> BaseDistribution:
    value: Any = override.value()
    tags: set[Any] = getattr(value, "tags", set())  # a glob has none
    if unknown := sorted(map(str, tags - {"log"})):
        raise SweepError(
            f"{override.input_line}: the tag {unknown[0]} means nothing here; expected log"
        )
    if tags and not override.is_interval_sweep():
        raise SweepError(
            f"{override.input_line}: only an interval can be searched by its logarithm; "
            f"expected such as {override.key_or_group}=tag(log,int(interval(1,64)))"
        )
    if override.is_interval_sweep():
        low, high = value.start, value.end
        if not -math.inf < low <= high < math.inf:
            raise SweepError(
                f"{override.input_line}: expected an interval from a number to one that is not smaller"
            )
        whole = isinstance(low, int) and isinstance(high, int)
        log = "log" in value.tags
        if log and low <= 0:
            raise SweepError(
                f"{override.input_line}: expected a start > 0 for a logarithmic interval"
            )
        return (
            IntDistribution(low, high, log=log) if whole else FloatDistribution(low, high, log=log)
        )
    if override.is_range_sweep() and not value.transformers:
        return _range(override, value)
    if isinstance(value, ChoiceSweep | RangeSweep):
        value.shuffle = (
            False  # the order means nothing here, and the same command must mean the same space
        )
    choices: list[Any] = []
    for choice in map(_encode, override.sweep_iterator()):
        # Optuna takes 1, 1.0 and true for the same choice, but not their texts.
        choices.append(str(choice) if choice in choices else choice)
    if not choices:
        raise SweepError(f"{override.input_line}: expected at least one value")
    meanings = [repr(_parsed(choice)) for choice in choices]
    if twice := [choice for i, choice in enumerate(choices) if meanings[i] in meanings[:i]]:
        raise SweepError(f"{override.input_line}: {twice[0]} is listed twice")
    return CategoricalDistribution(choices)


def _encode(value: Any) -> Any:
    """The choice that sets this value in an override: itself, or as text, quoted where it must be."""
    if isinstance(value, str) and _parsed(value) != value:
        return quoting.quoted(value)
    return Transformer.encode(value)


def _range(override: Override, value: Any) -> BaseDistribution:
    """Hydra's range leaves its stop out, Optuna's distributions include their high end."""
    if value.step == 0:
        raise SweepError(f"{override.input_line}: expected a step other than 0")
    start, stop, step = (Decimal(str(number)) for number in (value.start, value.stop, value.step))
    count = math.ceil((stop - start) / step)
    if count <= 0:
        raise SweepError(
            f"{override.input_line}: expected at least one value; a range leaves its stop out"
        )
    low, high = sorted((start, start + (count - 1) * step))
    if all(isinstance(number, int) for number in (value.start, value.stop, value.step)):
        return IntDistribution(int(low), int(high), step=abs(int(step)))
    return FloatDistribution(float(low), float(high), step=float(abs(step)))


def _values(key: str, distribution: BaseDistribution) -> list[Any]:
    match distribution:
        case CategoricalDistribution(choices=choices):
            return list(choices)
        case IntDistribution(low=low, high=high, step=step, log=False):
            return list(range(low, high + 1, step))
        case FloatDistribution(low=low, high=high, step=step) if step is not None:
            count = round((high - low) / step) + 1
            return [float(Decimal(str(low)) + i * Decimal(str(step))) for i in range(count)]
    raise SweepError(f"{key}: expected a choice or a range for a grid, found {distribution!r}")


def _count(distribution: Any) -> float:
    if isinstance(distribution, CategoricalDistribution):
        return len(distribution.choices)
    if distribution.low == distribution.high:
        return 1
    return (
        math.inf
        if distribution.step is None
        else round((distribution.high - distribution.low) / distribution.step) + 1
    )


def _ends(distribution: Any) -> list[Any]:
    if isinstance(distribution, CategoricalDistribution):
        return list(distribution.choices)
    return [distribution.low, distribution.high]
