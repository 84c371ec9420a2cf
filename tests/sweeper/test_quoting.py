"""Any value, written as an override, is the same value when Hydra and OmegaConf have read it."""

import math
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep
from hypothesis import example, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from mnist_exp.sweeper.quoting import escaped, literal, override, quoted

PARSER = OverridesParser.create()
# Characters and words that mean something to Hydra or OmegaConf, which chance rarely draws.
MARKS = r"""' " \ ${ } $ , = : [ ] { ( ) ~ # ü 💡 ??? null true nan inf 1 . e _ - + a
    choice( interval(0,1) glob(*) oc.env:"""
SPECIAL = st.sampled_from([*MARKS.split(), " ", "\t", "\n", "\r"])
TEXT = st.text() | st.lists(SPECIAL, max_size=6).map("".join)
NUMBERS = st.integers() | st.floats(allow_nan=False)
SCALARS = TEXT | NUMBERS | st.booleans() | st.none()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3), max_leaves=6)
WORDS = r"""a=b {a} (x) \ \' \\'\ ' ~ #a ünï ??? \??? ${x} \${x} \\${x ${oc.env:HOME} $ 1 1e5 1_0
    007 0x1 null NULL True nan -inf [1] a,b choice(a,b) range(3) interval(0,1) glob(*) tag(log,x)
    http://x?a=b&c - -- . a/b @ ~a +a ! <b> ` ; & ^"""
SPACED = ["", " ", " a ", "it's", 'say "a"', "a b", "a\nb", "\t", "\0", "C:\\new\\"]
EXAMPLES = [*SPACED, *WORDS.split()]


def read(text: str) -> Any:
    """What a config has after an override that is written so."""
    value = PARSER.parse_override(f"x={text}").value()
    return OmegaConf.to_container(
        OmegaConf.create({"x": value}), resolve=True, throw_on_missing=True
    )["x"]  # type: ignore[index, call-overload]


def same(left: Any, right: Any) -> bool:
    if isinstance(left, list):
        return type(right) is list and len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and left == right


@pytest.mark.parametrize("text", EXAMPLES)
def test_texts_that_mean_something_else_unquoted(text: str) -> None:
    assert same(text, read(literal(text)))
    assert same([text, text], read(literal([text, text])))


@settings(max_examples=300)
@given(value=VALUES)
@example(value=["", ""])
@example(value=["\\", "'"])
def test_any_value_keeps_its_type(value: Any) -> None:
    assert same(value, read(literal(value)))


@settings(max_examples=300)
@given(value=VALUES)
@example(value=["???", "${x}"])
def test_any_value_escaped_is_the_same_for_omegaconf(value: Any) -> None:
    config = OmegaConf.create(escaped({"x": {"y": value}}))
    container: Any = OmegaConf.to_container(config, resolve=True)
    assert same(value, container["x"]["y"])


@settings(max_examples=100)
@given(
    keys=st.lists(
        st.text(alphabet="ab_-$%*@?|/\\()[]{}:=, \t1.", min_size=1), max_size=3, unique=True
    ),
    item=SCALARS,
)
def test_dicts_keep_their_keys_and_values_or_are_refused(keys: list[str], item: Any) -> None:
    value = dict.fromkeys(keys, item)
    try:
        text = literal(value)
    except ValueError as error:
        assert "that no override of Hydra can set" in str(error)
        return
    back = read(text)
    assert list(back) == keys
    assert all(same(item, entry) for entry in back.values())


@settings(max_examples=200)
@given(texts=st.lists(TEXT, min_size=2, max_size=4))
def test_any_texts_are_choices(texts: list[str]) -> None:
    written = ",".join(map(quoted, texts))
    for text in (written, f"choice({written})"):
        sweep = PARSER.parse_override(f"x={text}").value()
        assert isinstance(sweep, ChoiceSweep)
        assert [getattr(choice, "text", choice) for choice in sweep.list] == texts


def test_what_needs_no_quotes_has_none() -> None:
    assert override("optimizer", "adam") == "optimizer=adam"
    assert override("data.dir", "a/b-c_1.gz") == "data.dir=a/b-c_1.gz"
    assert override("x", [1, 2.5, None, True, {"a": "b c"}]) == "x=[1,2.5,null,true,{a:'b c'}]"


def test_numbers_of_other_libraries() -> None:
    import numpy as np

    assert literal([np.int64(3), np.float32(0.5), (1, 2)]) == "[3,0.5,[1,2]]"
    assert math.isnan(read(literal(math.nan)))


@pytest.mark.parametrize(
    "value", [object(), {"ü": 1}, {"1": 1}, {"null": 1}, {"": 1}, b"a", {1, 2}]
)
def test_what_no_override_can_set_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="no override of Hydra can set"):
        override("x", value)
