import itertools
import os
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mnist_exp import data
from mnist_exp.data import image_arrays, picture_folders, pictures
from mnist_exp.errors import DataError
from tests.support.data_forms import encoded, some_images, write_pictures

ARRAYS = some_images()
NAMES = ("cat", "dog", "owl")
FIRST = "train/cat/000000.png"
GREY = np.zeros((8, 8, 1), np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_pictures(tmp_path / "set", ARRAYS, NAMES)


def load(path: Path, **settings: Any) -> data.Dataset:
    return data.load(dir=path, **{"validation_size": 5, **settings})


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "no test split": (
        lambda f: shutil.rmtree(f / "test"),
        "set: expected pictures in train/CLASS/ and test/CLASS/; test/ is missing, found train/",
    ),
    "no training split": (lambda f: shutil.rmtree(f / "train"), "train/ is missing, found test/"),
    "testing": (
        lambda f: (f / "test").rename(f / "testing"),
        "test/ is missing, found testing/, train/; rename testing to test",
    ),
    "ragged": (
        lambda f: (f / FIRST).write_bytes(encoded(np.zeros((9, 7, 1), np.uint8))),
        "found 8x8 pixels where .*/000000.png has 7x9; resize them first",
    ),
    "no picture": (
        lambda f: (f / FIRST).write_bytes(b"hello"),
        f"{FIRST}: cannot be read as a PNG, JPEG, WebP or BMP picture",
    ),
    "empty picture": (lambda f: (f / FIRST).write_bytes(b""), f"{FIRST}: cannot be read as a PNG"),
    "truncated picture": (
        lambda f: (f / FIRST).write_bytes((f / FIRST).read_bytes()[:60]),
        f"{FIRST}: the picture is damaged",
    ),
    "link to nowhere": (
        lambda f: _link_to_nowhere(f / FIRST),
        f"{FIRST}: cannot be read .No such file",
    ),
    "other file": (
        lambda f: (f / "train/cat/notes.txt").write_text(""),
        "train/cat/notes.txt: expected pictures in .*/train/cat only, with names that end in .png",
    ),
    "folder in a class": (
        lambda f: (f / "train/cat/more").mkdir(),
        "train/cat/more: expected pictures in .*/train/cat only",
    ),
    "picture beside the classes": (
        lambda f: (f / "train/1.png").write_bytes(encoded(GREY)),
        "set/train: expected a folder for each class with its pictures, found 1.png",
    ),
    "class in test alone": (
        lambda f: (f / "test/cat").rename(f / "test/cow"),
        "set/test: expected the classes of .*/train, found a class cow that is not there",
    ),
    "empty class": (
        lambda f: (f / "train/cow").mkdir(),
        "train/cow: expected the pictures of a class, found an empty folder",
    ),
    "one class": (
        lambda f: _keep_one_class(f),
        "set/train: expected 2 to 1,000 classes; all 14 training images have the label 0",
    ),
    "val and valid": (
        lambda f: [shutil.copytree(f / "test", f / name) for name in ("val", "valid")],
        "set: expected one of val/ and valid/, found both",
    ),
    "16 bits": (
        lambda f: Image.fromarray(np.zeros((8, 8), np.uint16)).save(f / FIRST),
        f"{FIRST}: expected 8 bits a channel, found 16 or more",
    ),
    "144 megapixels": (
        lambda f: _claim_size(f / FIRST, 12_000),
        f"{FIRST}: expected a picture of at most 100,000,000 pixels, found 144,000,000 pixels",
    ),
    "decompression bomb": (
        lambda f: _claim_size(f / FIRST, 40_000),
        f"{FIRST}: expected a picture of at most 100,000,000 pixels, found more",
    ),
    "classes without train": (
        lambda f: _take_train_away(f),
        "found cat/, dog/, owl/; a part of each class belongs in train/CLASS/ and another in test",
    ),
}


def _link_to_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def _keep_one_class(folder: Path) -> None:
    for part in ("train", "test"):
        for name in NAMES[1:]:
            shutil.rmtree(folder / part / name)


def _claim_size(path: Path, side: int) -> None:
    """Write another width and height into a PNG."""
    content = bytearray(path.read_bytes())
    content[16:24] = side.to_bytes(4) * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4)
    path.write_bytes(content)


def _take_train_away(folder: Path) -> None:
    shutil.rmtree(folder / "test")
    for path in list((folder / "train").iterdir()):
        path.rename(folder / path.name)
    (folder / "train").rmdir()


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_used_is_refused_by_name(folder: Path, name: str) -> None:
    change, said = BAD[name]
    change(folder)
    with pytest.raises(DataError, match=said) as raised:
        load(folder)
    assert len(str(raised.value).splitlines()) <= 2


