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
    assert votes.majority(predictions, probabilities).tolist() == [1, 1]
    three = np.concatenate([predictions, [[0, 0]]])
    assert votes.majority(three, np.concatenate([probabilities, probabilities[:1]])).tolist() == [
        0,
        0,
    ]
