"""The check of the range of the labels."""

import numpy as np

from mnist_exp.preflight.data import check_labels
from tests.support.programs import findings


def test_labels_from_one_are_out_of_range() -> None:
    (finding,) = findings(check_labels, np.arange(1, 11), np.arange(1, 11), 10)
    assert (finding.code, finding.severity) == ("LABELS_OUT_OF_RANGE", "error")
    assert finding.evidence["highest"] == 10


def test_labels_from_zero_are_fine() -> None:
    assert findings(check_labels, np.arange(10), np.arange(10), 10) == []
