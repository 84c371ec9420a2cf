from pathlib import Path

import pytest

from mnist_exp import data
from mnist_exp.data.file_kinds import kind_of_file
from mnist_exp.errors import DataError
from tests.support.data_forms import some_images, write_idx, write_npz

EXPECTED = r"\nexpected IDX files \(train-images-idx3-ubyte \.\.\.\), one \.npz file, pictures in"
OTHERS = {
    "train.csv": (b"label,pixel0", "a CSV table; its pixels are read from an .npz file"),
    "train_32x32.mat": (b"MATLAB 5.0 MAT-file", "a MATLAB file; scipy.io.loadmat reads it"),
    "archive.zip": (b"PK\3\4", "a ZIP archive; unpack it"),
    "data.tar.gz": (b"\x1f\x8b", "a tar archive; unpack it"),
    "data.h5": (b"\x89HDF\r\n", "an HDF5 file; its arrays are read from an .npz file"),
    "x_train.npy": (b"\x93NUMPY", "a NumPy array; np.savez puts four of them into one .npz file"),
    "mnist-train.tfrecord-00000-of-00001": (b"x", "TensorFlow records; tensorflow_datasets reads"),
    "data_batch_1": (b"\x80\2}q", "a Python pickle, which may run any code and is never loaded"),
    "data-00000-of-00001.arrow": (b"ARROW1", "an Arrow table; `datasets` reads it"),
    "data_batch_1.bin": (b"\6\0", "a binary file, as that of CIFAR-10"),
    "model.pt": (b"PK\3\4", "a PyTorch file, which may run any code and is never loaded"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_files_of_another_kind_are_told_by_name(tmp_path: Path, name: str) -> None:
    content, kind = OTHERS[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=f"^data.dir={tmp_path}/{name}: {kind}.*{EXPECTED}"):
        data.load(dir=tmp_path / name)
    with pytest.raises(DataError, match=f"^data.dir={tmp_path}: found {name}; {name} is {kind}"):
        data.load(dir=tmp_path)


def test_a_file_of_no_known_kind(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(bytes(9))
    assert kind_of_file(tmp_path / "x") == "a file of an unknown kind"
    with pytest.raises(DataError, match=f"data.dir={tmp_path}: found x{EXPECTED}"):
        data.load(dir=tmp_path)


def test_an_empty_folder_and_one_of_other_things(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"data.dir={tmp_path}: found an empty folder{EXPECTED}"):
        data.load(dir=tmp_path)
    for number in range(9):
        (tmp_path / f"{number}").mkdir()
    with pytest.raises(DataError, match=r"found 0/, 1/, 2/, 3/, 4/, 5/ \.\.\.\n"):
        data.load(dir=tmp_path)


def test_a_place_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "fashion-mnist").mkdir()
    said = "fashion-mnst: no such folder or file; did you mean fashion-mnist"
    with pytest.raises(DataError, match=f"^data.dir={tmp_path}/{said}"):
        data.load(dir=tmp_path / "fashion-mnst")
    with pytest.raises(DataError, match="Debian's and Ubuntu's package dataset-fashion-mnist"):
        data.load(dir=tmp_path / "nowhere" / "fashion-mnist")
    with pytest.raises(DataError, match="data.dir=/dev/zero: no such folder or file"):
        data.load(dir="/dev/zero")  # it never ends


def test_the_first_form_is_taken_where_there_are_several(tmp_path: Path) -> None:
    write_npz(tmp_path / "x.npz", some_images(classes=3))
    write_idx(tmp_path, some_images(classes=4))
    assert data.load(dir=tmp_path, validation_size=5).form.num_classes == 4
