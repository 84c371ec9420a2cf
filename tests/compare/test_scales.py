"""Scales and ticks: every value lies inside, no two tick texts touch."""

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from mnist_exp.compare import scales
from mnist_exp.compare.scales import Scale, ScaleKind

accuracies = st.lists(st.floats(0, 1), min_size=1, max_size=20)


@given(accuracies, st.sampled_from([ScaleKind.LINEAR, ScaleKind.LOG, ScaleKind.ERROR]))
def test_values_lie_inside_and_ticks_apart(values: list[float], kind: ScaleKind) -> None:
    scale = scales.scale_of(values, kind)
    kept = [v for v in values if kind is not ScaleKind.LOG or v > 0]
    assert all(
        -1e-9 <= scale.at(v) <= 1 + 1e-9 for v in kept if kind is not ScaleKind.LOG or v > 1e-30
    )
    ticks = [scale.at(value) for value, _ in scale.ticks()]
    assert all(-1e-6 <= at <= 1 + 1e-6 for at in ticks)
    assert all(b - a >= 0.07 for a, b in itertools.pairwise(ticks))


def test_ticks_are_round_and_say_what_they_are() -> None:
    assert [text for _, text in Scale(low=0, high=1).ticks(5)] == [
        "0.0",
        "0.2",
        "0.4",
        "0.6",
        "0.8",
        "1.0",
    ]
    assert [text for _, text in Scale(low=-0.01, high=0.01).ticks(2)] == [
        "\N{MINUS SIGN}0.01",
        "0.00",
        "0.01",
    ]
    for value, text in Scale(low=0.98712, high=0.99034).ticks(4):
        assert math.isclose(float(text), value, abs_tol=1e-9)
    assert [text for _, text in Scale(low=0.009, high=120, kind=ScaleKind.LOG).ticks()] == [
        "0.01",
        "0.1",
        "1",
        "10",
        "100",
    ]


def test_an_axis_from_poor_to_good_resolves_the_good() -> None:
    values = [0.098, 0.917, 0.987, 0.991]
    assert scales.accuracy_kind(values, "test/accuracy") is ScaleKind.ERROR
    assert scales.accuracy_kind([0.98, 0.99], "test/accuracy") is ScaleKind.LINEAR
    assert scales.accuracy_kind(values, "train/cost") is ScaleKind.LINEAR
    scale = scales.scale_of(values, ScaleKind.ERROR)
    assert scale.at(0.991) - scale.at(0.987) > 0.05


@given(st.lists(st.floats(-1, 1).filter(lambda x: abs(x) > 1e-6), min_size=1, max_size=9))
def test_small_differences_are_seen_beside_large_ones(means: list[float]) -> None:
    scale = scales.difference_scale(means, means)
    assert all(-1e-9 <= scale.at(v) <= 1 + 1e-9 for v in [0.0, *means])
    ticks = [scale.at(value) for value, _ in scale.ticks(4)]
    assert all(b - a >= 0.07 for a, b in itertools.pairwise(ticks))
    assert any(value == 0 for value, _ in scale.ticks(4)) or scale.kind is ScaleKind.LINEAR
    small = scales.difference_scale([-0.9, 0.004], [-0.9, 0.004])
    assert small.at(0.004) - small.at(0) > 0.05
