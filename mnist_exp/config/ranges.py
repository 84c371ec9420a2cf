"""The range of a setting, beside its field: `dropout: float = setting(0.0, low=0, below=1)`."""

import math
import re
from dataclasses import Field, dataclass, field, fields
from types import NoneType, UnionType
from typing import Any, ClassVar, Union, get_args, get_origin

from mnist_exp.errors import ConfigError

_KEY = "range"  # in the metadata of a dataclass field


@dataclass(frozen=True, kw_only=True)
class Range:
    """The values that a setting can have; None is no bound. A number has to be finite in any case.

    low: the smallest number
    above: a number that is too small
    high: the largest number
    below: a number that is too large
    max_length: the most characters of a text
    can_be_empty: whether a list needs no item
    """

    low: float | None = None
    above: float | None = None
    high: float | None = None
    below: float | None = None
    max_length: int | None = None
    can_be_empty: bool = False

    def __str__(self) -> str:
        """Return the bounds: `from 1 to 28` or `>= 0 and < 1`; an empty text if there is none."""
        if self.low is not None and self.high is not None:
            return f"from {self.low} to {self.high}"
        bounds = ((">=", self.low), (">", self.above), ("<=", self.high), ("<", self.below))
        parts = [f"{sign} {bound}" for sign, bound in bounds if bound is not None]
        if self.max_length is not None:
            parts.append(f"at most {self.max_length} characters")
        return " and ".join(parts)

    def check(self, key: str, value: Any, kind: str = "number") -> None:
        """Raise ConfigError for a value outside of the range, in a list for any of its items.

        None is a setting that is unset, and passes. `kind` is what the message calls a number.
        """
        if isinstance(value, list):
            if not value and not self.can_be_empty:
                raise ConfigError(f"{key}=[]: expected at least one number, found none")
            for item in value:
                self.check(key, item, kind)
        elif isinstance(value, str):
            if self.max_length is not None and len(value) > self.max_length:
                raise ConfigError(f"{key}={value[:40]}...: expected {self}, found {len(value)}")
        elif value is not None and not (math.isfinite(value) and self._holds(value)):
            expected = f"{kind} {self}" if str(self) else f"finite {kind}"
            raise ConfigError(f"{key}={value}: expected a {expected}")

    def _holds(self, number: float) -> bool:
        return (
            (self.low is None or number >= self.low)
            and (self.above is None or number > self.above)
            and (self.high is None or number <= self.high)
            and (self.below is None or number < self.below)
        )


def setting(default: Any, **bounds: Any) -> Any:
    """Return a dataclass field with this default and the `Range` of these bounds.

    Each instance gets its own copy of a list.
    """
    metadata = {_KEY: Range(**bounds)}
    if isinstance(default, list):
        return field(default_factory=lambda: list(default), metadata=metadata)
    return field(default=default, metadata=metadata)


def without_none(kind: Any) -> Any:
    """Return the type of a setting that may be null: of `X | None` it is X."""
    others = [option for option in get_args(kind) if option is not NoneType]
    return others[0] if get_origin(kind) in (Union, UnionType) and len(others) == 1 else kind


def range_of(entry: Field[Any]) -> Range | None:
    """Return the range of a dataclass field; None if any value of its type is allowed."""
    return entry.metadata.get(_KEY)


def check_ranges(settings: Any, prefix: str) -> None:
    """Raise ConfigError for the first field of a dataclass whose value is outside of its range.

    `prefix` is what stands before the field's name on the command line, `model.` for example.
    """
    for entry in fields(settings):
        allowed = range_of(entry)
        if allowed is not None:
            kind = "whole number" if re.search(r"\bint\b", str(entry.type)) else "number"
            allowed.check(f"{prefix}{entry.name}", getattr(settings, entry.name), kind)


class Checked:
    """A dataclass of settings whose values are checked when an instance is made."""

    prefix: ClassVar[str] = ""

    def __post_init__(self) -> None:
        check_ranges(self, self.prefix)
        self.check()

    def check(self) -> None:
        """Raise ConfigError for settings that do not fit together. A subclass extends it."""
