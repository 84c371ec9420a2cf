"""What is recorded of a setting is read back as the same value."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_exp.tracking.params import decode, encode, number

single = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False)
values = single | st.lists(single.filter(lambda value: value not in (math.inf, -math.inf)))


@given(values)
def test_a_setting_comes_back_with_its_type(value: object) -> None:
    assert decode(encode(value)) == value
    assert type(decode(encode(value))) is type(value)


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert isinstance(decode(text), str | bool | int | float | list | None)
    assert isinstance(number(text), float | None)


@pytest.mark.parametrize(
    "text", ["blog", "", "none", "null", "[", "[x]", "(1, 2)", "['a'] + [", "1,2"]
)
def test_what_is_no_value_stays_text(text: str) -> None:
    assert decode(text) == text


@pytest.mark.parametrize("text", ["9" * 5000, "[" * 10**5, "[" * 500 + "]" * 500, "[\x00]"])
def test_what_others_recorded_does_no_harm(text: str) -> None:
    decode(text)
    number(text)


def test_numbers_in_other_spellings() -> None:
    assert decode("1e-3") == decode("0.0010") == 0.001
    assert decode("[64,32]") == [64, 32]
    assert number("True") is None
