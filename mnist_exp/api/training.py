"""`mnist_exp.run`: train one run from Python."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from mnist_exp.api.arguments import overrides_of
from mnist_exp.api.mistakes import InTwoLines
from mnist_exp.config.settings import Settings
from mnist_exp.config.tree import compose, refuse_sweep
from mnist_exp.experiment.console import Reporter
from mnist_exp.experiment.run_result import RunResult
from mnist_exp.experiment.runner import run_experiment
from mnist_exp.experiment.session_objects import Given, taken
from mnist_exp.training import keras_state

_ONE_RUN = threading.RLock()


def run(
    overrides: Sequence[str] | Mapping[str, Any] = (),
    *,
    model: Any = None,
    loss: Any = None,
    data: Any = None,
    quiet: bool = False,
    **settings: Any,
) -> RunResult:
    """Train and track one run, as `python -m mnist_exp OVERRIDES` does.

    For example: `run(model="softmax", seed=3)`, `run(["model=softmax", "optimizer.momentum=0.5"])`
    or `run({"optimizer.learning_rate": 0.01}, model="mlp", quiet=True)`.

    overrides: what the command line would have, as texts, or {setting: value}
    model: the name of an option; or a function build(input_shape, num_classes, **options) that
        returns a Keras model; or such a model, which is trained in place: its weights are those
        that it has, not the seed's
    loss: the name of an option, a function (labels int [B], logits [B, K]) -> losses [B], or a loss
        of keras.losses
    data: the name of an option, or (x_train, y_train, x_test, y_test), images uint8 [N, H, W] or
        [N, H, W, C]
    quiet: print nothing but warnings, and how to go on after an interruption
    settings: any other settings without a dot in their names, such as seed

    A function of a module is used as its file is now, and the run can be repeated. Other objects
    are no part of the record: such a run cannot be repeated from it, and its description says so.

    Runs of several threads take turns: the active run, the store's address, Keras' state and
    standard error belong to the process, and each run uses all cores anyway. Raises UserError with
    one or two lines for what cannot be used.
    """
    objects = {"model": model, "loss": loss, "data": data}
    texts, given = overrides_of(overrides, {**objects, **settings})
    with InTwoLines(texts), _ONE_RUN:  # a model's weights are read before another run trains it
        return trained(*prepared(texts, given), Reporter(quiet=quiet, in_python=True))


def prepared(texts: Sequence[str], objects: Mapping[str, Any]) -> tuple[Settings, Given]:
    """Return the settings of one run and what the session gives to it. Raises UserError."""
    refuse_sweep(texts)
    given = taken(texts, **objects)
    return compose(given.overrides), given


def trained(settings: Settings, given: Given, reporter: Reporter) -> RunResult:
    """Train and track a run, when those of other threads have ended. Raises UserError."""
    with _ONE_RUN, keras_state.restored():
        return run_experiment(settings, given, reporter)
