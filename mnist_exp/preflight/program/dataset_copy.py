"""Read a shuffled dataset without a change of the order that its training will see."""

from collections.abc import Iterator
from typing import Any

import tensorflow as tf
from tensorflow.core.framework.graph_pb2 import GraphDef
from tensorflow.python.data.ops.options import ExternalStatePolicy
from tensorflow.python.eager.wrap_function import function_from_graph_def

# Which input of a shuffling operation remembers how often it was shuffled.
_GENERATOR_INPUT = {"ShuffleDatasetV3": 4, "ShuffleAndRepeatDatasetV2": 5}


def elements_of(dataset: tf.data.Dataset) -> Iterator[Any]:
    """Yield the elements of a dataset, in the order of the next epoch.

    A shuffled dataset counts how often it was read, and shuffles otherwise the next time. Its copy
    counts on its own. What cannot be copied, such as more than 2 GB in one array, is read itself.
    """
    if not _shuffles(dataset):
        yield from dataset
        return
    try:
        graph = _graph_without_count(dataset)
        make = function_from_graph_def(graph, inputs=[], outputs=f"{_result(graph)}:0")
        for used in dataset._functions():
            used.function.add_to_graph(make.graph)
        copy = tf.data.experimental.from_variant(make(), dataset.element_spec)
    except Exception:  # noqa: BLE001  # TensorFlow has no public way, and many kinds of datasets
        copy = dataset
    yield from copy


def _shuffles(dataset: Any) -> bool:
    """Return True if a dataset, or one that it is made of, is shuffled."""
    return "Shuffle" in type(dataset).__name__ or any(map(_shuffles, dataset._inputs()))


def _graph_without_count(dataset: Any) -> GraphDef:
    """Return a dataset as a graph, in which each shuffling gets a generator of its own."""
    serialized = dataset._as_serialized_graph(external_state_policy=ExternalStatePolicy.IGNORE)
    graph = GraphDef.FromString(serialized.numpy())
    nodes = {node.name: node for node in graph.node}
    for node in graph.node:
        if node.op in _GENERATOR_INPUT:
            generator = nodes[node.input[_GENERATOR_INPUT[node.op]]]
            name = generator.name
            generator.Clear()
            generator.name, generator.op = name, "DummySeedGenerator"
    return graph


def _result(graph: GraphDef) -> str:
    """Return the name of the operation that gives the dataset."""
    return next(str(node.input[0]) for node in graph.node if node.op == "_Retval")