def test_more_pixels_than_fit_are_refused_before_room_is_made(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_arrays, "MOST_BYTES", 1000)
    with pytest.raises(DataError, match="40 pictures of 8x8 pixels in 1 channel take more than"):
        load(folder)


def test_what_systems_and_archives_leave_is_passed_over(folder: Path) -> None:
    expected = load(folder).digest
    for name in ("train/cat/Thumbs.db", "train/cat/.DS_Store", "train/cat/._1.png", "README.md"):
        (folder / name).write_text("")
    shutil.copytree(folder / "test", folder / "__MACOSX")
    (folder / "train/.ipynb_checkpoints").mkdir()
    assert load(folder).digest == expected


def test_a_folder_around_it_and_capital_letters_change_nothing(folder: Path) -> None:
    expected = load(folder).digest
    for path in list(folder.rglob("*.png")):
        path.rename(path.with_suffix(".PNG"))
    (folder / "train").rename(folder / "Train")
    assert load(folder.parent).digest == expected


def test_the_order_is_that_of_the_names_whatever_the_disc_lists(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, scandir = load(folder).digest, os.scandir

    class Backwards:
        def __init__(self, path: Path) -> None:
            with scandir(path) as entries:
                self.entries = sorted(entries, key=lambda entry: entry.name, reverse=True)

        def __enter__(self) -> list[os.DirEntry]:
            return self.entries

        def __exit__(self, *_: object) -> None:
            return None

    monkeypatch.setattr(os, "scandir", Backwards)
    assert load(folder).digest == expected


def test_classes_are_sorted_as_numbers_if_all_are(tmp_path: Path) -> None:
    arrays = some_images(classes=12)
    numbers = write_pictures(tmp_path / "a", arrays, [str(number) for number in range(12)])
    assert load(numbers).form.class_names == tuple(str(number) for number in range(12))
    texts = write_pictures(tmp_path / "b", arrays, [str(n) for n in range(11)] + ["x"])
    assert load(texts).form.class_names[:3] == ("0", "1", "10")


def test_names_of_two_systems_for_one_letter_are_one_class(tmp_path: Path) -> None:
    folder = write_pictures(tmp_path, ARRAYS, ("caf\u00e9", "dog", "owl"))
    (folder / "test/caf\u00e9").rename(folder / "test/cafe\u0301")  # as macOS writes it
    assert load(folder).form.class_names == ("caf\u00e9", "dog", "owl")


@pytest.mark.parametrize("name", ["val", "valid", "Validation"])
def test_validation_images_of_the_folder_are_the_validation_split(folder: Path, name: str) -> None:
    shutil.copytree(folder / "test", folder / name)
    read = load(folder, validation_size=5000, eval_limit=7)
    assert (len(read.train), len(read.val), len(read.test)) == (40, 7, 7)
    assert read.val.digest == read.test.digest


def test_grey_pictures_among_coloured_ones_get_three_channels(folder: Path) -> None:
    grey = load(folder)
    (folder / FIRST).write_bytes(encoded(np.repeat(ARRAYS["x_train"][0], 3, 2)))
    mixed = load(folder)
    assert mixed.form.image_shape == (8, 8, 3)
    for name in ("train", "val", "test"):
        images = getattr(grey, name).images
        np.testing.assert_array_equal(getattr(mixed, name).images, np.repeat(images, 3, 3))


def test_the_test_images_alone_get_the_channels_of_the_others(folder: Path) -> None:
    (folder / FIRST).write_bytes(encoded(np.repeat(ARRAYS["x_train"][0], 3, 2)))
    assert data.load_test(folder, 3).digest == load(folder).test.digest
    assert data.load_test(folder).images.shape[3] == 1


def test_only_the_pictures_of_the_splits_are_decoded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count, read = itertools.count(), pictures.decoded
    monkeypatch.setattr(pictures, "decoded", lambda content: (next(count), read(content))[1])
    load(folder, train_limit=3, eval_limit=2)
    assert next(count) == 5 + 3 + 2


def test_the_record_has_a_digest_of_each_part(folder: Path) -> None:
    before = load(folder).sha256
    assert set(before) == {"train", "test"}
    (folder / FIRST).rename(folder / "train/cat/moved.png")
    after = load(folder).sha256
    assert (after["train"] != before["train"], after["test"] == before["test"]) == (True, True)


def test_a_picture_of_many_bytes_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_folders, "_MOST_FILE_BYTES", 60)
    with pytest.raises(DataError, match=".png: expected at most 60 bytes, found more"):
        load(folder)
