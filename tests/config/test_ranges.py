"""Ranges beside their fields."""

import math
import re
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import pytest

from mnist_exp.config.group_schemas import SCHEMAS
from mnist_exp.config.ranges import Checked, Range, range_of, setting
from mnist_exp.config.schema import Config
from mnist_exp.errors import ConfigError


@dataclass(kw_only=True)
class Cooking(Checked):
    prefix: ClassVar[str] = "cooking."
    minutes: int = setting(3, low=1, high=60)
    share: float = setting(0.5, above=0, below=1)
    sizes: list[int] = setting([2], low=1)
    name: str | None = setting(None, max_length=3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"minutes": 0}, "cooking.minutes=0: expected a whole number from 1 to 60"),
        ({"minutes": 61}, "cooking.minutes=61: expected"),
        ({"share": 0}, "cooking.share=0: expected a number > 0 and < 1"),
        ({"share": 1.0}, "cooking.share=1.0: expected"),
        ({"share": math.nan}, "cooking.share=nan: expected"),
        ({"sizes": [3, 0]}, "cooking.sizes=0: expected a whole number >= 1"),
        ({"sizes": []}, r"cooking.sizes=\[\]: expected at least one number"),
        ({"name": "long"}, "cooking.name=long...: expected at most 3 characters, found 4"),
    ],
)
def test_a_value_outside_of_its_range_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{message}"):
        Cooking(**settings)


def test_bounds_that_are_allowed() -> None:
    Cooking(minutes=1, share=0.999, name="abc")
    Cooking(minutes=60)


def test_each_instance_has_a_list_of_its_own() -> None:
    Cooking().sizes.append(5)
    assert Cooking().sizes == [2]


def test_a_number_without_bounds_is_finite() -> None:
    with pytest.raises(ConfigError, match="x=inf: expected a finite number"):
        Range().check("x", math.inf)


def test_every_number_of_the_schemas_has_a_range() -> None:
    schemas = [Config, *(schema for kinds in SCHEMAS.values() for schema in kinds.values())]
    bare = [
        entry.name
        for schema in schemas
        for entry in fields(schema)
        if range_of(entry) is None and re.search(r"\b(int|float)\b", str(entry.type))
    ]
    assert bare == []
