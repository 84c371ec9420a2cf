import numpy as np
import pytest
from keras import layers

from .support import program
from .zoo import models


def test_relu_reports_its_largest_value_by_unit() -> None:
    p = program(models.cnn("glorot", 0, dense=20))
    measured = p.evaluate(p.images)[1]
    assert sorted(len(v) for n, v in measured.items() if n.startswith("rectifier:")) == [8, 16, 20]


def test_saturation_is_the_share_near_the_limits() -> None:
    p = program(models.mlp("glorot", 0, activation="sigmoid"))
    (share,) = (v for n, v in p.evaluate(1e4 * p.images)[1].items() if n.startswith("saturation:"))
    assert share > 0.9
    (share,) = (v for n, v in p.evaluate(p.images)[1].items() if n.startswith("saturation:"))
    assert share == 0


def test_output_activation_is_no_hidden_unit() -> None:
    p = program(models.softmax("glorot", 0, [layers.Activation("relu")]))
    assert not any(name.startswith("rectifier:") for name in p.evaluate(p.images)[1])
    assert p.taps.output_op == "Relu"


def test_input_scale_is_measured_behind_a_rescaling_layer() -> None:
    model = models.sequential(layers.Rescaling(1 / 255), layers.Flatten(), layers.Dense(10))
    p = program(model, images=np.full((4, 28, 28, 1), 255, np.uint8), labels=np.arange(4))
    assert p.evaluate(p.images)[1]["input_rms"] == pytest.approx(1)


def test_normalisation_is_seen() -> None:
    p = program(models.mlp("glorot", 0, extra=[layers.BatchNormalization()]))
    assert p.taps.normalisation
    assert not p.taps.input_normalised
    before = program(
        models.sequential(layers.BatchNormalization(), layers.Flatten(), layers.Dense(10))
    )
    assert before.taps.input_normalised
    assert not program(models.mlp("glorot", 0)).taps.normalisation
