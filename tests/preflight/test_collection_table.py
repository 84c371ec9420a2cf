"""What the tables of the collection count, without training or checking anything."""

from typing import Any

import numpy as np
import pytest

from tests.preflight.collection_table import fault_table, good_table, outcome
from tests.preflight.confusion import Row
from tests.support.collection.harm import verdict
from tests.support.collection.scores import score


def checked(kind: str = "faulty", **more: Any) -> Row:
    row = {"name": "a", "kind": kind, "task": "classes", "codes": ["SCALE", "RATE"], "harm": "yes"}
    return row | {"class": "data", "findings": {}, "traceback": "", "seconds": 1.0} | more


def test_a_fault_is_named_by_one_of_its_codes_and_misled_by_errors_alone() -> None:
    assert outcome(checked(findings={"RATE": "warning", "OTHER": "error"})) == "named right"
    assert outcome(checked(findings={"OTHER": "error"})) == "misleading"
    assert outcome(checked(findings={"OTHER": "warning"})) == "missed"
    assert outcome(checked(traceback="ValueError")) == "missed"


def test_the_tables_count_detected_named_misled_and_missed() -> None:
    rows = [
        checked(findings={"RATE": "warning"}),
        checked(findings={"OTHER": "error"}),
        checked(),
        checked(harm="no"),
        checked("good"),
        checked("good", findings={"OTHER": "error", "RATE": "warning"}),
        checked("repaired", traceback="ValueError"),
    ]
    assert list(fault_table(rows, "yes"))[2:] == [
        "| data | 3 | 2 | 1 | 1 | 1 | 1 |",
        "| **all** | 3 | 2 | 1 | 1 | 1 | 1 |",
    ]
    assert list(fault_table(rows, "no"))[-1] == "| **all** | 1 | 0 | 0 | 0 | 0 | 1 |"
    assert list(good_table(rows))[2:] == [
        "| good: classes | 2 | 1 | 1 | OTHER 1 | RATE 1 |",
        "| **good: all** | 2 | 1 | 1 | OTHER 1 | RATE 1 |",
        "| repaired: classes | 1 | 1 | 0 | 0, 1 raised | 0 |",
        "| **repaired: all** | 1 | 1 | 0 | 0, 1 raised | 0 |",
    ]


@pytest.mark.parametrize(
    ("faulty", "repaired", "expected"),
    [
        ((None, 0.9), (0.9, 0.9), ("yes", "stopped")),
        ((0.05, 0.9), (0.9, 0.9), ("yes", "at chance")),
        ((0.7, 0.8), (0.86, 0.9), ("yes", "worse")),
        ((0.7, 0.84), (0.86, 0.9), ("no", "")),
        ((0.96, 0.97), (0.8, 0.9), ("yes", "promises too much")),
        ((0.8, 0.8), (0.05, 0.9), ("unclear", "the repaired program fails")),
    ],
)
def test_harm(faulty: tuple[float | None, ...], repaired: tuple, expected: tuple) -> None:
    wrong, right = (
        [{"stopped": "NaN" if skill is None else "", "skill": skill} for skill in skills]
        for skills in (faulty, repaired)
    )
    assert verdict(wrong, right, ("LABEL_LEAK",)) == expected


def test_scores() -> None:
    classes = np.eye(3)[[0, 1, 1, 2]]
    assert score("classes", [0, 1, 2, 2], classes)[1] == pytest.approx((1 + 1 + 0.5) / 3)
    assert score("classes", np.eye(3)[[0, 1, 1, 2]], classes)[1:] == (1, 1 / 3)
    assert score("binary", [0, 1, 1, 1], [[-2.0], [0.1], [3], [2]])[1:] == (1, 0.5)
    assert score("binary", [0, 1, 1, 1], [[0.1], [0.6], [0.9], [0.4]])[1] == pytest.approx(5 / 6)
    assert score("multilabel", [[0, 1], [1, 0]], [[0.1, 0.2], [0.8, 0.9]])[1] == 0.75
    assert score("regression", [[1.0], [3.0]], [[2.0], [2.0]])[1:] == (0, 0)
    variance_beside_the_mean = [[1.0, 9.0], [3.0, 9.0]]
    assert score("regression", [[1.0], [3.0]], variance_beside_the_mean)[1] == 1
    ignored = score("classes per position", [[0, 1]], np.eye(2)[None, [0, 0]], [[1, 0]])
    assert ignored[1] == 1
