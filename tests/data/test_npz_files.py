import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_exp import data
from mnist_exp.data import image_arrays
from mnist_exp.errors import DataError
from tests.support.data_forms import some_images, write_npz

ARRAYS = some_images()
X, Y = ARRAYS["x_train"], ARRAYS["y_train"]


def written(folder: Path, changed: Mapping[str, Any]) -> Path:
    """A file of ARRAYS with some changed; None leaves one out."""
    arrays = {name: array for name, array in ({**ARRAYS, **changed}).items() if array is not None}
    return write_npz(folder / "x.npz", arrays)


def load(path: Path, **chosen: Any) -> data.Dataset:
    return data.load(dir=path, **{"validation_size": 5, **chosen})


BAD: dict[str, tuple[Mapping[str, Any], str]] = {
    "no test images": (
        {"x_test": None, "y_test": None},
        "expected the arrays x_train, y_train, x_test, y_test, found no x_test and no y_test among",
    ),
    "capitals": ({"x_train": None, "X_train": X}, "; rename X_train to x_train"),
    "names of medmnist": (
        {"x_train": None, "train_images": X, "y_test": None, "test_labels": Y},
        "; rename train_images to x_train, test_labels to y_test",
    ),
    "validation images without labels": ({"x_val": X}, "found no y_val among"),
    "pickled": (
        {"x_train": np.array([[1], [1, 2]], object)},
        "x_train: an array of pickled Python objects, which may run code and are never loaded",
    ),
    "float": (
        {"x_train": X / 255},
        r"x_train: expected pixels as uint8, found float64; \(255 \* x_train\)\.round\(\)",
    ),
    "16 bits": ({"x_test": X.astype("u2")}, r"x_test: .* found uint16; \(x_test >> 8\)\.astype"),
    "64 bits": ({"x_test": X.astype("i8")}, r"x_test: .* found int64; x_test\.astype\(.uint8"),
    "truth values": ({"x_test": X > 3}, r"x_test: .* found bool; \(255 \* x_test\)\.astype"),
    "complex": ({"x_test": X * 1j}, "x_test: expected pixels as uint8, found complex128$"),
    "flat images": ({"x_train": X.reshape(40, 64)}, r"x_train\.reshape\(-1, 8, 8\) is square"),
    "opacity": (
        {"x_train": np.repeat(X, 4, 3)},
        r"found shape \[40, 8, 8, 4\]; x_train\[\.\.\., :3\] leaves out the opacity",
    ),
    "one-hot": (
        {"y_train": np.eye(3, dtype=int)[Y]},
        r"y_train: expected labels as .* found shape \[40, 3\]; .* y_train\.argmax\(axis=1\)",
    ),
    "text labels": (
        {"y_train": np.array(list("abc"))[Y]},
        r"y_train: expected labels as integers \[N\] from 0, found texts; .* np\.unique\(y_train",
    ),
    "label in each pixel": ({"y_train": X}, r"y_train: .* found shape \[40, 8, 8, 1\]"),
    "fractions as labels": ({"y_train": Y * 1.0}, r"found float64; y_train\.astype\(.int64.\)"),
    "negative label": (
        {"y_train": Y - 1},
        r"y_train: expected labels from 0, found -1 \(image 0, counted from 0\)",
    ),
    "label above all numbers": (
        {"y_test": np.full(10, 2**64 - 1, np.uint64)},
        "y_test: expected labels from 0, found 18446744073709551615",
    ),
    "one class": (
        {"y_train": 0 * Y},
        "y_train: expected 2 to 1,000 classes; all 40 training images have the label 0",
    ),
    "2,003 classes": ({"y_train": Y + 2000}, "y_train: expected 2 to 1,000 classes, found 2,003"),
    "a class in test alone": (
        {"y_test": ARRAYS["y_test"] + 1},
        r"y_test: expected labels 0 to 2, as there are training images, found 3 \(image 2",
    ),
    "test images of another size": (
        {"x_test": np.zeros((10, 9, 7, 1), np.uint8)},
        "x_test: expected images of 8x8 pixels, as the training images have, found 7x9",
    ),
    "fewer labels": ({"y_test": Y[:3]}, "x_test has 10 images but y_test has 3 labels"),
    "no test image": ({"x_test": X[:0], "y_test": Y[:0]}, "x_test: expected at least one example"),
    "two names": (
        {"class_names": np.array(["cat", "dog"])},
        "y_train: expected labels 0 to 1, as there are class names, found 2",
    ),
    "a name twice": (
        {"class_names": np.array(["cat", "dog", "cat"])},
        "class_names: expected different names, found 'cat' twice",
    ),
    "an empty name": (
        {"class_names": np.array(["cat", "", "owl"])},
        "class_names: expected a name for each class; that of class 1 is empty",
    ),
    "numbers as names": ({"class_names": np.arange(3)}, r"class_names: expected texts \[K\]"),
}


