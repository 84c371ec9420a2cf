"""Examples in every form that `fit` takes become arrays, and what cannot is said in own words."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import tensorflow as tf

from mnist_exp.preflight.errors import PreflightError
from mnist_exp.preflight.program.given import read_examples, weigh_classes

X = np.arange(20.0).reshape(10, 2)
Y = np.arange(10) % 3
SLICES = tf.data.Dataset.from_tensor_slices


def finite_only(x: tf.Tensor) -> tf.Tensor:
    return tf.debugging.check_numerics(x, "a long text of a library")


class Sequence(keras.utils.PyDataset):
    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rows = slice(2 * index, 2 * index + 2)
        return X[rows], Y[rows]


class Endless(Sequence):
    @property
    def num_batches(self) -> None:
        return None

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return super().__getitem__(index % 5)


@pytest.mark.parametrize(
    "given",
    [
        (X, Y),
        (X.tolist(), Y.tolist()),
        (tf.constant(X), tf.constant(Y)),
        (pd.DataFrame(X, columns=["a", "b"]), pd.Series(Y)),
        (pd.DataFrame(X, columns=["a", "b"]).astype(object), Y),
        (scipy.sparse.csr_matrix(X), Y),
        (SLICES((X, Y)).batch(4),),
        (SLICES((X, Y)).batch(5).repeat(),),
        (Sequence(),),
        (Endless(),),
    ],
)
def test_arrays_tables_and_datasets_give_the_same(given: tuple[Any, ...]) -> None:
    examples = read_examples(*given, limit=10)
    assert np.array_equal(examples.inputs.structure, X)
    assert examples.inputs.structure.dtype == np.float32
    assert np.array_equal(examples.labels, Y)


def test_numbers_that_are_float32_are_not_copied() -> None:
    x = X.astype(np.float32)
    assert np.shares_memory(read_examples(x, Y, limit=10).inputs.structure, x)


def test_of_a_sparse_matrix_too_large_to_be_dense_rows_are_drawn_with_their_labels() -> None:
    number = np.arange(1000.0)
    given = scipy.sparse.coo_matrix((number, (np.arange(1000), np.zeros(1000, int))), (1000, 10**6))
    examples = read_examples(given, number, number / 2, limit=3)
    assert (len(examples.inputs), examples.total) == (3, 1000)
    assert np.array_equal(examples.inputs.structure[:, 0], examples.labels)
    assert examples.inputs.weights == pytest.approx(examples.labels / 2)
    with pytest.raises(PreflightError, match="same length, got 1000 and 999"):
        read_examples(given, number[1:], limit=3)


def test_dataset_has_weights_batch_size_and_steps_and_is_read_no_further_than_needed() -> None:
    weights = np.linspace(0, 1, 10)
    examples = read_examples(SLICES((X, Y, weights)).batch(4), limit=4)
    assert (len(examples.inputs), examples.batch_size, examples.steps) == (4, 4, 3)
    assert examples.inputs.weights == pytest.approx(weights[:4])
    assert read_examples(SLICES((X, Y)).batch(4).repeat(), limit=4).steps is None


def test_a_dataset_of_single_examples_is_refused_as_fit_refuses_it() -> None:
    with pytest.raises(PreflightError, match=r"add \.batch\(32\)"):
        read_examples(SLICES((X, Y)), limit=10)


def test_batches_of_unequal_length_are_padded() -> None:
    rows = [np.array([1]), np.array([1, 2]), np.array([3]), np.array([4])]
    dataset = tf.data.Dataset.from_generator(
        lambda: iter(rows), output_signature=tf.TensorSpec([None], tf.int64)
    ).padded_batch(2)
    examples = read_examples(dataset, limit=10)
    assert examples.inputs.structure.tolist() == [[1, 0], [1, 2], [3, 0], [4, 0]]


def test_several_inputs_and_text_keep_their_structure_and_whole_numbers_their_dtype() -> None:
    texts = np.array(["a", "bc"] * 5)
    examples = read_examples({"t": texts, "n": Y}, Y, limit=10)
    assert examples.inputs.structure["t"].dtype == object
    assert examples.inputs.structure["n"].dtype == Y.dtype
    assert [array.dtype for array in examples.inputs.numbers] == [Y.dtype]
    assert examples.inputs[:2].tensors()["t"].dtype == tf.string
    assert len(read_examples([X, texts], Y, limit=10).inputs.arrays) == 2


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (lambda: ([[1], [2, 3]], [0, 1]), "x has rows of different lengths: pad them"),
        (lambda: (tf.ragged.constant([[1], [2, 3]]), [0, 1]), "x has rows of different lengths"),
        (lambda: (X, Y[:9]), "inputs and labels must have the same length, got 10 and 9"),
        (lambda: ([X, X[:9]], Y), "inputs must have the same length, got 10, 9"),
        (lambda: (X, Y, np.ones(3)), "sample weights must have the same length, got 10 and 3"),
        (lambda: (pd.DataFrame({"a": ["u", 1]}), [0, 1]), "x has the text 'u' among its numbers"),
        (lambda: (pd.DataFrame({"a": [pd.NA, 1]}), [0, 1]), "x has missing values .NA.: fill"),
        (lambda: (pd.DataFrame({"a": [pd.Timestamp(0), 1]}), [0, 1]), "x has a Timestamp among"),
        (lambda: (np.array(["2020-01-01"], "M8[D]"), [0]), "x must be numbers or text, got datet"),
        (lambda: (3.0, Y), "x must be an array of examples, got float"),
        (lambda: (SLICES((X, Y)), Y), "has the labels in it: leave y out"),
        (lambda: (SLICES((X, Y)).take(0),), "the dataset is empty"),
        (lambda: (iter([(X, Y)]),), "x is a generator, which can be read once only"),
        (lambda: (SLICES(X * np.nan).map(finite_only),), "the dataset cannot be read: Invalid"),
    ],
)
def test_what_cannot_be_read_is_said_in_own_words(given: Callable[[], Any], words: str) -> None:
    with pytest.raises(PreflightError, match=words) as raised:
        read_examples(*given(), limit=10)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 200


@pytest.mark.parametrize("labels", [np.array([0, 2, 1]), np.eye(3)[[0, 2, 1]]])
def test_class_weights_become_weights_of_examples_beside_their_own(labels: np.ndarray) -> None:
    examples = read_examples(X[:3], labels, np.array([1, 1, 2]), limit=3)
    weighed = weigh_classes(examples, {0: 5, 1: 3})
    assert weighed.inputs.weights is not None
    assert weighed.inputs.weights.tolist() == [5, 1, 6]
    with pytest.raises(PreflightError, match="must be a dict from class number to weight"):
        weigh_classes(examples, [1, 2])


def test_a_label_that_is_not_finite_has_the_weight_of_no_class() -> None:
    examples = read_examples(X[:3], np.array([0, np.nan, 1]), limit=3)
    weighed = weigh_classes(examples, {0: 5, 1: 3}).inputs.weights
    assert weighed is not None
    assert weighed.tolist() == [5, 1, 3]
