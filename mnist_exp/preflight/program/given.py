"""Read the examples that a caller gives, in any form that `fit` takes, into arrays."""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from mnist_exp.preflight.errors import PreflightError, in_own_words
from mnist_exp.preflight.program.batches import Inputs
from mnist_exp.preflight.program.dataset_copy import elements_of

_MOST_DENSE = 2**28  # numbers of a sparse matrix that is made dense as a whole: 1 GB of float32
_PAD = "pad them to one length, as keras.utils.pad_sequences does"


@dataclass(frozen=True, kw_only=True)
class Examples:
    """Inputs and their labels.

    labels: an array [N, ...], for several outputs a dict or list of arrays, or None.
    batch_size, steps: of a dataset, and how many batches an epoch of it has; None if not known.
    several_weights: True if there were weights for each of several outputs, which are not used.
    drawn_of: how many there are, where these were drawn because all were too many to be dense.
    """

    inputs: Inputs
    labels: Any
    batch_size: int | None = None
    steps: int | None = None
    several_weights: bool = False
    drawn_of: int | None = None

    @property
    def total(self) -> int:
        """Return how many examples an epoch has, as far as it is known."""
        if self.steps is None or self.batch_size is None:
            return self.drawn_of or len(self.inputs)
        return self.steps * self.batch_size

    def __getitem__(self, rows: slice | np.ndarray) -> "Examples":
        labels = self.labels
        if labels is not None:
            labels = tf.nest.map_structure(lambda array: array[rows], labels)
        return replace(self, inputs=self.inputs[rows], labels=labels)

    @property
    def finite(self) -> np.ndarray:
        """Return for each example whether all its numbers and labels are finite [N]."""
        rows = self.inputs.finite
        for array in [] if self.labels is None else tf.nest.flatten(self.labels):
            if array.dtype.kind == "f":
                rows &= np.isfinite(array).reshape(len(array), -1).all(axis=1)
        return rows

    def filled(self) -> "Examples":
        """Return the examples with 0 in the place of what is not finite."""
        labels = None if self.labels is None else tf.nest.map_structure(_filled, self.labels)
        structure = tf.nest.map_structure(_filled, self.inputs.structure)
        return replace(self, inputs=Inputs(structure, self.inputs.weights), labels=labels)


def _filled(array: np.ndarray) -> np.ndarray:
    return np.nan_to_num(array, posinf=0, neginf=0) if array.dtype.kind == "f" else array


def read_examples(x: Any, y: Any = None, weights: Any = None, *, limit: int) -> Examples:
    """Return what a caller gives as x, y and sample weights.

    x may be arrays, tables or tensors, one or a dict, list or tuple of them, or a
    `tf.data.Dataset` or `keras.utils.PyDataset`, of which about the first `limit` examples are
    read. Raises PreflightError for what cannot be read.
    """
    if isinstance(x, tf.data.Dataset | keras.utils.PyDataset):
        if y is not None:
            raise PreflightError("x is a dataset, which has the labels in it: leave y out")
        return _of_dataset(x, limit)
    if hasattr(x, "__next__"):
        raise PreflightError(
            "x is a generator, which can be read once only: give arrays, a tf.data.Dataset or a "
            "keras.utils.PyDataset"
        )
    inputs, labels = arrays(x, "x"), None if y is None else arrays(y, "y")
    weights = None if weights is None else arrays(weights, "sample_weight")
    if not any(map(_is_sparse, tf.nest.flatten((inputs, labels)))):
        return _together(inputs, labels, weights)
    count = _length(inputs, labels, weights)
    rows = np.random.default_rng(0).permutation(count)[:limit]
    given = (_drawn(inputs, rows), _drawn(labels, rows), _drawn(weights, rows))
    return replace(_together(*given), drawn_of=count)


