"""The table of a model's layers, those of models within it included."""

import math
from collections.abc import Iterator

import keras

from mnist_exp.training.results import LayerRow


def layer_table(model: keras.Model) -> list[LayerRow]:
    """Return one row for each layer in the order of computation, the input first.

    A model within the model has a row for each of its layers, named MODEL/LAYER. Each layer has
    one row, wherever it is used again.
    """
    return list(_rows(model, "", set()))


def _rows(model: keras.Model, prefix: str, seen: set[int]) -> Iterator[LayerRow]:
    """Yield the rows of a model's layers that are not in `seen`, and then of weights of its own."""
    for layer in model.layers:
        if id(layer) in seen or (prefix and isinstance(layer, keras.layers.InputLayer)):
            continue
        seen.add(id(layer))
        if isinstance(layer, keras.Model) and layer.layers:
            yield from _rows(layer, f"{prefix}{layer.name}/", seen)
        else:
            yield _row(f"{prefix}{layer.name}", layer, _parameters(layer.weights))
    within = {id(weight) for layer in model.layers for weight in layer.weights}
    own = [weight for weight in model.weights if id(weight) not in within]
    if own:
        yield _row(prefix.rstrip("/") or model.name, model, _parameters(own))


def _row(name: str, layer: keras.layers.Layer, parameters: int) -> LayerRow:
    try:
        shape = tuple(layer.output.shape[1:])
    except AttributeError:  # it has several outputs, or a model calls it by itself
        shape = None
    return LayerRow(name=name, shape=shape, parameters=parameters)


def _parameters(weights: list[keras.Variable]) -> int:
    return sum(math.prod(weight.shape) for weight in weights)
