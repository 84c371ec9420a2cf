"""The outputs of a model that has several, laid side by side as one array, and so its labels."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from mnist_exp.preflight.program.flow import made_by
from mnist_exp.preflight.program.forms import label_form


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where one output lies among the columns, its shape for one example, and what made it.

    number: of the output among all. operation: such as "Softmax".
    """

    number: int
    columns: slice
    shape: tuple[int, ...]
    operation: str

    def of(self, packed: np.ndarray) -> np.ndarray:
        """Return this output [N, ...] from all side by side [N, columns]."""
        return packed[:, self.columns].reshape(-1, *self.shape)


class Heads:
    """How several outputs, and the labels of some or all of them, are packed and unpacked.

    labels: the labels of N examples, one array or a structure of arrays.
    packed: the same as one array [N, columns]; class numbers are exact up to 2**24.
    """

    def __init__(self, labels: Any) -> None:
        self._labels = tf.nest.map_structure(lambda array: label_form(np.asarray(array)), labels)
        flat = tf.nest.flatten(self._labels)
        self.packed = np.concatenate(
            [array.reshape(len(array), -1).astype(np.float32) for array in flat], axis=1
        )
        self._outputs: Any = None
        self._given: Any = None
        self._packed: Any = None
        self._operations: list[str] = []

    def pack(self, outputs: Any) -> tf.Tensor:
        """Return a structure of outputs [B, ...] as one tensor [B, columns]."""
        self._outputs = tf.nest.map_structure(lambda o: tf.TensorSpec(o.shape, o.dtype), outputs)
        self._operations = [made_by(output).type for output in tf.nest.flatten(outputs)]
        flat = [tf.cast(output, tf.float32) for output in tf.nest.flatten(outputs)]
        columns = [tf.reshape(output, [-1, math.prod(output.shape[1:])]) for output in flat]
        self._given, self._packed = outputs, tf.concat(columns, axis=1)
        return self._packed

    def outputs(self, packed: tf.Tensor) -> Any:
        """Return a structure of outputs as `pack` was given last, from its result or one like it.

        From its result it is the same tensors: Keras' losses look for what made them.
        """
        if packed is self._packed:
            return self._given
        specs = tf.nest.flatten(self._outputs)
        return tf.nest.pack_sequence_as(
            self._outputs, _unpacked(packed, [(s.shape[1:], tf.float32) for s in specs])
        )

    def labels(self, packed: Any) -> Any:
        """Return the structure of labels from a tensor like `packed`."""
        forms = [(array.shape[1:], array.dtype) for array in tf.nest.flatten(self._labels)]
        return tf.nest.pack_sequence_as(self._labels, _unpacked(packed, forms))

    def places(self) -> Any:
        """Return the structure of outputs with where and what each is."""
        specs = tf.nest.flatten(self._outputs)
        ends = np.cumsum([math.prod(spec.shape[1:]) for spec in specs])
        places = [
            Place(
                number=number,
                columns=slice(int(end) - math.prod(spec.shape[1:]), int(end)),
                shape=tuple(spec.shape[1:]),
                operation=operation,
            )
            for number, (end, spec, operation) in enumerate(
                zip(ends, specs, self._operations, strict=True)
            )
        ]
        return tf.nest.pack_sequence_as(self._outputs, places)

    @property
    def used(self) -> bool:
        """Return True once outputs were packed."""
        return self._outputs is not None

    @property
    def label_arrays(self) -> Any:
        """Return the structure of labels, in the dtypes that losses take."""
        return self._labels


def _unpacked(packed: Any, forms: list[tuple[Any, Any]]) -> list[tf.Tensor]:
    sizes = [math.prod(shape) for shape, _ in forms]
    return [
        tf.cast(tf.reshape(part, [-1, *shape]), dtype)
        for part, (shape, dtype) in zip(tf.split(packed, sizes, axis=1), forms, strict=True)
    ]
