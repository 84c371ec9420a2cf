"""Confusion matrices of few classes, and the mistakes of many."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from mnist_exp.compare import matrices
from mnist_exp.compare.predictions import PairedPredictions
from tests.support.made_data import names


def pair(
    classes: int, label: list[int], baseline: list[int], group: list[int]
) -> PairedPredictions:
    return PairedPredictions(
        group_label="mlp",
        baseline_networks=5,
        group_networks=1,
        class_names=names(classes),
        label=np.array(label),
        baseline=np.array(baseline),
        group=np.array(group),
    )


def test_matrices_of_both_and_their_difference() -> None:
    drawings = matrices.confusion_matrices(
        pair(10, [0, 1, 1, 2], [0, 1, 7, 3], [0, 5, 1, 3]), "softmax"
    )
    assert [drawing.title for drawing in drawings] == ["softmax (baseline)", "mlp", "difference"]
    assert [drawing.note for drawing in drawings[:2]] == [
        "ensemble of 5: 2 of 4 right",
        "one network: 2 of 4 right",
    ]
    counts = [drawing.picture.count('class="count') for drawing in drawings]
    assert counts == [4, 4, 2]  # 1 taken for 7, or for 5, is the only difference


@pytest.mark.parametrize("classes", [2, 10, 26])
def test_names_are_within_the_picture(classes: int) -> None:
    label = list(range(classes))
    for drawing in matrices.confusion_matrices(pair(classes, label, label, label), "softmax"):
        root = ET.fromstring(drawing.picture)
        _, _, width, height = map(float, root.attrib["viewBox"].split())
        shown = [text for text in root.findall("text") if text.get("class") == "class-name"]
        assert len(shown) == 2 * classes
        for text in shown:
            assert 0 < float(text.attrib["x"]) < width
            assert 0 < float(text.attrib["y"]) < height
            assert len(text.text or "") <= 14


def test_cells_without_room_for_counts_have_titles() -> None:
    label = [0] * 9 + list(range(26))
    _, group, difference = matrices.confusion_matrices(
        pair(26, label, label, [2] * 3 + label[3:]), "softmax"
    )
    assert 'class="count' not in group.picture
    assert "<title>T-shirt/top, taken for a &lt;b&gt; &amp; &#39;c&#39;: 3</title>" in group.picture
    assert re.findall("taken for a .*?: (.*?)<", difference.picture) == ["+3"]


def test_of_many_classes_the_mistakes_that_differ_most_are_listed() -> None:
    label = [1] * 10 + list(range(300))
    mistaken = pair(300, label, [2] * 3 + label[3:], [5, *label[1:]])
    assert matrices.confusion_matrices(mistaken, "softmax") == []
    first, second = matrices.mistakes(mistaken)
    assert (first.label, first.prediction) == (names(300)[1], names(300)[2])
    assert (first.baseline, first.group, first.images) == (3, 0, 11)
    assert (second.prediction, second.baseline, second.group) == (names(300)[5], 0, 1)
    assert matrices.mistakes(pair(10, [0], [1], [0])) == []
