"""Test images as the page shows them."""

from pathlib import Path

import numpy as np
import pytest

from mnist_exp import data
from mnist_exp.compare import images
from mnist_exp.compare.predictions import PairedPredictions
from mnist_exp.errors import DataError
from mnist_exp.outside.images import as_seen, data_uri
from tests.support.made_data import made

LABEL = np.array([0, 1, 1, 2])


def test_the_shipped_test_images_are_those_of_the_data() -> None:
    assert images.shipped_test().digest == data.load_test().digest


def test_damaged_ones_are_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in data.SHIPPED_DIR.glob("t10k-*"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(b"")
    monkeypatch.setattr(images, "SHIPPED_DIR", tmp_path)
    with pytest.raises(DataError, match="t10k-labels-idx1-ubyte.gz: damaged"):
        images.shipped_test()


def pair(class_names: tuple[str, ...]) -> PairedPredictions:
    return PairedPredictions(
        group_label="mlp",
        baseline_networks=5,
        group_networks=1,
        class_names=class_names,
        label=LABEL,
        baseline=np.array([0, 1, 7, 3]),
        group=np.array([0, 5, 1, 3]),
    )


def test_what_only_one_of_the_two_gets_right() -> None:
    digits = pair(tuple("0123456789"))
    pictures = np.zeros((4, 28, 28, 1), np.uint8)
    group, baseline = images.disagreements(digits, pictures, "softmax")
    assert (group.name, group.note) == ("mlp", "1 image")
    assert [(i.index, i.label, i.wrong) for i in group.images] == [(2, "1", "7")]
    assert baseline.name == "softmax (baseline)"
    assert [(i.index, i.label, i.wrong) for i in baseline.images] == [(1, "1", "5")]
    assert group.images[0].source == data_uri(np.full((28, 28), 255, np.uint8))  # ink on paper
    assert group.images[0].is_ink


@pytest.mark.parametrize(
    ("shape", "size"), [((32, 32, 3), (56, 56)), ((10, 40, 1), (84, 21)), ((600, 300, 3), (40, 79))]
)
def test_images_of_other_data(shape: tuple[int, int, int], size: tuple[int, int]) -> None:
    form, split = made(shape, [f"kind {i}" for i in range(10)], 4)
    group, _ = images.disagreements(pair(form.class_names), split.images, "softmax")
    (image,) = group.images
    assert (image.label, image.wrong, image.size) == ("kind 1", "kind 7", size)
    assert image.source == data_uri(as_seen(split.images[2], ink=False))
    assert not image.is_ink
