from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mnist_exp import data
from mnist_exp.data import idx_files, known_sets
from mnist_exp.errors import DataError
from mnist_exp.training import seeds


def test_mnist_is_split_as_the_tutorials_split_it(mnist: data.Dataset) -> None:
    assert (len(mnist.train), len(mnist.val), len(mnist.test)) == (55_000, 5_000, 10_000)
    assert mnist.val.labels[:10].tolist() == [
        5,
        0,
        4,
        1,
        9,
        2,
        1,
        3,
        1,
        4,
    ]  # the file's first images
    assert mnist.train.labels[:10].tolist() == [7, 3, 4, 6, 1, 8, 1, 0, 9, 8]
    assert mnist.test.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert np.count_nonzero(mnist.test.labels == 0) == 980


def test_images_stay_bytes(mnist: data.Dataset) -> None:
    assert mnist.train.images.dtype == np.uint8
    assert mnist.train.images.shape == (55_000, 28, 28, 1)
    assert mnist.train.images.max() == 255


def test_shipped_files_are_the_published_ones(mnist: data.Dataset) -> None:
    assert mnist.is_mnist


def test_shipped_files_are_refused_when_damaged(
    idx_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(known_sets, "SHIPPED_DIR", idx_folder)
    with pytest.raises(
        DataError, match="train-images-idx3-ubyte.gz: damaged; expected SHA-256 71524e2c"
    ):
        data.load()


def test_shipped_files_are_read_once_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    data.load()
    monkeypatch.delattr(idx_files, "read_agreed")
    assert len(data.load(train_limit=3).train) == 3


LABELS = (data.SHIPPED_DIR / "t10k-labels-idx1-ubyte.gz").read_bytes()
IMAGES = (data.SHIPPED_DIR / "t10k-images-idx3-ubyte.gz").read_bytes()


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(
    raw=st.sampled_from([LABELS, IMAGES]),
    at=st.floats(0, 1, exclude_max=True),
    flip=st.integers(0, 255),
)
def test_any_flipped_byte_or_truncation_of_a_shipped_file_is_refused_by_name(
    tmp_path: Path, raw: bytes, at: float, flip: int
) -> None:
    """`flip` 0 cuts the file there instead."""
    place = int(at * len(raw))
    name = "t10k-labels-idx1-ubyte" if raw is LABELS else "t10k-images-idx3-ubyte"
    damaged = raw[:place] + (bytes([raw[place] ^ flip]) + raw[place + 1 :] if flip else b"")
    (tmp_path / f"{name}.gz").write_bytes(damaged)
    with pytest.raises(DataError, match=f"{name}.gz: damaged"):
        idx_files.check_digest(tmp_path / f"{name}.gz", data.GZIPPED_SHA256[name])


def test_epoch_order_is_a_permutation_of_seed_and_epoch_alone() -> None:
    order = seeds.epoch_order(1000, seed=3, epoch=2)
    assert sorted(order) == list(range(1000))
    np.testing.assert_array_equal(order, seeds.epoch_order(1000, seed=3, epoch=2))
    assert not np.array_equal(order, seeds.epoch_order(1000, seed=3, epoch=3))
    assert not np.array_equal(order, seeds.epoch_order(1000, seed=4, epoch=2))
