"""Programs with a model, loss or optimizer that is not this project's, checked before they train.

What is refused here could not be repeated or resumed exactly, or fails in the first step.
"""

import re
from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from mnist_exp.data import Split
from mnist_exp.errors import ConfigError
from mnist_exp.outside.printing import plural
from mnist_exp.own_code.loading import calling
from mnist_exp.training import machine
from mnist_exp.training.layer_table import layer_table
from mnist_exp.training.memory import memory_of
from mnist_exp.training.program import Program

# The random streams of these operations lie in TensorFlow's kernels, where no checkpoint has them.
_STATEFUL = re.compile(
    "(Parameterized)?TruncatedNormal|Random(?!Dataset).*|Multinomial|SampleDistorted.*|Rng.*|"
    "Stateful.*|NonDeterministicInts"
)
_PYTHON = ("PyFunc", "PyFuncStateless", "EagerPyFunc")
_IMAGES = 8  # for a look at the outputs


def check(program: Program, split: Split) -> list[str]:
    """Compile the program and look at what it computes; return warnings for its user.

    Programs that are all this project's pass at once. Raises ConfigError.
    """
    if not program.own:
        return []
    batch_size = min(program.batch_size, program.num_train)
    machine.check_memory(memory_of(layer_table(program.model), batch_size), program.batch_size)
    setting, _, name = program.own.partition("=")
    with calling(name, setting):
        graph = program.train_steps.get_concrete_function().graph
        logits = program.logits(tf.constant(split.images[:_IMAGES])).numpy()
    _check_variables(program, graph)
    _check_operations(program, graph)
    if not np.isfinite(logits).all():
        raise ConfigError(
            f"{program.own}: the model's outputs for the first "
            f"{plural(len(logits), 'training image')} are NaN or infinite, before any training"
        )
    warning = (
        f"{program.own}: something draws from random or numpy.random while it is compiled, once: "
        "every step uses the same numbers; keras.random draws new ones"
    )
    return [warning] if program.random_layers.draws_in_python else []


def _check_variables(program: Program, graph: tf.Graph) -> None:
    """Raise ConfigError for a variable that no checkpoint and no logged model would have."""
    known = [
        *program.model.variables,
        *program.optimizer.variables,
        *program.random_layers.variables,
    ]
    values = {id(variable.value) for variable in known}
    for variable in graph.variables:
        if id(variable) not in values:
            name = variable.name.removesuffix(":0")
            raise ConfigError(
                f"{program.own}: the variable {name} belongs to no layer that Keras knows, so that "
                "no checkpoint would have it\nMake it with add_weight, or keep it (or its "
                "SeedGenerator) as an attribute of a layer; what never changes can be a constant"
            )


def _check_operations(program: Program, graph: tf.Graph) -> None:
    """Raise ConfigError for an operation with a random stream, or Python, of its own."""
    for kind, place in _operations(graph):
        where = f" (in {layer})" if (layer := _layer(program, place)) else ""
        if kind in _PYTHON:
            raise ConfigError(
                f"{program.own}: tf.py_function and tf.numpy_function{where} run Python code in "
                "each step, whose state no checkpoint has; use TensorFlow's or Keras' operations"
            )
        if _STATEFUL.fullmatch(kind):
            raise ConfigError(
                f"{program.own}: {kind}{where} is an operation of tf.random, whose stream no "
                "checkpoint has\nUse keras.random with a keras.random.SeedGenerator that is an "
                "attribute of the layer"
            )


def _operations(graph: tf.Graph) -> Iterator[tuple[str, str]]:
    """Yield (type, name) of all operations of a graph, those of its loops and branches included."""
    definition = graph.as_graph_def()
    for nodes in (definition.node, *(f.node_def for f in definition.library.function)):
        for node in nodes:
            yield node.op, node.name


def _layer(program: Program, place: str) -> str:
    """Return the layer whose name is the last in the name of an operation, or ""."""
    names = {layer.name for layer in program.model._flatten_layers()}
    parts = [re.sub(r"_\d+$", "", part) for part in place.split("/")] + place.split("/")
    return next((part for part in reversed(parts) if part in names), "")
