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


differences = st.floats(-1, 1).filter(lambda x: abs(x) > 1e-6)
spans = st.lists(st.tuples(differences, differences).map(sorted).map(tuple), min_size=1, max_size=9)


@given(spans)
def test_small_differences_are_seen_beside_large_ones(given: list[scales.Span]) -> None:
    means = [(low + high) / 2 for low, high in given]
    scale = scales.difference_scale(means, given)
    ends = [end for span in given for end in span]
    assert all(-1e-9 <= scale.at(v) <= 1 + 1e-9 for v in [0.0, *ends])
    ticks = scale.ticks(4)
    assert all(b - a >= 0.07 for a, b in itertools.pairwise(scale.at(v) for v, _ in ticks))
    if scale.kind is ScaleKind.ASINH:
        values = [value for value, _ in ticks]
        assert 0 in values
        assert min(values) <= min(0, *ends)
        assert max(values) >= max(0, *ends)
        assert all(float(text.replace("\N{MINUS SIGN}", "-")) == value for value, text in ticks)


def test_a_log_axis_of_differences_ends_at_round_numbers() -> None:
    means = [-0.27, -0.04, -0.001, 0.0008, 0.053]
    scale = scales.difference_scale(means, [(mean, mean) for mean in means])
    assert scale.kind is ScaleKind.ASINH
    minus = "\N{MINUS SIGN}"
    assert [text for _, text in scale.ticks(4)] == [
        f"{minus}0.5",
        f"{minus}0.01",
        "0",
        "+0.01",
        "+0.1",
    ]


@given(spans, st.sampled_from(["test/accuracy", "train/cost"]))
def test_no_group_squeezes_the_others(given: list[scales.Span], metric: str) -> None:
    spans = [(abs(a), abs(b)) for a, b in given]
    spans = [(min(span), max(span)) for span in spans]
    scale = scales.value_scale(spans, metric)
    assert all(-1e-9 <= scale.at(end) <= 1 + 1e-9 for span in spans for end in span)
    positions = sorted(tuple(map(scale.at, span)) for span in spans)
    if scale.kind is ScaleKind.LINEAR and len(spans) > 2:
        reached = positions[0][1]
        for low, high in positions:
            assert low - reached <= 0.62
            reached = max(reached, high)
    if scale.cut is not None:
        assert not any(low < scale.cut[1] and high > scale.cut[0] for low, high in spans)
        assert {value > scale.cut[0] for value, _ in scale.ticks(4)} == {False, True}


def test_one_very_bad_group_beside_three_others() -> None:
    """The quick study of the walk: 0.098 took nine tenths of the axis."""
    spans = [(0.871, 0.8786), (0.8346, 0.8634), (0.7623, 0.8094), (0.098, 0.098)]
    scale = scales.value_scale(spans, "test/accuracy")
    assert scale.cut is not None
    assert scale.at(0.8786) - scale.at(0.7623) > 0.7
    ticks = scale.ticks(4)
    assert ticks[0][1] == "0.10"
    assert all(scale.low <= value <= scale.high for value, _ in ticks)
    assert not any(scale.cut[0] < value < scale.cut[1] for value, _ in ticks)
    shifts = [(0.0745, 0.1053), (0.0371, 0.0798), (-0.706, -0.6698)]
    scale = scales.difference_scale([0.0904, 0.0593, -0.6876], shifts)
    assert scale.cut is not None
    assert scale.at(0.1053) - scale.at(0) > 0.4
    small = scales.difference_scale([-0.9, 0.004], [(-0.9, -0.9), (0.004, 0.004)])
    assert small.at(0.004) - small.at(0) > 0.05


def test_values_that_differ_by_rounding_are_one_place() -> None:
    near, far = 0.7455813830127761, 0.7455813830127763
    scale = scales.value_scale([(far, far), (far, far), (near, near)], "rmse")
    assert scale.cut is None
    assert scale.high - scale.low > 0.01
    assert scale.ticks(4)
