"""Overrides as on the command line: what is searched, what is fixed, and what is refused."""

import math
from typing import Any

import pytest
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from mnist_exp.sweeper.errors import SweepError
from mnist_exp.sweeper.space import SearchSpace


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("choice(a,b,c)", CategoricalDistribution(["a", "b", "c"])),
        ("a,b", CategoricalDistribution(["a", "b"])),
        ("choice(true,false)", CategoricalDistribution([True, False])),
        ("1,2.5,null", CategoricalDistribution([1, 2.5, "null"])),
        ("choice('a b',c)", CategoricalDistribution(["a b", "c"])),
        ("choice('a,b','1','null')", CategoricalDistribution(["'a,b'", "'1'", "'null'"])),
        ("'a,b',c", CategoricalDistribution(["'a,b'", "c"])),
        ("choice([1,2],[3])", CategoricalDistribution(["[1,2]", "[3]"])),
        ("shuffle(choice(a,b,c))", CategoricalDistribution(["a", "b", "c"])),
        ("range(1,3)", IntDistribution(1, 2)),
        ("range(3)", IntDistribution(0, 2)),
        ("range(1,2)", IntDistribution(1, 1)),
        ("range(1,10,4)", IntDistribution(1, 9, step=4)),
        ("range(1,9,4)", IntDistribution(1, 5, step=4)),
        ("range(5,1,-1)", IntDistribution(2, 5)),
        ("shuffle(range(1,3))", IntDistribution(1, 2)),
        ("range(0,1,0.25)", FloatDistribution(0, 0.75, step=0.25)),
        ("range(0.1,0.4,0.1)", FloatDistribution(0.1, 0.3, step=0.1)),
        ("range(-5.5,5.5,0.5)", FloatDistribution(-5.5, 5.0, step=0.5)),
        ("interval(1,4)", FloatDistribution(1, 4)),
        ("int(interval(1,4))", IntDistribution(1, 4)),
        ("interval(0,1.5)", FloatDistribution(0, 1.5)),
        ("tag(log,interval(1e-4,1e-1))", FloatDistribution(1e-4, 1e-1, log=True)),
        ("tag(log,int(interval(1,64)))", IntDistribution(1, 64, log=True)),
    ],
)
def test_distributions(value: str, expected: BaseDistribution) -> None:
    space = SearchSpace.parse([f"x={value}"])
    assert space.distributions == {"x": expected}
    assert space.fixed == {}


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ("range(3,3)", "expected at least one value; a range leaves its stop out"),
        ("range(1,3,-1)", "expected at least one value"),
        ("range(1,3,0)", "expected a step other than 0"),
        ("interval(3,1)", "expected an interval"),
        ("interval(0,inf)", "expected an interval"),
        ("tag(log,interval(0,1))", "expected a start > 0"),
        ("tag(lgo,interval(1,2))", "the tag lgo means nothing here; expected log"),
        ("tag(log,linear,interval(1,2))", "the tag linear means nothing here; expected log"),
        ("tag(lgo,choice(1,2))", "the tag lgo means nothing here; expected log"),
        ("tag(log,range(1,64))", "only an interval can be searched by its logarithm"),
        ("tag(log,choice(1,2))", "only an interval can be searched by its logarithm"),
        ("choice(a,b,a)", "a is listed twice"),
        ("1,1", "1 is listed twice"),
        ("a,'a'", "'a' is listed twice"),
    ],
)
def test_spaces_without_values_are_refused(value: str, part: str) -> None:
    with pytest.raises(SweepError) as error:
        SearchSpace.parse([f"x={value}"])
    assert str(error.value).startswith("x=")
    assert part in str(error.value)


def test_an_override_that_cannot_be_parsed_is_refused() -> None:
    with pytest.raises(SweepError, match=r"^x=choice\(1,: [^\n]+$"):
        SearchSpace.parse(["x=choice(1,"])


def test_fixed_values_deletions_and_later_overrides() -> None:
    space = SearchSpace.parse(
        ["x=choice(1,2)", "y=3", "+z='a b'", "~model.lr", "x=5", "y=choice(6,7)"]
    )
    assert space.fixed == {"x": "5", "+z": "'a b'"}
    assert space.distributions == {"y": CategoricalDistribution([6, 7])}
    assert space.overrides({"y": 6}) == ("+z='a b'", "~model.lr", "x=5", "y=6")


def test_what_is_searched_may_be_a_part_of_what_is_fixed() -> None:
    space = SearchSpace.parse(["model.lr=interval(0,1)", "model={lr:5}"])
    assert space.overrides({"model.lr": 0.5}) == ("model={lr:5}", "model.lr=0.5")


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["~foo", "+foo.bar=1", "x=choice(1,2)"], ("~foo", "+foo.bar=1", "x=1")),
        (["~foo", "+foo.bar=choice(1,2)"], ("~foo", "+foo.bar=1")),
        (["foo=choice({a:1,b:2},{a:3})", "~foo.b"], ("foo={a:1,b:2}", "~foo.b")),
        (["m.lr=choice(1,2)", "~food", "m={lr:5}"], ("~food", "m={lr:5}", "m.lr=1")),
    ],
)
def test_a_deletion_keeps_its_place(overrides: list[str], expected: tuple[str, ...]) -> None:
    space = SearchSpace.parse(overrides)
    assert space.overrides(space.samples()[0]) == expected


