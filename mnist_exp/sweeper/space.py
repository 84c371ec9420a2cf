"""What a sweep searches: its overrides, each one fixed or with a distribution."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import OverrideParseException
from optuna.distributions import BaseDistribution, distribution_to_json, json_to_distribution

from mnist_exp.sweeper import distributions, quoting, unreadable
from mnist_exp.sweeper.errors import SweepError
from mnist_exp.sweeper.foreign_text import clean, short

_EXTENSION = "hydra.sweeper.custom_search_space"


@dataclass(frozen=True, kw_only=True)
class SearchSpace:
    """What is searched, and what is the same in all trials."""

    distributions: dict[str, BaseDistribution]  # by override key
    fixed: dict[str, str]  # values by override key
    deletions: tuple[str, ...] = ()  # overrides such as ~key
    order: tuple[str, ...] = ()  # of all keys and deletions, as they were given
    extension: str | None = None  # name of the function that adds parameters of its own

    @staticmethod
    def parse(
        arguments: Sequence[str],
        config_loader: ConfigLoader | None = None,
        extension: str | None = None,
    ) -> "SearchSpace":
        """Read overrides as on the command line, of which the last one for a key counts.

        `config_loader` knows the options that a `glob` stands for. Raises SweepError for an
        override that cannot be read or searched.
        """
        searched: dict[str, BaseDistribution] = {}
        fixed: dict[str, str] = {}
        deletions: list[str] = []
        order: list[str] = []
        try:
            overrides = OverridesParser.create(config_loader).parse_overrides(list(arguments))
        except OverrideParseException as error:
            raise SweepError(_explained(error)) from error
        for override in overrides:
            if override.is_delete():
                deletions.append(str(override.input_line))
                order.append(deletions[-1])
                continue
            key = override.get_key_element()
            if key in searched.keys() | fixed.keys():
                order.remove(key)
            order.append(key)
            searched.pop(key, None)
            fixed.pop(key, None)
            if override.is_sweep_override():
                searched[key] = distributions.from_override(override)
            elif override.is_list_extend():
                fixed[key] = override.get_value_string()
            else:
                fixed[key] = override.get_value_element_as_str()
        return SearchSpace(
            distributions=searched,
            fixed=fixed,
            deletions=tuple(deletions),
            order=tuple(order),
            extension=extension,
        )

    def overrides(self, params: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the overrides of a trial with these parameters.

        Fixed values and deletions have the order in which they were given. Parameters come after
        them, since one may replace a part of what they set, but before a deletion that was given
        later and deletes a part of the parameter.
        """
        assignments = dict(zip(params, self.assignments(params), strict=True))
        ordered = []
        for place, given in enumerate(self.order):
            if given in self.fixed:
                ordered.append(f"{given}={self.fixed[given]}")
            elif given in self.deletions:
                before = [key for key in self.order[:place] if key in assignments]
                ordered += [assignments.pop(key) for key in before if _share(key, given)]
                ordered.append(given)
        return (*ordered, *assignments.values())

    def assignments(self, params: Mapping[str, Any]) -> list[str]:
        """Return `KEY=VALUE` for each parameter.

        A choice is already written as in an override; what `extension` suggests is a value. Raises
        ValueError for a value that no override can set.
        """
        return [
            f"{key}={value}" if key in self.distributions else quoting.override(key, value)
            for key, value in params.items()
        ]

    def contained(self, key: str, value: Any) -> Any:
        """Return the value as the parameter's distribution has it.

        Raises SweepError if the distribution does not contain it.
        """
        try:
            return distributions.contained(self.distributions[key], value)
        except ValueError as error:
            raise SweepError(
                f"hydra.sweeper.enqueue: {short(f'{key}={value}')}: {clean(error)}"
            ) from None

    def to_dict(self) -> dict[str, str]:
        """Return plain text for each part, which is kept with the study."""
        spaces = {key: distribution_to_json(value) for key, value in self.distributions.items()}
        extension = {_EXTENSION: self.extension} if self.extension else {}
        return {**spaces, **self.fixed, **{line: "" for line in self.deletions}, **extension}

    def differences(
        self, recorded: Mapping[str, str], present_name: Callable[[str], str] = str
    ) -> list[str]:
        """Return `key: before -> now` for each part that differs from the record.

        `present_name` leads from a name of the custom search space's function to its present one.
        """
        now = self.to_dict()
        changed = {key for key in {*recorded, *now} if recorded.get(key) != now.get(key)}
        if {_EXTENSION} <= {*recorded} & {*now}:
            before, after = str(recorded[_EXTENSION]), str(now[_EXTENSION])
            if present_name(before) == present_name(after):
                changed.discard(_EXTENSION)
        return [
            f"{key}: {describe(recorded.get(key))} -> {describe(now.get(key))}"
            for key in sorted(changed)
        ]

    def grid(self) -> list[dict[str, Any]]:
        """Return every combination of values.

        Raises SweepError for a parameter with infinitely many values.
        """
        values = [distributions.values(*item) for item in self.distributions.items()]
        return [
            dict(zip(self.distributions, cell, strict=True)) for cell in itertools.product(*values)
        ]

    def size(self) -> float:
        """Return the number of configurations.

        It is infinite if a number is continuous, or if a function adds parameters.
        """
        if self.extension:
            return math.inf
        return math.prod(map(distributions.size, self.distributions.values()))

    def samples(self) -> list[dict[str, Any]]:
        """Return configurations that contain every choice and both ends of every range."""
        ends = {key: distributions.ends(value) for key, value in self.distributions.items()}
        first = {key: values[0] for key, values in ends.items()}
        return [first] + [
            {**first, key: value} for key, values in ends.items() for value in values[1:]
        ]


def _share(key: str, deletion: str) -> bool:
    """Return True if what the override sets holds what the deletion deletes, or lies in it."""
    one, other = (f"{text.partition('=')[0].strip('+~')}." for text in (key, deletion))
    return one.startswith(other) or other.startswith(one)


def parameter(key: str, value: Any) -> str:
    """Return the override that an entry of `hydra.sweeper.params` stands for.

    A text means what it means on the command line. Raises SweepError for settings within settings,
    and ValueError for a value that no override can set.
    """
    if isinstance(value, str):
        return f"{key}={value}"
    if isinstance(value, dict):
        raise SweepError(
            f"hydra.sweeper.params: {key}={short(value)}: expected one value; "
            f"settings within are written {key}.NAME: VALUE"
        )
    # A study is named after its overrides: one that needs no quotes must not get any.
    if repr(distributions.parsed(str(value))) == repr(value):
        return f"{key}={value}"
    return quoting.override(key, value)


def _explained(error: OverrideParseException) -> str:
    """Return the override that cannot be read, and why or how it is written."""
    text = str(error.override)
    key, _, value = text.partition("=")
    if value and not set("'\"([{") & set(value):
        hint = f"text is written in quotes: {key}={quoting.quoted(value)}"
    else:
        hint = unreadable.reason(error)
    return f"{short(text)}: cannot be read; {clean(hint)}"


def describe(text: str | None) -> str:
    """Return one part of `SearchSpace.to_dict` as a person reads it."""
    if text is None:
        return "(none)"
    return distributions.written(json_to_distribution(text)) if text.startswith('{"name"') else text
