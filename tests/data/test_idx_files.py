import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mnist_exp import data
from mnist_exp.data import idx_files, image_arrays
from mnist_exp.errors import DataError
from tests.support.idx import idx_bytes


def test_folder_with_gzipped_and_plain_files(idx_folder: Path, mnist: data.Dataset) -> None:
    read = data.load(dir=idx_folder, validation_size=50)
    assert (len(read.train), len(read.val), len(read.test)) == (150, 50, 100)
    np.testing.assert_array_equal(read.val.images, mnist.train.images[:50])
    assert read.source == str(idx_folder.resolve())
    assert not read.is_mnist
    assert set(read.sha256) == set(data.MNIST_SHA256)


def test_limits_keep_the_first_examples(idx_folder: Path) -> None:
    whole = data.load(dir=idx_folder, validation_size=50)
    read = data.load(dir=idx_folder, validation_size=50, train_limit=7, eval_limit=9)
    assert (len(read.train), len(read.val), len(read.test)) == (7, 9, 9)
    np.testing.assert_array_equal(read.train.labels, whole.train.labels[:7])
    np.testing.assert_array_equal(read.test.labels, whole.test.labels[:9])


def test_eval_on_train_scores_the_training_examples(idx_folder: Path) -> None:
    read = data.load(dir=idx_folder, validation_size=50, train_limit=7, eval_on_train=True)
    assert read.val is read.train
    assert read.test is read.train


def test_digest_depends_on_every_split(idx_folder: Path) -> None:
    digests = {
        data.load(dir=idx_folder, validation_size=50).digest,
        data.load(dir=idx_folder, validation_size=50, train_limit=149).digest,
        data.load(dir=idx_folder, validation_size=50, eval_limit=49).digest,
        data.load(dir=idx_folder, validation_size=51).digest,
    }
    assert len(digests) == 4


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data.dir=.*nowhere: no such folder"):
        data.load(dir=tmp_path / "nowhere")


