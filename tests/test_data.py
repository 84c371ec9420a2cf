import gzip
from pathlib import Path

import numpy as np
import pytest
from conftest import idx_bytes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mnist_exp import data
from mnist_exp.errors import DataError


def test_mnist_is_split_as_the_tutorials_split_it(mnist: data.Dataset) -> None:
    assert (len(mnist.train), len(mnist.val), len(mnist.test)) == (55_000, 5_000, 10_000)
    assert mnist.val.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]  # the file's first images
    assert mnist.train.labels[:10].tolist() == [7, 3, 4, 6, 1, 8, 1, 0, 9, 8]
    assert mnist.test.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert np.count_nonzero(mnist.test.labels == 0) == 980


def test_images_stay_bytes(mnist: data.Dataset) -> None:
    assert mnist.train.images.dtype == np.uint8
    assert mnist.train.images.shape == (55_000, 28, 28, 1)
    assert mnist.train.images.max() == 255


def test_shipped_files_are_the_published_ones(mnist: data.Dataset) -> None:
    assert mnist.is_mnist


def test_folder_with_gzipped_and_plain_files(idx_folder: Path, mnist: data.Dataset) -> None:
    read = data.load(idx_folder, validation_size=50)
    assert (len(read.train), len(read.val), len(read.test)) == (150, 50, 100)
    np.testing.assert_array_equal(read.val.images, mnist.train.images[:50])
    assert read.source == str(idx_folder.resolve())
    assert not read.is_mnist
    assert set(read.sha256) == set(data.MNIST_SHA256)


def test_limits_keep_the_first_examples(idx_folder: Path) -> None:
    whole = data.load(idx_folder, validation_size=50)
    read = data.load(idx_folder, validation_size=50, train_limit=7, eval_limit=9)
    assert (len(read.train), len(read.val), len(read.test)) == (7, 9, 9)
    np.testing.assert_array_equal(read.train.labels, whole.train.labels[:7])
    np.testing.assert_array_equal(read.test.labels, whole.test.labels[:9])


def test_eval_on_train_scores_the_training_examples(idx_folder: Path) -> None:
    read = data.load(idx_folder, validation_size=50, train_limit=7, eval_on_train=True)
    assert read.val is read.train
    assert read.test is read.train


def test_digest_depends_on_every_split(idx_folder: Path) -> None:
    digests = {
        data.load(idx_folder, validation_size=50).digest,
        data.load(idx_folder, validation_size=50, train_limit=149).digest,
        data.load(idx_folder, validation_size=50, eval_limit=49).digest,
        data.load(idx_folder, validation_size=51).digest,
    }
    assert len(digests) == 4


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data.dir=.*nowhere: no such folder"):
        data.load(tmp_path / "nowhere")


def test_missing_file(idx_folder: Path) -> None:
    (idx_folder / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError, match="t10k-labels-idx1-ubyte.gz or t10k-labels-idx1-ubyte, found neither"):
        data.load(idx_folder, validation_size=50)


def test_truncated_gzip(idx_folder: Path) -> None:
    path = idx_folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=f"{path}: cannot be read"):
        data.load(idx_folder, validation_size=50)


def test_truncated_plain_file(idx_folder: Path) -> None:
    path = idx_folder / "train-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(
        DataError, match="train-labels-idx1-ubyte: expected 208 bytes for 200 labels, found 207"
    ):
        data.load(idx_folder, validation_size=50)


def test_empty_file(idx_folder: Path) -> None:
    (idx_folder / "train-labels-idx1-ubyte").write_bytes(b"")
    with pytest.raises(DataError, match="expected an IDX header of 8 bytes, found a file of 0 bytes"):
        data.load(idx_folder, validation_size=50)


def test_labels_in_place_of_images(idx_folder: Path) -> None:
    labels = (idx_folder / "train-labels-idx1-ubyte").read_bytes()
    (idx_folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(labels))
    with pytest.raises(
        DataError, match="train-images-idx3-ubyte: expected IDX magic number 2051, found 2049"
    ):
        data.load(idx_folder, validation_size=50)


