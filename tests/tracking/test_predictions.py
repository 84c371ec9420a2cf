"""The artifact with a run's predictions, written and read back."""

import io
from pathlib import Path

import numpy as np
import pytest

from mnist_exp.tracking import predictions
from tests.support.made_data import made, names, probabilities


@pytest.mark.parametrize("classes", [2, 10, 26, 300, 1000])
def test_what_is_written_is_read(classes: int, tmp_path: Path) -> None:
    _, split = made((2, 2, 1), names(classes), 2 * classes)
    scores = probabilities(split, classes, wrong=[0, 3])
    predictions.save(tmp_path / "test.npz", split.labels, scores, names(classes))
    content = (tmp_path / "test.npz").read_bytes()
    found = predictions.read(content)
    assert found is not None
    assert np.array_equal(found.label, split.labels)
    assert np.array_equal(found.prediction, scores.argmax(axis=1))
    assert found.names == found.class_names == names(classes)
    np.testing.assert_allclose(found.probability, scores, rtol=1e-3)
    assert (found.probability.dtype == np.float32) is (classes <= 100)
    assert len(content) < 3 * len(split) * classes + 100_000


def npz(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def test_an_earlier_run_recorded_no_names() -> None:
    digits = np.arange(10)
    found = predictions.read(npz(label=digits, prediction=digits, probability=np.eye(10)))
    assert found is not None
    assert found.class_names is None
    assert found.names == tuple("0123456789")


@pytest.mark.parametrize(
    "class_names",
    [
        np.array(["a", "b"], dtype=object),
        np.array(["a", "b", "c"]),
        np.array([["a", "b"]]),
        np.array([1, 2]),
        np.array(["", ""]),
        np.frombuffer(b"\xff" * 8, "<U1"),
    ],
)
def test_names_that_others_wrote(class_names: np.ndarray) -> None:
    label = np.array([0, 1])
    found = predictions.read(
        npz(label=label, prediction=label, probability=np.eye(2), class_names=class_names)
    )
    assert found is not None
    assert found.names == ("0", "1") or found.names == ("", "")


def test_names_of_the_same_classes() -> None:
    label = np.array([0, 1])

    def run(*class_names: str) -> predictions.Predictions:
        known = {"class_names": np.array(class_names)} if class_names else {}
        found = predictions.read(npz(label=label, prediction=label, probability=np.eye(2), **known))
        assert found is not None
        return found

    assert run("a", "b").is_of_same_images(run("a", "b"))
    assert run("a", "b").is_of_same_images(run())
    assert not run("a", "b").is_of_same_images(run("b", "a"))
    assert run("a\x1b", "b").names == ("a\\x1b", "b")