def test_missing_file(idx_folder: Path) -> None:
    (idx_folder / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(
        DataError,
        match="t10k-labels-idx1-ubyte or t10k-labels.idx1-ubyte, gzipped or not; "
        "found t10k-images-idx3",
    ):
        data.load(dir=idx_folder, validation_size=50)


def renamed(folder: Path, form: Callable[[str], str]) -> None:
    """Move each of the folder's files, by its plain name, to another name or folder."""
    for path in list(folder.iterdir()):
        content = path.read_bytes()
        path.unlink()
        new = folder / form(path.name.removesuffix(".gz"))
        new.parent.mkdir(parents=True, exist_ok=True)
        new.write_bytes(content)


FORMS: dict[str, Callable[[str], str]] = {
    "unpacked or not, named .gz": lambda name: f"{name}.gz",
    "gzipped or not, without .gz": lambda name: name,
    "with dots": lambda name: name.replace("-idx", ".idx"),
    "with dots and .gz": lambda name: name.replace("-idx", ".idx") + ".gz",
    "torchvision's root": lambda name: f"MNIST/raw/{name}",
    "torchvision's MNIST": lambda name: f"raw/{name}",
    "Kaggle's folders of the same name": lambda name: f"{name}/{name}",
    "Kaggle's, with dots": lambda name: (
        f"{name.replace('-idx', '.idx')}/{name.replace('-idx', '.idx')}"
    ),
    "capitals": lambda name: name.upper() + ".GZ",
    "torchvision's root in capitals": lambda name: f"mnist/RAW/{name.upper()}",
    "a folder named .gz": lambda name: f"{name}.gz/{name}",
}


@pytest.mark.parametrize("form", FORMS)
def test_files_are_read_as_people_have_them(idx_folder: Path, form: str) -> None:
    expected = data.load(dir=idx_folder, validation_size=50)
    renamed(idx_folder, FORMS[form])
    read = data.load(dir=idx_folder, validation_size=50)
    assert (read.digest, read.sha256) == (expected.digest, expected.sha256)


def test_the_home_folder_may_be_a_tilde(idx_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(idx_folder.parent))
    assert data.load(dir="~/idx", validation_size=50).source == str(idx_folder.resolve())
    with pytest.raises(DataError, match="data.dir=~nobody-of-that-name/x: no such folder"):
        data.load(dir="~nobody-of-that-name/x")


def test_two_files_of_one_name_have_to_agree(idx_folder: Path) -> None:
    plain, packed = idx_folder / "t10k-labels-idx1-ubyte", idx_folder / "t10k-labels-idx1-ubyte.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    expected = data.load(dir=idx_folder, validation_size=50).digest
    packed.write_bytes(gzip.compress(idx_bytes(np.zeros(100))))
    with pytest.raises(
        DataError, match=f"{plain.name} and {packed.name} hold different data; remove or"
    ):
        data.load(dir=idx_folder, validation_size=50)
    packed.unlink()
    assert data.load(dir=idx_folder, validation_size=50).digest == expected


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04" + bytes(90), "cannot be read, .*a ZIP archive; unpack it"),
        (b"<!DOCTYPE html>" + bytes(90), "expected an IDX file, found a web page; download"),
        (b"\xef\xbb\xbf\n<HTML><head>", "expected an IDX file, found a web page; download"),
        (gzip.compress(b"<html>" + bytes(90)), "expected an IDX file, found a web page; download"),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            "expected an IDX file, found a Git LFS pointer; .*`git lfs pull`",
        ),
        (b'{"error": 404}', "expected an IDX file, found a JSON text"),
        (b"404: Not Found", "expected an IDX file, found a text that begins with '404: Not Found'"),
        (b"\x93NUMPY\x01\0" + bytes(90), "expected an IDX file, found a NumPy array"),
        (gzip.compress(gzip.compress(b"")), "expected an IDX file, found a gzip file; unpack it"),
        (gzip.compress(b""), "expected an IDX header of 8 bytes, found a file of 0 bytes"),
    ],
    ids=[
        "ZIP",
        "web page",
        "web page with a mark",
        "gzipped web page",
        "Git LFS",
        "JSON",
        "text",
        "NumPy",
        "gzipped twice",
        "empty gzip",
    ],
)
def test_what_is_no_such_file_is_refused_by_name(
    idx_folder: Path, content: bytes, said: str
) -> None:
    (idx_folder / "t10k-labels-idx1-ubyte").write_bytes(content)
    with pytest.raises(DataError, match=f"t10k-labels-idx1-ubyte: {said}"):
        data.load(dir=idx_folder, validation_size=50)


def test_a_small_file_that_unpacks_to_very_much_is_refused(
    idx_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_arrays, "MOST_BYTES", 1000)
    with pytest.raises(DataError, match="expected at most 1,000 bytes when unpacked"):
        data.load(dir=idx_folder, validation_size=50)


def test_truncated_gzip(idx_folder: Path) -> None:
    path = idx_folder / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=f"{path}: cannot be read"):
        data.load(dir=idx_folder, validation_size=50)


def test_truncated_plain_file(idx_folder: Path) -> None:
    path = idx_folder / "train-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(
        DataError, match="train-labels-idx1-ubyte: expected 208 bytes for 200 labels, found 207"
    ):
        data.load(dir=idx_folder, validation_size=50)


def test_empty_file(idx_folder: Path) -> None:
    (idx_folder / "train-labels-idx1-ubyte").write_bytes(b"")
    with pytest.raises(
        DataError, match="expected an IDX header of 8 bytes, found a file of 0 bytes"
    ):
        data.load(dir=idx_folder, validation_size=50)


def test_labels_in_place_of_images(idx_folder: Path) -> None:
    labels = (idx_folder / "train-labels-idx1-ubyte").read_bytes()
    (idx_folder / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(labels))
    with pytest.raises(
        DataError,
        match="train-images-idx3-ubyte: expected images: unsigned bytes in 3 or 4 dimensions, "
        r"found unsigned bytes in 1 dimension \(IDX magic number 2049\)",
    ):
        data.load(dir=idx_folder, validation_size=50)