def test_labels_of_another_data_set(idx_folder: Path) -> None:
    (idx_folder / "t10k-labels-idx1-ubyte").write_bytes(idx_bytes(np.zeros(99)))
    with pytest.raises(DataError, match="100 images but t10k-labels-idx1-ubyte has 99 labels"):
        data.load(idx_folder, validation_size=50)


def test_label_out_of_range(idx_folder: Path) -> None:
    (idx_folder / "t10k-labels-idx1-ubyte").write_bytes(idx_bytes(np.full(100, 10)))
    with pytest.raises(DataError, match="expected labels 0 to 9, found 10"):
        data.load(idx_folder, validation_size=50)


def test_images_of_another_size(idx_folder: Path) -> None:
    small = idx_bytes(np.zeros((100, 8, 8)))
    (idx_folder / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(small))
    with pytest.raises(DataError, match="expected images of 28x28 pixels, found 8x8"):
        data.load(idx_folder, validation_size=50)


def test_no_training_images_left(idx_folder: Path) -> None:
    with pytest.raises(
        DataError, match="data.validation_size=200: expected fewer than the 200 training images"
    ):
        data.load(idx_folder, validation_size=200)


def test_shipped_files_are_refused_when_damaged(idx_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "SHIPPED_DIR", idx_folder)
    with pytest.raises(DataError, match="train-images-idx3-ubyte.gz: damaged; expected SHA-256 71524e2c"):
        data.load()


def test_shipped_files_are_read_once_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    data.load()
    monkeypatch.delattr(data, "read_file")
    assert len(data.load(train_limit=3).train) == 3


LABELS = (data.SHIPPED_DIR / "t10k-labels-idx1-ubyte.gz").read_bytes()
IMAGES = (data.SHIPPED_DIR / "t10k-images-idx3-ubyte.gz").read_bytes()


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(raw=st.sampled_from([LABELS, IMAGES]), at=st.floats(0, 1, exclude_max=True), flip=st.integers(0, 255))
def test_any_flipped_byte_or_truncation_of_a_shipped_file_is_refused_by_name(
    tmp_path: Path, raw: bytes, at: float, flip: int
) -> None:
    """`flip` 0 cuts the file there instead."""
    place = int(at * len(raw))
    name = "t10k-labels-idx1-ubyte" if raw is LABELS else "t10k-images-idx3-ubyte"
    damaged = raw[:place] + (bytes([raw[place] ^ flip]) + raw[place + 1 :] if flip else b"")
    (tmp_path / f"{name}.gz").write_bytes(damaged)
    with pytest.raises(DataError, match=f"{name}.gz: damaged"):
        data.read_file(tmp_path, name, shipped=True)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(at=st.floats(0, 1, exclude_max=True), flip=st.integers(0, 255))
def test_damaged_files_of_ones_own_are_read_or_refused_by_name(tmp_path: Path, at: float, flip: int) -> None:
    """Without a manifest gzip's own checks are left; nothing else than DataError comes out."""
    place = int(at * len(LABELS))
    damaged = LABELS[:place] + (bytes([LABELS[place] ^ flip]) + LABELS[place + 1 :] if flip else b"")
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(damaged)
    try:
        raw = data.read_file(tmp_path, "t10k-labels-idx1-ubyte", shipped=False)
        assert len(data.parse_labels(raw, "x")) == 10_000
    except DataError as error:
        said = str(error)
        assert "t10k-labels-idx1-ubyte" in said or said.startswith("x:")


def test_epoch_order_is_a_permutation_of_seed_and_epoch_alone() -> None:
    order = data.epoch_order(1000, seed=3, epoch=2)
    assert sorted(order) == list(range(1000))
    np.testing.assert_array_equal(order, data.epoch_order(1000, seed=3, epoch=2))
    assert not np.array_equal(order, data.epoch_order(1000, seed=3, epoch=3))
    assert not np.array_equal(order, data.epoch_order(1000, seed=4, epoch=2))
