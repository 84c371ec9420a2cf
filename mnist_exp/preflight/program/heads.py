"""The outputs of a model that has several, laid side by side as one array, and so its labels."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from mnist_exp.preflight.errors import PreflightError
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
        """Return a structure of outputs [B, ...] as one tensor [B, columns].

        What has no axis for the examples, such as one number for all of them, is left out. Raises
        PreflightError for an output whose size is not known before it is computed.
        """
        flat = tf.nest.flatten(outputs)
        self._outputs = tf.nest.map_structure(lambda o: tf.TensorSpec(o.shape, o.dtype), outputs)
        self._operations = [made_by(output).type for output in flat]
        chosen = [tf.cast(flat[number], tf.float32) for number in self._numbers()]
        columns = [tf.reshape(output, [-1, _size(output.shape)]) for output in chosen]
        self._given, self._packed = outputs, tf.concat(columns, axis=1)
        return self._packed

    def outputs(self, packed: tf.Tensor) -> Any:
        """Return a structure of outputs as `pack` was given last, from its result or one like it.

        From its result it is the same tensors: Keras' losses look for what made them. From another
        one, what was left out is 0.
        """
        if packed is self._packed:
            return self._given
        specs, numbers = tf.nest.flatten(self._outputs), self._numbers()
        forms = [(specs[number].shape[1:], tf.float32) for number in numbers]
        found = dict(zip(numbers, _unpacked(packed, forms), strict=True))
        flat = [
            found[number] if number in found else tf.zeros([n or 1 for n in spec.shape])
            for number, spec in enumerate(specs)
        ]
        return tf.nest.pack_sequence_as(self._outputs, flat)

    def _numbers(self) -> list[int]:
        """Return which outputs have an axis for the examples."""
        shapes = [spec.shape for spec in tf.nest.flatten(self._outputs)]
        any_size = any(shape.rank and shape[0] is None for shape in shapes)
        return [
            number
            for number, shape in enumerate(shapes)
            if shape.rank is None or (shape.rank > 0 and (shape[0] is None or not any_size))
        ]

    def labels(self, packed: Any) -> Any:
        """Return the structure of labels from a tensor like `packed`."""
        forms = [(array.shape[1:], array.dtype) for array in tf.nest.flatten(self._labels)]
        return tf.nest.pack_sequence_as(self._labels, _unpacked(packed, forms))

    def places(self) -> Any:
        """Return the structure of outputs with where and what each is, None if left out."""
        specs, numbers = tf.nest.flatten(self._outputs), self._numbers()
        ends = np.cumsum([_size(specs[number].shape) for number in numbers])
        places = dict[int, Place]()
        for number, end in zip(numbers, ends, strict=True):
            shape = tuple(specs[number].shape[1:])
            places[number] = Place(
                number=number,
                columns=slice(int(end) - math.prod(shape), int(end)),
                shape=shape,
                operation=self._operations[number],
            )
        return tf.nest.pack_sequence_as(self._outputs, list(map(places.get, range(len(specs)))))

    @property
    def used(self) -> bool:
        """Return True once outputs were packed."""
        return self._outputs is not None

    @property
    def label_arrays(self) -> Any:
        """Return the structure of labels, in the dtypes that losses take."""
        return self._labels


def _size(shape: tf.TensorShape) -> int:
    """Return how many numbers an output has for each example."""
    if not shape[1:].is_fully_defined():
        raise PreflightError(
            f"the size of an output of shape {shape} is not known before it is computed: preflight "
            "needs one that is, as keras.ops.reshape gives it"
        )
    return math.prod(shape[1:])


def _unpacked(packed: Any, forms: list[tuple[Any, Any]]) -> list[tf.Tensor]:
    sizes = [math.prod(shape) for shape, _ in forms]
    return [
        tf.cast(tf.reshape(part, [-1, *shape]), dtype)
        for part, (shape, dtype) in zip(tf.split(packed, sizes, axis=1), forms, strict=True)
    ]
