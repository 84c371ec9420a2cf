"""Check that the states of recurrent layers stay within bounds."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.program.steps import core

EXAMPLES = 32
TIMES = 3.0  # by which the weights are multiplied
CLIPPING = ("clipnorm", "global_clipnorm", "clipvalue")


def check_growth(checkup: Checkup, program: Program, measured: Mapping[str, np.ndarray]) -> None:
    """Check for GRADIENT_NON_FINITE that is to come: states that each step multiplies.

    Cells without a bound, such as an LSTM's with ReLU, go well with the weights that they begin
    with, and explode in a long series once training has made them larger. Whoever clips the
    gradients is prepared. The program's weights are its first ones afterwards.

    measured: what `tap_graph` measured.
    """
    states = _largest(measured)
    optimizer = core(program.optimizer)
    if not states or any(getattr(optimizer, name, None) for name in CLIPPING):
        return
    for variable in program.trained:
        if variable.shape.rank > 1:
            variable.assign(variable * tf.cast(TIMES, variable.dtype))
    larger = _largest(program.evaluate(program.inputs[:EXAMPLES])[1])
    program.restore()
    growth = {
        name: larger[name] / size if np.isfinite(larger[name]) else np.inf
        for name, size in states.items()
        if size > 0
    }
    layer = max(growth, key=lambda name: growth[name], default="")
    if layer and growth[layer] > thresholds.STATES_GROW:
        checkup.find(
            "GRADIENT_NON_FINITE",
            f"With weights {TIMES:g} times as large, the states of {layer} become "
            f"{growth[layer]:.0e} times as large: nothing bounds them, and every step multiplies.",
            {"growth": growth[layer], "layer": layer},
            case="states",
        )


def _largest(measured: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Return the largest size of the states of each recurrent layer."""
    kind = "states:"
    return {
        name.removeprefix(kind).partition("/TensorArray")[0]: float(np.abs(value).max())
        for name, value in measured.items()
        if name.startswith(kind)
    }
