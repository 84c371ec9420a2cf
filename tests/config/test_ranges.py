"""Ranges beside their fields."""

import math
import re
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, ClassVar, get_args, get_type_hints

import pytest

from mnist_exp.config.group_schemas import SCHEMAS
from mnist_exp.config.ranges import Checked, Range, range_of, setting
from mnist_exp.config.schema import Config
from mnist_exp.config.tree import compose
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


PRESET = "experiment=blog_cnn3x3"


@pytest.mark.parametrize(
    "override",
    [
        "batch_accuracy_every=0",
        "test_accuracy=nan",
        "test_accuracy=1.1",
        "batch_accuracy=[0.5,-0.1]",
        "cost=[0.5,inf]",
    ],
)
def test_a_claim_of_the_reference_is_a_number_that_can_be(override: str) -> None:
    key = override.partition("=")[0]
    compose([PRESET, "reference.cost=[]", "reference.batch_accuracy=[]"])
    with pytest.raises(ConfigError, match=f"^reference.{key}=[^:]*: expected"):
        compose([PRESET, f"reference.{override}"])


def is_schema(hint: Any) -> bool:
    return isinstance(hint, type) and is_dataclass(hint)


def with_nested(schema: type) -> set[type]:
    """Return the dataclass and those of its fields, theirs included."""
    hints = [hint for kind in get_type_hints(schema).values() for hint in (kind, *get_args(kind))]
    return {schema}.union(*(with_nested(hint) for hint in hints if is_schema(hint)))


def test_every_number_of_the_schemas_has_a_range() -> None:
    schemas = [Config, *(schema for kinds in SCHEMAS.values() for schema in kinds.values())]
    bare = [
        f"{schema.__name__}.{entry.name}"
        for schema in set[type]().union(*map(with_nested, schemas))
        for entry in fields(schema)
        if range_of(entry) is None and re.search(r"\b(int|float)\b", str(entry.type))
    ]
    assert bare == []
