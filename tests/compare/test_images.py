"""Test images and confusion matrices as the page shows them."""

import base64
import io

import numpy as np
from PIL import Image

from mnist_exp.compare import images
from mnist_exp.compare.predictions import PairedPredictions

LABEL = np.array([0, 1, 1, 2])
PAIR = PairedPredictions(
    group_label="mlp",
    baseline_networks=5,
    group_networks=1,
    label=LABEL,
    baseline=np.array([0, 1, 7, 3]),
    group=np.array([0, 5, 1, 3]),
)


def test_png_of_an_image_decodes_to_it() -> None:
    digit = np.arange(28 * 28, dtype=np.uint8).reshape(28, 28)
    start, body = images.png(digit).split(",")
    assert start == "data:image/png;base64"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(body)))), 255 - digit)


def test_what_only_one_of_the_two_gets_right() -> None:
    group, baseline = images.disagreements(PAIR, np.zeros((4, 28, 28), np.uint8), "softmax")
    assert (group.name, group.note) == ("mlp", "1 image")
    assert [(i.index, i.label, i.wrong) for i in group.images] == [(2, 1, 7)]
    assert baseline.name == "softmax (baseline)"
    assert [(i.index, i.label, i.wrong) for i in baseline.images] == [(1, 1, 5)]


def test_confusion_matrices_of_both_and_their_difference() -> None:
    drawings = images.confusion_matrices(PAIR, "softmax")
    assert [drawing.title for drawing in drawings] == ["softmax (baseline)", "mlp", "difference"]
    assert [drawing.note for drawing in drawings[:2]] == [
        "ensemble of 5: 2 of 4 right",
        "one network: 2 of 4 right",
    ]
    counts = [drawing.picture.count('class="count') for drawing in drawings]
    assert counts == [4, 4, 2]  # 1 read as 7, or as 5, is the only difference
