"""What a model keeps: its layers, and what a traced graph does with its variables."""

from collections.abc import Iterable
from typing import Any

import tensorflow as tf

ASSIGNMENTS = {"AssignVariableOp", "AssignAddVariableOp", "AssignSubVariableOp"}


def read_in(graph: tf.Graph, variables: Iterable[tf.Variable]) -> list[tf.Variable]:
    """Return the variables that the graph takes, to read or to assign them."""
    outside = {id(external) for external, _ in graph.captures}
    return [variable for variable in variables if id(variable.handle) in outside]


def assigned_in(graph: tf.Graph, variables: Iterable[tf.Variable]) -> list[tf.Variable]:
    """Return the variables that the graph gives a new value."""
    outside = {internal.ref(): id(external) for external, internal in graph.captures}
    handles = {
        outside.get(operation.inputs[0].ref())
        for operation in graph.get_operations()
        if operation.type in ASSIGNMENTS
    }
    return [variable for variable in variables if id(variable.handle) in handles]


def layers_of(model: Any) -> list[Any]:
    """Return all layers of a Keras model, also those inside others; none of another model."""
    flat = getattr(model, "_flatten_layers", None)
    return list(flat()) if flat else []
