import numpy as np

from mnist_exp.training.confusion import Confusion, confusion_counts, most_frequent


def test_labels_are_in_rows_and_predictions_in_columns() -> None:
    counts = confusion_counts(np.array([0, 0, 2]), np.array([1, 1, 2]), 3)
    assert counts.tolist() == [[0, 2, 0], [0, 0, 0], [0, 0, 1]]


def test_the_most_frequent_mistakes_are_first_and_right_answers_are_none() -> None:
    counts = np.array([[9, 1, 0], [2, 50, 2], [0, 0, 3]])
    assert most_frequent(counts, 2) == [
        Confusion(label=1, prediction=0, count=2, images=54),
        Confusion(label=1, prediction=2, count=2, images=54),
    ]
    assert [m.count for m in most_frequent(counts, 9)] == [2, 2, 1]