@pytest.mark.parametrize("name", BAD)
def test_arrays_that_cannot_be_used_are_refused_by_name(tmp_path: Path, name: str) -> None:
    changed, said = BAD[name]
    path = written(tmp_path, changed)
    with pytest.raises(DataError, match=said) as raised:
        load(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize("name", [name for name in BAD if name != "pickled"])
def test_arrays_in_memory_are_refused_in_the_same_words(name: str) -> None:
    changed, said = BAD[name]
    arrays = {key: array for key, array in {**ARRAYS, **changed}.items() if array is not None}
    with pytest.raises(DataError, match=said):
        data.of_arrays(arrays, validation_size=5)


def test_arrays_in_memory_are_split_as_those_of_a_file(tmp_path: Path) -> None:
    given = data.of_arrays(ARRAYS, validation_size=5, train_limit=20)
    assert given.digest == load(written(tmp_path, {}), train_limit=20).digest
    assert (given.name, given.source) == ("custom", "arrays in memory")


def test_layouts_that_can_mean_one_thing_only_are_read(tmp_path: Path) -> None:
    color = np.random.default_rng(0).integers(0, 256, (40, 8, 9, 3)).astype(np.uint8)
    channels_last = written(tmp_path / "last", {"x_train": color, "x_test": color[:10]})
    first = color.transpose(0, 3, 1, 2)
    channels_first = written(tmp_path / "first", {"x_train": first, "x_test": first[:10]})
    assert load(channels_first).digest == load(channels_last).digest
    flat, column = X[..., 0], Y[:, np.newaxis].astype(np.int16)
    assert load(written(tmp_path, {"x_train": flat, "y_train": column})).digest == (
        load(written(tmp_path, {})).digest
    )


def test_names_and_validation_images_of_the_file_are_used(tmp_path: Path) -> None:
    names = np.array([b"cat", b"dog", b"owl"])
    val = {"x_val": ARRAYS["x_test"][::-1], "y_val": ARRAYS["y_test"][::-1]}
    read = load(written(tmp_path, {**val, "class_names": names}), validation_size=5000)
    assert read.form.class_names == ("cat", "dog", "owl")
    assert (len(read.train), len(read.val)) == (40, 10)
    np.testing.assert_array_equal(read.val.images, val["x_val"])


def test_labels_from_1_are_classes_from_0_with_the_labels_as_names(tmp_path: Path) -> None:
    moved = {"y_train": Y + 1, "y_test": ARRAYS["y_test"] + 1}
    read = load(written(tmp_path, moved))
    assert read.form.class_names == ("1", "2", "3")
    np.testing.assert_array_equal(read.train.labels, Y[5:])


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["cat", "dog"], "data.class_names: expected 3 names, .* classes 0 to 2, found 2"),
        (["cat", "dog", "cat"], "data.class_names: expected different names, found 'cat' twice"),
    ],
)
def test_names_of_the_setting_have_to_fit(tmp_path: Path, names: list[str], said: str) -> None:
    path = written(tmp_path, {})
    with pytest.raises(DataError, match=said):
        load(path, class_names=names)
    assert load(path, class_names=["x", "y", "z"]).form.class_names == ("x", "y", "z")


def test_too_few_training_images_for_the_validation_split(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="size=5000: expected fewer than the 40 .*; a tenth is 4"):
        load(written(tmp_path, {}), validation_size=5000)


def test_an_archive_that_unpacks_to_very_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path, {})
    monkeypatch.setattr(image_arrays, "MOST_BYTES", 1000)
    with pytest.raises(DataError, match="expected arrays of at most 2,000 bytes, found 4,112"):
        load(path)


def test_an_array_that_says_it_is_larger_than_its_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ARRAYS:
            shape, kind = ((10**6, 100, 100), "|u1") if name[0] == "x" else ((10**6,), "<i8")
            header = io.BytesIO()
            np.lib.format.write_array_header_1_0(
                header, {"descr": kind, "fortran_order": False, "shape": shape}
            )
            archive.writestr(f"{name}.npy", header.getvalue() + bytes(1000))
    with pytest.raises(DataError, match="x_train: expected 10,000,000,000 bytes, found at most"):
        load(path)


@pytest.mark.parametrize("cut", [0, 4, 100, 1000, -1])
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, cut: int) -> None:
    path = written(tmp_path, {})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DataError, match=f"^{path}: cannot be read"):
        load(path)


@settings(max_examples=60)
@given(at=st.floats(0, 1, exclude_max=True), flip=st.integers(0, 255))
def test_any_damage_is_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, at: float, flip: int
) -> None:
    """`flip` 0 cuts the file there instead. Sums of the archive find what changes an array."""
    path = write_npz(tmp_path_factory.mktemp("set") / "x.npz", some_images(8, (3, 3, 1)))
    raw = bytearray(path.read_bytes())
    place = int(at * len(raw))
    raw[place] ^= flip
    path.write_bytes(raw if flip else raw[:place])
    try:
        assert len(data.load(dir=path, validation_size=1).train) == 7
    except DataError as error:
        assert str(path) in str(error)


def test_two_files_in_a_folder(tmp_path: Path) -> None:
    written(tmp_path, {})
    write_npz(tmp_path / "y.npz", ARRAYS)
    with pytest.raises(DataError, match=f"^{tmp_path}: expected one .npz file .* x.npz, y.npz"):
        load(tmp_path)
