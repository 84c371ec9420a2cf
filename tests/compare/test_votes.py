"""Votes of several seeds, and McNemar's test, by hand."""

import numpy as np
import pytest
from scipy import stats

from mnist_exp.compare import votes


def test_mcnemars_example() -> None:
    """Agresti, Categorical Data Analysis, table 10.1: approval of the president in two surveys.

    150 and 86 of 1,600 people changed their minds.
    """
    labels = np.zeros(1600, int)
    first, second = np.zeros(1600, int), np.zeros(1600, int)
    second[:150] = 1  # only the first right
    first[150:236] = 1
    agreement = votes.agreement(labels, first, second)
    counts = (agreement.both, agreement.only_baseline, agreement.only_group, agreement.neither)
    assert counts == (1364, 150, 86, 0)
    assert agreement.p == pytest.approx(2 * stats.binom.cdf(86, 236, 0.5))
    assert votes.agreement(labels, first, first).p == 1


def test_majority_and_how_a_tie_is_broken() -> None:
    probabilities = np.array(
        [[[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]], [[0.05, 0.9, 0.05], [0.5, 0.4, 0.1]]]
    )
    predictions = probabilities.argmax(axis=2)
    assert votes.majority(list(predictions), list(probabilities)).tolist() == [1, 1]
    three, of_three = [*predictions, np.array([0, 0])], [*probabilities, probabilities[0]]
    assert votes.majority(three, of_three).tolist() == [0, 0]


def test_of_equal_votes_and_probabilities_the_first_class_counts() -> None:
    even = [np.full((1, 1000), 0.001, np.float16)] * 2
    assert votes.majority([np.array([700]), np.array([30])], even).tolist() == [30]
