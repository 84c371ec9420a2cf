"""Arrays from Python: the forms they come in, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mnist_exp.data import load, of_arrays
from mnist_exp.data.given_arrays import digest, from_python
from mnist_exp.errors import DataError

RANDOM = np.random.default_rng(0)
X = RANDOM.integers(0, 256, (40, 6, 5), np.uint8)
Y = np.arange(40) % 3
ARRAYS = (X[:30], Y[:30], X[30:], Y[30:])


def loaded(data: Any, **settings: Any) -> Any:
    return of_arrays(from_python(data), validation_size=5, **settings)


def test_the_forms_that_people_have_are_one_data_set(tmp_path: Path) -> None:
    x_train, y_train, x_test, y_test = ARRAYS
    names = ("x_train", "y_train", "x_test", "y_test")
    np.savez(tmp_path / "a.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    forms: dict[str, Any] = {
        "tuple": ARRAYS,
        "list": list(ARRAYS),
        "keras.datasets": ((x_train, y_train), (x_test, y_test)),
        "labels [N, 1]": (x_train, y_train[:, None], x_test, y_test[:, None]),
        "channels": (x_train[..., None], y_train, x_test[..., None], y_test),
        "lists of labels": (x_train, y_train.tolist(), x_test, y_test.tolist()),
        "pandas": (x_train, pd.Series(y_train), x_test, pd.DataFrame({"label": y_test})),
        "small labels": (x_train, y_train.astype(np.uint8), x_test, y_test.astype(np.int8)),
        "mapping": dict(zip(names, ARRAYS, strict=True)),
        "npz": np.load(tmp_path / "a.npz"),
    }
    expected = load(dir=tmp_path / "a.npz", validation_size=5)
    for name, data in forms.items():
        found = loaded(data)
        assert found.digest == expected.digest, name
        assert found.form == expected.form, name
    assert found.source == "arrays in memory"
    assert found.form.image_shape == (6, 5, 1)
    assert (len(found.train), len(found.val), len(found.test)) == (25, 5, 10)
    assert not found.train.images.flags.writeable or found.train.images.base is not x_train
    assert loaded(ARRAYS, class_names=["a", "b", "c"]).form.class_names == ("a", "b", "c")


def test_the_digest_is_that_of_the_arrays() -> None:
    first = digest(from_python(ARRAYS))
    assert first == digest(from_python([array.copy() for array in ARRAYS]))
    changed = X.copy()
    changed[0, 0, 0] ^= 1
    assert first != digest(from_python((changed[:30], *ARRAYS[1:])))


RAGGED = [[[1, 2], [3]], [[4]]]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (X, "data: expected (x_train, y_train, x_test, y_test), found a ndarray"),
        (ARRAYS[:3], "data: expected (x_train, y_train, x_test, y_test), found 3 values"),
        (
            {"x_train": X},
            "data: expected the arrays x_train, y_train, x_test, y_test, found no y_tr",
        ),
        ({}, "data: expected the arrays x_train, y_train, x_test, y_test, found no x_train and no"),
        ((X / 255, Y, X, Y), "data: x_train: expected pixels as uint8, found float64; (255 * x_tr"),
        (
            (X.tolist(), Y, X, Y),
            "data: x_train: expected pixels as uint8, found int64; x_train.ast",
        ),
        ((RAGGED, Y, X, Y), "data: x_train: no array of numbers: setting an array element with a "),
        ((X, Y[:-1], X, Y), "data: x_train has 40 images but y_train has 39 labels; expected one "),
        ((X, Y - 1, X, Y), "data: y_train: expected labels from 0, found -1"),
        ((X, Y, X, Y + 7), "data: y_test: expected labels 0 to 2, as there are training images"),
        (
            (X, Y * 0, X, Y * 0),
            "data: y_train: expected 2 to 1,000 classes; all 40 training images",
        ),
        (
            (X, np.eye(3)[Y], X, Y),
            "data: y_train: expected labels as integers [N] from 0, found sh",
        ),
        ((X, pd.Series(["a"] * 40), X, Y), "data: y_train: expected labels as integers [N] from 0"),
        (
            (X, [None] * 40, X, Y),
            "data: y_train: expected an array of numbers, found objects (None",
        ),
        ((X, Y, X[:, :5], Y), "data: x_test: expected images of 5x6 pixels, as the training image"),
        (
            (X.reshape(40, 30), Y, X, Y),
            "data: x_train: expected images [N, height, width] or [N, h",
        ),
    ],
)
def test_what_is_refused(data: Any, message: str) -> None:
    with pytest.raises(DataError) as refused:
        loaded(data)
    assert str(refused.value).startswith(message)
    assert len(str(refused.value).splitlines()) <= 2


def test_an_npz_file_with_pickles_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x_train=X, y_train=np.array([{}] * 40), x_test=X, y_test=Y)
    with pytest.raises(DataError, match="data: Object arrays cannot be loaded"):
        from_python(np.load(tmp_path / "a.npz"))


def test_a_record_of_arrays_is_no_place_to_read_from() -> None:
    with pytest.raises(DataError, match="no record can bring it back\nArrays in a file can be"):
        load(dir="session:arrays@0123456789ab")
