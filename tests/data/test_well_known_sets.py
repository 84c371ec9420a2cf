"""Data as it is published, in small copies; Fashion-MNIST itself where Debian's package has it."""

import gzip
import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mnist_exp import data
from mnist_exp.config import schema
from mnist_exp.data import known_sets
from mnist_exp.errors import DataError
from tests.support.data_forms import some_images, write_idx

FASHION = Path("/usr/share/datasets/fashion-mnist")
LETTERS = some_images(60, (8, 7, 1), classes=26)
FROM_1 = {**LETTERS, "y_train": LETTERS["y_train"] + 1, "y_test": LETTERS["y_test"] + 1}


def load(path: Path) -> data.Dataset:
    return data.load(dir=path, validation_size=5)


def test_fashion_mnist_is_known_by_its_files() -> None:
    if not FASHION.is_dir():
        pytest.skip("the package dataset-fashion-mnist is not installed")
    read = data.load(dir=FASHION)
    assert (read.name, read.is_mnist, read.form.is_digits) == ("fashion_mnist", False, False)
    assert read.form.class_names[9] == "Ankle boot"
    assert (len(read.train), len(read.val), len(read.test)) == (55_000, 5_000, 10_000)


def test_the_setting_has_the_same_names(settings: Callable[..., schema.Config]) -> None:
    config = settings("data=fashion_mnist").data
    assert config.dir == str(FASHION)
    assert known_sets.known_set(known_sets.FASHION_MNIST_SHA256) == (
        "fashion_mnist",
        tuple(config.class_names or ()),
    )


def test_letters_of_emnist_are_upright_and_have_their_names(tmp_path: Path) -> None:
    read = load(write_idx(tmp_path, FROM_1, "emnist-letters-"))
    assert read.form.class_names == tuple("abcdefghijklmnopqrstuvwxyz")
    assert read.form.image_shape == (7, 8, 1)
    turned = LETTERS["x_train"].transpose(0, 2, 1, 3)
    np.testing.assert_array_equal(read.train.images, turned[5:])
    np.testing.assert_array_equal(read.train.labels, LETTERS["y_train"][5:])


def test_labels_from_1_to_26_without_a_known_name_are_26_classes(tmp_path: Path) -> None:
    read = load(write_idx(tmp_path, FROM_1))
    assert read.form.class_names == tuple(str(label) for label in range(1, 27))
    np.testing.assert_array_equal(read.test.labels, LETTERS["y_test"])


def test_one_of_several_sets_of_a_folder_is_chosen_by_the_beginning_of_its_names(
    tmp_path: Path,
) -> None:
    write_idx(tmp_path, FROM_1, "emnist-letters-")
    write_idx(tmp_path, some_images(classes=10), "emnist-digits-")
    with pytest.raises(DataError, match="sets, emnist-digits, emnist-letters; data.dir=.*-digits"):
        load(tmp_path)
    assert load(tmp_path / "emnist-letters").form.num_classes == 26
    assert load(tmp_path / "emnist-digits").form.class_names == tuple("0123456789")


@pytest.mark.parametrize("name", ["balanced", "bymerge", "byclass"])
def test_numbers_of_classes_of_emnist(name: str) -> None:
    names = known_sets.names_by_prefix(f"emnist-{name}")
    assert names is not None
    assert len(names) == (62 if name == "byclass" else 47)
    assert names[:11] == tuple("0123456789A")


def test_labels_of_qmnist_begin_with_the_class(tmp_path: Path) -> None:
    arrays = some_images(classes=10)
    write_idx(tmp_path, arrays, "qmnist-")
    for part in ("train", "test"):
        (tmp_path / f"qmnist-{part}-labels-idx1-ubyte").unlink()
        rows = np.full((len(arrays[f"y_{part}"]), 8), 77, ">i4")
        rows[:, 0] = arrays[f"y_{part}"]
        header = b"\0\0\x0c\2" + np.array(rows.shape, ">u4").tobytes()
        path = tmp_path / f"qmnist-{part}-labels-idx2-int.gz"
        path.write_bytes(gzip.compress(header + rows.tobytes()))
    np.testing.assert_array_equal(load(tmp_path).train.labels, arrays["y_train"][5:])


def test_a_folder_called_as_a_known_set_is_not_taken_for_it(tmp_path: Path) -> None:
    for name in ("mnist", "fashion_mnist"):
        assert load(write_idx(tmp_path / name, some_images())).name == "custom"
    assert load(write_idx(tmp_path / "flowers", some_images())).name == "flowers"


def test_digests_of_mnist_are_those_of_earlier_versions(mnist: data.Dataset) -> None:
    assert mnist.digest == "1a1bafe8105f3a2df02737d045171e9e6b69923424b58ebc2b64a4962981ed47"
    split = mnist.val.first(10)
    plain = split.images.tobytes() + split.labels.astype(np.uint8).tobytes()
    assert split.digest == hashlib.sha256(plain).hexdigest()


def test_shape_and_wide_labels_and_the_number_of_classes_are_in_the_digest() -> None:
    pixels, labels = np.zeros(64, np.uint8), np.zeros(1, np.int32)
    shapes = [(1, 8, 8, 1), (1, 4, 16, 1), (1, 16, 4, 1)]
    assert len({data.Split(pixels.reshape(shape), labels).digest for shape in shapes}) == 3
    image = pixels.reshape(1, 8, 8, 1)
    assert len({data.Split(image, labels + number).digest for number in (1, 257, 513)}) == 3
    split = data.Split(image, labels)
    forms = [data.Form(image_shape=(8, 8, 1), class_names=names) for names in (("a", "b"), ("a",))]
    sets = [data.Dataset(train=split, val=split, test=split, source="", form=f) for f in forms]
    assert sets[0].digest != sets[1].digest