def _together(inputs: Any, labels: Any, weights: Any) -> Examples:
    """Return examples if all arrays have the same length."""
    _length(inputs, labels, weights)
    several = weights is not None and not isinstance(weights, np.ndarray)
    weighted = Inputs(inputs, None if several else weights)
    return Examples(inputs=weighted, labels=labels, several_weights=several)


def _length(inputs: Any, labels: Any, weights: Any) -> int:
    """Return how many examples there are; raise PreflightError if not all arrays have as many."""
    lengths = [array.shape[0] for array in tf.nest.flatten(inputs)]
    if len(set(lengths)) != 1:
        found = ", ".join(map(str, lengths))
        raise PreflightError(f"the inputs must have the same length, got {found}")
    count = int(lengths[0])
    for name, others in (("labels", labels), ("sample weights", weights)):
        for array in tf.nest.flatten(others) if others is not None else []:
            if array.shape[0] != count:
                raise PreflightError(
                    f"inputs and {name} must have the same length, got {count} and {array.shape[0]}"
                )
    return count


def _is_sparse(values: Any) -> bool:
    """Return True for one of SciPy's sparse matrices."""
    return hasattr(values, "toarray")


def _drawn(given: Any, rows: np.ndarray) -> Any:
    """Return these rows of every array, all of them dense."""
    if given is None:
        return None
    parts = [array[rows] for array in tf.nest.flatten(given)]
    dense = [_array(part.toarray(), "x") if _is_sparse(part) else part for part in parts]
    return tf.nest.pack_sequence_as(given, dense)


def arrays(values: Any, name: str) -> Any:
    """Return an array for a table, tensor, list or array, and a structure for several of them."""
    if isinstance(values, dict):
        return {key: arrays(value, f"{name}[{key!r}]") for key, value in values.items()}
    several = isinstance(values, list | tuple) and values and all(map(_is_array, values))
    if several:
        return [arrays(value, f"{name}[{n}]") for n, value in enumerate(values)]
    return _array(values, name)


def _is_array(value: Any) -> bool:
    return len(getattr(value, "shape", ())) > 0 or isinstance(value, tf.RaggedTensor)


def _array(values: Any, name: str) -> Any:
    """Return one array in the dtype that Keras gives to it: text becomes an array of objects.

    A sparse matrix that is too large to be dense stays one.
    """
    if isinstance(values, tf.RaggedTensor):
        raise PreflightError(f"{name} has rows of different lengths: {_PAD}")
    if isinstance(values, tf.SparseTensor):
        values = tf.sparse.to_dense(values)
    elif _is_sparse(values):
        if math.prod(values.shape) > _MOST_DENSE:
            return values.tocsr()
        values = values.toarray()
    try:
        array = values.to_numpy() if hasattr(values, "to_numpy") else np.asarray(values)
    except ValueError as error:
        raise PreflightError(f"{name} has rows of different lengths: {_PAD}") from error
    if array.ndim == 0:
        raise PreflightError(f"{name} must be an array of examples, got {type(values).__name__}")
    if array.dtype.kind == "O":
        return _numbers_or_text(array, name)
    if array.dtype.kind in "US":
        return array.astype(object)
    if array.dtype.kind not in "fbiu":
        raise PreflightError(f"{name} must be numbers or text, got {array.dtype}")
    return array.astype(np.float32, copy=False) if array.dtype.kind == "f" else array


def _numbers_or_text(array: np.ndarray, name: str) -> np.ndarray:
    """Return an array of objects as float32, or as it is if all are text."""
    flat = array.reshape(-1)
    if all(isinstance(value, str | bytes) for value in flat):
        return array
    if any(np.ndim(value) > 0 for value in flat):
        raise PreflightError(f"{name} has rows of different lengths: {_PAD}")
    try:
        return array.astype(np.float32)
    except (TypeError, ValueError) as error:
        raise PreflightError(f"{name} has {_no_number(flat)}") from error


