"""Ticks are round numbers in plain decimals, whatever the range of an axis."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.figure import Figure

from mnist_exp.outside import plot_style
from mnist_exp.outside.plot_ticks import plain_number, round_ticks

MINUS = "\N{MINUS SIGN}"
PLAIN = rf"{MINUS}?[0-9]{{1,3}}(,[0-9]{{3}})*(\.[0-9]+)?"


def ticks(low: float, high: float, scale: str, **options: Any) -> list[tuple[float, str]]:
    """Return value and text of the ticks that are seen on an axis from `low` to `high`."""
    with plot_style.plain():
        axes = Figure().subplots()
        axes.set_yscale(scale)
        axes.set_ylim(low, high)
        round_ticks(axes.yaxis, **options)
        assert not any(text.get_text() for text in axes.yaxis.get_minorticklabels())
        values = [float(value) for value in axes.yaxis.get_majorticklocs()]
        texts = axes.yaxis.get_major_formatter().format_ticks(values)
        pairs = zip(values, texts, strict=True)
        return [(value, text) for value, text in pairs if low <= value <= high]


def value_of(text: str) -> float:
    return float(text.replace(",", "").replace(MINUS, "-"))


@settings(max_examples=60)
@given(st.floats(-5, 5), st.floats(0.02, 8), st.sampled_from(["log", "linear"]))
def test_two_to_ten_round_numbers(exponent: float, decades: float, scale: str) -> None:
    """Costs from 1e-5 to 1e5, over as little as a twentieth and as much as eight decades."""
    low = 10.0**exponent
    found = ticks(low, min(low * 10**decades, 1e8), scale)
    assert 2 <= len(found) <= 10
    texts = [text for _, text in found]
    assert len(set(texts)) == len(texts)
    for value, text in found:
        assert re.fullmatch(PLAIN, text) or not 1e-6 <= value < 1e9, text
        assert value_of(text) == pytest.approx(value, rel=1e-5, abs=1e-12)
        digits = re.sub(r"[,.]", "", text).strip("0")
        assert len(digits) <= (3 if scale == "log" and decades > 1 else 6)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.0147, 0.342, ["0.02", "0.05", "0.1", "0.2"]),
        (0.3, 0.425, ["0.30", "0.32", "0.34", "0.36", "0.38", "0.40", "0.42"]),
        (0.001, 4.0, ["0.001", "0.01", "0.1", "1"]),
        (0.25, 1.5, ["0.3", "0.5", "0.7", "1"]),
    ],
)
def test_logarithmic_axes_of_costs(low: float, high: float, expected: list[str]) -> None:
    assert [text for _, text in ticks(low, high, "log")] == expected


@settings(max_examples=40)
@given(st.integers(1, 100_000))
def test_epochs_and_steps_are_whole_numbers(last: int) -> None:
    found = ticks(0.95, 0.05 + last, "linear", whole=True)
    assert 1 <= len(found) <= 9
    assert all(value == round(value) and "." not in text for value, text in found)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.36, "0.36"),
        (0.1 + 0.2, "0.3"),
        (20_000.0, "20,000"),
        (-0.005, f"{MINUS}0.005"),
        (0.0, "0"),
        (0.00001, "0.00001"),
        (1e-9, f"1e{MINUS}09"),
    ],
)
def test_plain_numbers(value: float, text: str) -> None:
    assert plain_number(value) == text