@pytest.mark.parametrize(
    ("name", "kind", "dtype", "said"),
    [
        ("images-idx3", 0x0B, ">i2", r"found 16-bit integers in 3 dimensions .*; convert them to"),
        ("images-idx3", 0x0D, ">f4", r"found 32-bit floats in 3 dimensions .*; convert them to"),
        ("labels-idx1", 0x0D, ">f4", r"labels: integers in 1 dimension, found 32-bit floats in 1"),
        ("images-idx3", 0x07, ">f4", r"found the IDX magic number 1795"),
    ],
)
def test_values_that_are_no_bytes(
    idx_folder: Path, name: str, kind: int, dtype: str, said: str
) -> None:
    path = next(idx_folder.glob(f"t10k-{name}-ubyte*"))
    shape = (100, 28, 28) if name.startswith("images") else (100,)
    header = bytes([0, 0, kind, len(shape)]) + np.array(shape, ">u4").tobytes()
    path.write_bytes(header + np.zeros(shape, dtype).tobytes())
    with pytest.raises(DataError, match=f"t10k-{name}-ubyte: expected .*{said}"):
        data.load(dir=idx_folder, validation_size=50)


def test_sizes_whose_product_overflows_are_refused(idx_folder: Path) -> None:
    sizes = np.array([2**31, 2**31, 4], ">u4")  # 2**64, which is 0 in 64 bits
    path = next(idx_folder.glob("t10k-images-idx3-ubyte*"))
    path.write_bytes(b"\0\0\x08\3" + sizes.tobytes())
    with pytest.raises(DataError, match="expected 18446744073709551632 bytes for 2,147,483,648"):
        data.load(dir=idx_folder, validation_size=50)


def test_labels_of_two_bytes_and_more_are_read(idx_folder: Path) -> None:
    expected = data.load(dir=idx_folder, validation_size=50).digest
    path = idx_folder / "train-labels-idx1-ubyte"
    labels = np.frombuffer(path.read_bytes(), np.uint8, offset=8)
    header = b"\0\0\x0b\1" + np.array(labels.shape, ">u4").tobytes()
    path.write_bytes(header + labels.astype(">i2").tobytes())
    assert data.load(dir=idx_folder, validation_size=50).digest == expected


def test_labels_of_another_data_set(idx_folder: Path) -> None:
    (idx_folder / "t10k-labels-idx1-ubyte").write_bytes(idx_bytes(np.zeros(99)))
    with pytest.raises(DataError, match="100 images but t10k-labels-idx1-ubyte has 99 labels"):
        data.load(dir=idx_folder, validation_size=50)


def test_label_out_of_range(idx_folder: Path) -> None:
    (idx_folder / "t10k-labels-idx1-ubyte").write_bytes(idx_bytes(np.full(100, 10)))
    with pytest.raises(
        DataError, match="expected labels 0 to 9, as there are training images, found 10"
    ):
        data.load(dir=idx_folder, validation_size=50)


def test_images_of_another_size(idx_folder: Path) -> None:
    small = idx_bytes(np.zeros((100, 8, 8)))
    (idx_folder / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(small))
    with pytest.raises(
        DataError, match="expected images of 28x28 pixels, as the training images have, found 8x8"
    ):
        data.load(dir=idx_folder, validation_size=50)


def test_no_training_images_left(idx_folder: Path) -> None:
    with pytest.raises(
        DataError, match="data.validation_size=200: expected fewer than the 200 training images"
    ):
        data.load(dir=idx_folder, validation_size=200)


LABELS = (data.SHIPPED_DIR / "t10k-labels-idx1-ubyte.gz").read_bytes()


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(at=st.floats(0, 1, exclude_max=True), flip=st.integers(0, 255))
def test_damaged_files_of_ones_own_are_read_or_refused_by_name(
    tmp_path: Path, at: float, flip: int
) -> None:
    """Without a manifest gzip's own checks are left; nothing else than DataError comes out."""
    place = int(at * len(LABELS))
    damaged = LABELS[:place] + (
        bytes([LABELS[place] ^ flip]) + LABELS[place + 1 :] if flip else b""
    )
    (tmp_path / "t10k-labels-idx1-ubyte.gz").write_bytes(damaged)
    try:
        raw = idx_files.read_agreed(tmp_path, [tmp_path / "t10k-labels-idx1-ubyte.gz"])
        assert len(idx_files.parse_labels(raw, "x")) == 10_000
    except DataError as error:
        said = str(error)
        assert "t10k-labels-idx1-ubyte" in said or said.startswith("x:")
