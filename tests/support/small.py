"""Programs of one layer that are never traced, for checks that only ask for outputs and losses."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import keras
import numpy as np
from keras import layers

from mnist_exp.preflight.program.batches import Inputs
from mnist_exp.preflight.program.forms import label_form
from mnist_exp.preflight.program.loss_kind import tell_loss_kind
from mnist_exp.preflight.program.objective import Objective, mean_loss
from mnist_exp.preflight.program.program import Program, tf_variable
from mnist_exp.preflight.program.tasks import tell_target
from tests.support import targets

Make = Callable[[Sequence[int]], keras.Model]


def dense(units: int, activation: str | None = None) -> Make:
    """Return what makes a model with one layer from the shape of an input."""

    def make(shape: Sequence[int]) -> keras.Model:
        readout = layers.Dense(units, activation, kernel_initializer="he_normal")
        return keras.Sequential([keras.Input(shape), readout])

    return make


class _Untraced:
    """What the checks of labels, losses and outputs ask of a program."""

    def __init__(self, model: keras.Model, loss: Any, labels: np.ndarray, x: np.ndarray) -> None:
        self.model, self.objective, self.inputs = model, Objective(loss), Inputs(x)
        self.labels = label_form(labels)
        self.trainable = [tf_variable(variable) for variable in model.trainable_variables]
        self.loss_gradient = self.objective.gradient
        shape = model.output_shape[1:]
        kind = tell_loss_kind(self.loss_gradient, self.labels, shape)
        is_softmax = model.layers[-1].get_config().get("activation") == "softmax"
        last = "Softmax" if is_softmax else ""
        self.target = tell_target(shape, self.labels, self.inputs.arrays, kind, last)

    def outputs(self, inputs: Inputs) -> np.ndarray:
        return np.asarray(self.model(inputs.structure))

    def loss_of(self, labels: np.ndarray, outputs: np.ndarray) -> float:
        return float(mean_loss(self.objective.values(labels, outputs)))


def program_of(
    make: Make, loss: Any, labels: np.ndarray, inputs: np.ndarray = targets.PICTURES
) -> Program:
    """Return a program on the first examples of `inputs`."""
    x = inputs[: len(labels)]
    return cast(Program, _Untraced(make(x.shape[1:]), loss, labels, x))
