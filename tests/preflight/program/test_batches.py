"""Inputs of any structure, cut by examples."""

import numpy as np
import pytest

from mnist_exp.preflight.program.batches import Inputs, described, even, in_batches_of


def inputs() -> Inputs:
    weights = np.arange(4.0)
    return Inputs({"a": np.arange(8.0).reshape(4, 2), "b": np.array([1, 2, 3, 4])}, weights)


def test_rows_are_taken_of_every_array_and_of_the_weights() -> None:
    part = inputs()[np.array([2, 0])]
    assert part.structure["a"].tolist() == [[4, 5], [0, 1]]
    assert part.structure["b"].tolist() == [3, 1]
    assert part.weights is not None
    assert part.weights.tolist() == [2, 0]
    both = part.followed_by(inputs()[:1])
    assert both.structure["b"].tolist() == [3, 1, 1]
    assert both.weights is not None
    assert both.weights.tolist() == [2, 0, 0]


def test_examples_with_a_number_that_is_none_are_not_finite() -> None:
    given = inputs()
    given.structure["a"][1, 1] = np.nan
    assert given.finite.tolist() == [True, False, True, True]
    assert Inputs(np.array(["a", "b"], object)).finite.tolist() == [True, True]


def test_unequal_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match=r"same length, got \[2, 3\]"):
        Inputs([np.zeros(2), np.zeros(3)])


def test_batches_of_one_size_are_filled_up_with_the_first_examples() -> None:
    assert [rows.tolist() for rows in in_batches_of(3, 4)] == [[0, 1, 2], [3, 0, 1]]


def test_shapes_are_described_for_a_person() -> None:
    assert described(np.zeros((5, 28, 1), np.float32)) == "[N, 28, 1] float32"
    assert described(np.array(["a"], object)) == "[N] string"


@pytest.mark.parametrize(("count", "used"), [(1, 1), (2, 2), (3, 2), (25, 24), (64, 64)])
def test_gradients_are_taken_of_even_numbers_of_examples(count: int, used: int) -> None:
    assert even(count) == used
