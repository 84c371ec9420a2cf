from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_exp import data
from mnist_exp.data.parts import mixed
from tests.support.data_forms import (
    Arrays,
    some_images,
    write_idx,
    write_npz,
    write_parquet,
    write_pictures,
)

NAMES = tuple("abcdefghijkl")
WRITERS: dict[str, Callable[[Path, Arrays], Path]] = {
    "IDX": write_idx,
    "npz": lambda folder, arrays: write_npz(folder / "x.npz", arrays),
    "npz in a folder": lambda folder, arrays: write_npz(folder / "x.npz", arrays).parent,
    "pictures": lambda folder, arrays: write_pictures(folder, arrays, NAMES),
    "Parquet": lambda folder, arrays: write_parquet(folder, arrays, shards=3),
}


@st.composite
def image_sets(draw: st.DrawFn) -> dict[str, np.ndarray]:
    """Sets of all classes, in the order that a folder of pictures has: by class."""
    shape = (draw(st.integers(1, 9)), draw(st.integers(1, 9)), draw(st.sampled_from([1, 3])))
    classes = draw(st.integers(2, len(NAMES)))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    arrays: dict[str, np.ndarray] = {}
    for part in ("train", "test"):
        labels = np.arange(classes).repeat(random.integers(1, 5, classes))
        arrays[f"x_{part}"] = random.integers(0, 256, (len(labels), *shape)).astype(np.uint8)
        arrays[f"y_{part}"] = labels
    return arrays


@settings(max_examples=25)
@given(arrays=image_sets(), limit=st.none() | st.integers(1, 20))
def test_each_form_gives_the_same_data_for_the_same_images(
    arrays: dict[str, np.ndarray], limit: int | None
) -> None:
    order = mixed(arrays["y_train"])
    with TemporaryDirectory() as folder:
        read = {
            form: data.load(
                dir=write(Path(folder) / form, arrays), validation_size=1, train_limit=limit
            )
            for form, write in WRITERS.items()
        }
    assert len({(each.digest, each.form.image_shape) for each in read.values()}) == 1
    for each in read.values():
        assert each.form.num_classes == arrays["y_train"].max() + 1
        np.testing.assert_array_equal(each.val.images, arrays["x_train"][order[:1]])
        expected = order[1:] if limit is None else order[1 : 1 + limit]
        np.testing.assert_array_equal(each.train.images, arrays["x_train"][expected])
        np.testing.assert_array_equal(each.train.labels, arrays["y_train"][expected])
        assert each.train.labels.dtype == np.int32
    assert read["pictures"].form.class_names == NAMES[: arrays["y_train"].max() + 1]


@pytest.mark.parametrize("form", WRITERS)
def test_images_that_are_mixed_stay_in_the_order_of_the_files(tmp_path: Path, form: str) -> None:
    arrays = some_images(classes=10)
    read = data.load(dir=WRITERS[form](tmp_path, arrays), validation_size=10)
    assert read.val.labels.tolist() == list(range(10))
    if form != "pictures":  # which are sorted by class, and then by name
        np.testing.assert_array_equal(read.train.images, arrays["x_train"][10:])
        np.testing.assert_array_equal(read.test.images, arrays["x_test"])


@given(counts=st.lists(st.integers(0, 30), min_size=1, max_size=12))
def test_the_first_images_of_sorted_ones_have_each_class_in_its_proportion(
    counts: list[int],
) -> None:
    labels = np.arange(len(counts)).repeat(counts)
    order = mixed(labels)
    assert sorted(order.tolist()) == list(range(len(labels)))
    for length in range(1, len(labels) + 1):
        had = np.bincount(labels[order[:length]], minlength=len(counts))
        assert (np.abs(had - length * np.array(counts) / len(labels)) <= len(counts) / 2 + 1).all()


def test_images_that_are_not_sorted_keep_their_order() -> None:
    assert mixed(np.array([1, 0, 2, 2])).tolist() == [0, 1, 2, 3]
    assert mixed(np.array([0, 0, 0, 1, 1, 1])).tolist() == [0, 3, 1, 4, 2, 5]