def _no_number(values: np.ndarray) -> str:
    """Return what is among the numbers of an array of objects and is none, and what to do."""
    texts = [value for value in values if isinstance(value, str | bytes)]
    if texts:
        return f"the text {str(texts[0])!r} among its numbers: encode it as numbers first"
    kinds = {type(value).__name__ for value in values if not isinstance(value, int | float)}
    if kinds <= {"NAType", "NoneType"}:
        return "missing values (NA): fill them, or drop their examples"
    return f"a {min(kinds - {'NAType', 'NoneType'})} among its numbers: turn it into numbers first"


def _of_dataset(dataset: Any, limit: int) -> Examples:
    """Return about the first `limit` examples of a dataset of batches."""
    batches = list[tuple[Any, ...]]()
    count = 0
    with in_own_words("the dataset cannot be read"):
        for element in _elements(dataset):
            parts = tuple(element) if isinstance(element, tuple | list) else (element,)
            if not _batched(parts):
                raise PreflightError(
                    "the dataset gives single examples, and fit takes batches: add .batch(32) to it"
                )
            batches.append(tuple(arrays(part, "an element of the dataset") for part in parts))
            count += len(tf.nest.flatten(batches[-1])[0])
            if count >= limit:
                break
    if not batches:
        raise PreflightError("the dataset is empty")
    joined: list[Any] = [*tf.nest.map_structure(_joined, *batches), None, None]
    examples = _together(*joined[:3])
    return replace(
        examples,
        batch_size=max(len(tf.nest.flatten(batches[0])[0]), 1),
        steps=_number_of_batches(dataset),
    )


def _elements(dataset: Any) -> Iterator[Any]:
    if isinstance(dataset, tf.data.Dataset):
        yield from elements_of(dataset)
    else:
        count = dataset.num_batches
        for index in itertools.count() if count is None else range(count):
            yield dataset[index]


def _number_of_batches(dataset: Any) -> int | None:
    if not isinstance(dataset, tf.data.Dataset):
        return dataset.num_batches  # type: ignore[no-any-return]
    count = int(dataset.cardinality())
    return count if count >= 0 else None  # infinite or not known


def _batched(parts: tuple[Any, ...]) -> bool:
    """Return False for a single example: its arrays have no first axis in common."""
    shapes = [tuple(np.shape(value)) for value in tf.nest.flatten(parts)]
    return all(shapes) and len({shape[0] for shape in shapes}) == 1


def _joined(*batches: np.ndarray) -> np.ndarray:
    """Return batches one after the other; shorter ones are padded as `padded_batch` does."""
    shape = np.max([batch.shape[1:] for batch in batches], axis=0)
    filled = [
        np.pad(batch, [(0, 0), *((0, int(n)) for n in shape - batch.shape[1:])])
        if batch.dtype != object and tuple(shape) != batch.shape[1:]
        else batch
        for batch in batches
    ]
    return np.concatenate(filled)


def weigh_classes(examples: Examples, weights: Any) -> Examples:
    """Return the examples with the weights that `fit` takes from `class_weight`.

    weights: from class number to weight; a class that is not named has 1, as has what is no class.
    """
    try:
        table = {int(number): float(weight) for number, weight in weights.items()}
        labels = np.asarray(examples.labels, np.float64)
    except (TypeError, ValueError, AttributeError) as error:
        raise PreflightError(
            "class_weight must be a dict from class number to weight, for labels of one output, "
            f"got {weights!r}"
        ) from error
    columns = labels.reshape(len(labels), -1)
    classes = np.argmax(columns, axis=1) if columns.shape[1] > 1 else np.round(columns[:, 0])
    finite = np.isfinite(classes)
    of_class = np.ones(len(classes), np.float32)
    of_class[finite] = [table.get(int(number), 1.0) for number in classes[finite]]
    if examples.inputs.weights is not None:
        of_class = of_class * examples.inputs.weights
    return replace(examples, inputs=Inputs(examples.inputs.structure, of_class))
