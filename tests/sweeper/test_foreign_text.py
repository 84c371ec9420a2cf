import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mnist_exp.sweeper.foreign_text import clean

ANY_TEXT = st.text(st.characters(codec=None), max_size=200)  # lone surrogates, too


@given(ANY_TEXT, st.integers(10, 60))
@example("000\x08\r\U0003134b", 12)  # is cut behind a space
@example("\n" * 100 + "x", 10)  # is cut before it begins
def test_any_text_is_one_printable_line_of_bounded_length(text: str, limit: int) -> None:
    shown = clean(text, limit)
    assert len(shown) <= limit
    assert shown.isprintable()
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in shown)
    assert clean(shown, limit) == shown
    shown.encode()


@pytest.mark.parametrize(
    "text", ["a run", "Größe 5·10⁻³", "ünï-日本", r"C:\temp", "[/x] `$(id)`", ""]
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


def test_what_steers_a_terminal_is_shown_as_text() -> None:
    assert clean("\x1b]0;owned\x07\x1b[31mred\x9b1m") == r"\x1b]0;owned\x07\x1b[31mred\x9b1m"
    assert clean("abc\u202egnp.exe\u2066\ufeff") == r"abc\u202egnp.exe\u2066\ufeff"
    assert clean("one\r\ntwo\tthree\x0b\u2028four") == "one two three four"
    assert clean("bad\udcff") == r"bad\udcff"


def test_a_long_text_says_that_it_was_cut() -> None:
    assert clean("x" * 10**7, 20) == "x" * 16 + " ..."
    assert clean("\n" * 10**7 + "x", 20) == "..."
    assert clean(["not", "text"]) == "['not', 'text']"
