"""Scales and ticks: every value lies inside, no two tick texts touch."""

import itertools
import math
import re

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mnist_exp.compare import figures, svg

accuracies = st.lists(st.floats(0, 1), min_size=1, max_size=20)


@given(accuracies, st.sampled_from(["linear", "log", "error"]))
def test_values_lie_inside_and_ticks_apart(values: list[float], kind: str) -> None:
    scale = svg.scale_of(values, kind)
    kept = [v for v in values if kind != "log" or v > 0]
    assert all(-1e-9 <= scale.at(v) <= 1 + 1e-9 for v in kept if kind != "log" or v > 1e-30)
    ticks = [scale.at(value) for value, _ in scale.ticks()]
    assert all(-1e-6 <= at <= 1 + 1e-6 for at in ticks)
    assert all(b - a >= 0.07 for a, b in itertools.pairwise(ticks))


def test_ticks_are_round_and_say_what_they_are() -> None:
    assert [text for _, text in svg.Scale(0, 1).ticks(5)] == [
        "0.0",
        "0.2",
        "0.4",
        "0.6",
        "0.8",
        "1.0",
    ]
    assert [text for _, text in svg.Scale(-0.01, 0.01).ticks(2)] == [
        "\N{MINUS SIGN}0.01",
        "0.00",
        "0.01",
    ]
    for value, text in svg.Scale(0.98712, 0.99034).ticks(4):
        assert math.isclose(float(text), value, abs_tol=1e-9)
    assert [text for _, text in svg.Scale(0.009, 120, "log").ticks()] == [
        "0.01",
        "0.1",
        "1",
        "10",
        "100",
    ]


def test_an_axis_from_poor_to_good_resolves_the_good() -> None:
    values = [0.098, 0.917, 0.987, 0.991]
    assert svg.accuracy_kind(values, "test/accuracy") == "error"
    assert svg.accuracy_kind([0.98, 0.99], "test/accuracy") == "linear"
    assert svg.accuracy_kind(values, "train/cost") == "linear"
    scale = svg.scale_of(values, "error")
    assert scale.at(0.991) - scale.at(0.987) > 0.05


@given(st.lists(st.floats(-1, 1).filter(lambda x: abs(x) > 1e-6), min_size=1, max_size=9))
def test_small_differences_are_seen_beside_large_ones(means: list[float]) -> None:
    scale = svg.difference_scale(means, means)
    assert all(-1e-9 <= scale.at(v) <= 1 + 1e-9 for v in [0.0, *means])
    ticks = [scale.at(value) for value, _ in scale.ticks(4)]
    assert all(b - a >= 0.07 for a, b in itertools.pairwise(ticks))
    assert any(value == 0 for value, _ in scale.ticks(4)) or scale.kind == "linear"
    small = svg.difference_scale([-0.9, 0.004], [-0.9, 0.004])
    assert small.at(0.004) - small.at(0) > 0.05


def test_text_is_escaped() -> None:
    assert "<script>" not in svg.marker(0, 0, 0, "<script>")


def test_png_of_an_image_decodes_to_it() -> None:
    import base64
    import io

    from matplotlib import image

    digit = np.arange(28 * 28, dtype=np.uint8).reshape(28, 28)
    body = base64.b64decode(re.sub("^.*,", "", figures.png(digit)))
    assert np.array_equal(np.round(image.imread(io.BytesIO(body)) * 255), 255 - digit)