def test_grid_has_every_cell_once() -> None:
    space = SearchSpace.parse(["a=choice(x,y)", "b=range(1,4)", "c=range(0.0,0.3,0.1)"])
    cells = space.grid()
    assert len(cells) == len({tuple(cell.values()) for cell in cells}) == 2 * 3 * 3
    assert {cell["b"] for cell in cells} == {1, 2, 3}
    assert {cell["c"] for cell in cells} == {0.0, 0.1, 0.2}


@pytest.mark.parametrize(
    ("overrides", "size"),
    [
        ([], 1),
        (["a=1", "b=interval(2,2)", "c=choice(x)", "d=range(3,4)"], 1),
        (["a=1,2,3", "b=range(0,9,2)", "c=range(0.0,0.3,0.1)"], 3 * 5 * 3),
        (["a=int(interval(1,4))", "b=tag(log,int(interval(1,64)))"], 4 * 64),
        (["a=1,2", "b=interval(0,1)"], math.inf),
    ],
)
def test_the_number_of_configurations(overrides: list[str], size: float) -> None:
    assert SearchSpace.parse(overrides).size() == size
    assert SearchSpace.parse(overrides, extension="a.b").size() == math.inf


@pytest.mark.parametrize("value", ["interval(0.0,1.0)", "tag(log,interval(1,9))"])
def test_grid_of_an_interval_is_refused(value: str) -> None:
    with pytest.raises(SweepError, match="a: expected a choice or a range for a grid"):
        SearchSpace.parse([f"a={value}"]).grid()


def test_samples_meet_every_choice_and_both_ends() -> None:
    samples = SearchSpace.parse(["a=choice(x,y,z)", "b=interval(0.0,1.0)"]).samples()
    assert {sample["a"] for sample in samples} == {"x", "y", "z"}
    assert {sample["b"] for sample in samples} == {0.0, 1.0}
    assert all(sample.keys() == {"a", "b"} for sample in samples)


def test_differences_name_what_changed() -> None:
    before = SearchSpace.parse(
        ["a=choice(1,2)", "b=interval(0.0,1.0)", "c=3", "~model.lr", "d=range(0,9,2)"]
    )
    now = SearchSpace.parse(
        ["a=choice(1,2,3)", "b=tag(log,interval(0.1,1.0))", "c=4", "e=range(1,4)"]
    )
    assert now.differences(before.to_dict()) == [
        "a: choice(1,2) -> choice(1,2,3)",
        "b: interval(0.0,1.0) -> tag(log,interval(0.1,1.0))",
        "c: 3 -> 4",
        "d: 0,2..8 -> (none)",
        "e: (none) -> interval(1,3)",
        "~model.lr:  -> (none)",
    ]


def test_the_same_overrides_in_another_order_are_the_same_space() -> None:
    shuffled = SearchSpace.parse(["a=shuffle(choice(1,2,3,4,5,6,7,8))", "b=2"])
    assert (
        shuffled.differences(SearchSpace.parse(["b=2", "a=choice(1,2,3,4,5,6,7,8)"]).to_dict())
        == []
    )


def test_a_changed_custom_search_space_is_a_difference() -> None:
    before = SearchSpace.parse([], extension="a.b")
    now = SearchSpace.parse([], extension="a.c")
    assert now.differences(before.to_dict()) == ["hydra.sweeper.custom_search_space: a.b -> a.c"]
    assert now.differences(before.to_dict(), {"a.b": "a.c", "a.c": "a.c"}.__getitem__) == []


@pytest.mark.parametrize(
    ("override", "value", "expected"),
    [
        ("k=choice(1,2)", 2, 2),
        ("k=choice('a,b',c)", "a,b", "'a,b'"),
        ("k=null,1", None, "null"),
        ("k=null,'null'", "null", "'null'"),
        ("k=true,1", 1, "1"),
        ("k=1,true", True, "True"),
        ("k='1',1", "1", "'1'"),
        ("k=choice('a=b',c)", "a=b", "'a=b'"),
        ("k=choice([1,2],[3])", [1, 2], "[1,2]"),
        ("k=interval(0.0,1.0)", 0.5, 0.5),
        ("k=interval(0.0,1.0)", 1, 1),
        ("k=range(0,9,2)", 4, 4),
    ],
)
def test_values_to_try_first(override: str, value: Any, expected: Any) -> None:
    assert SearchSpace.parse([override]).contained("k", value) == expected


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("k=choice(1,2)", 3),
        ("k=choice(1,2)", True),
        ("k=choice(1,2)", "1.0"),
        ("k=interval(0.0,1.0)", 1.5),
        ("k=interval(0.0,1.0)", "a"),
        ("k=interval(0,3)", None),
        ("k=int(interval(0,3))", 1.5),
        ("k=range(0,9,2)", 3),
        ("k=range(0,3)", 1.5),
    ],
)
def test_values_that_are_not_in_the_space_are_refused(override: str, value: Any) -> None:
    with pytest.raises(SweepError, match=f"hydra.sweeper.enqueue: k={value}: expected a value of "):
        SearchSpace.parse([override]).contained("k", value)
