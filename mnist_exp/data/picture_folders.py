"""Read a folder train/CLASS/ and test/CLASS/ of pictures, perhaps with val/CLASS/."""

import hashlib
import os
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnist_exp.data.classes import checked_names
from mnist_exp.data.folders import entries, files_in, folders_in, listing
from mnist_exp.data.near_names import near_names
from mnist_exp.data.parts import Contents, Part, Positions, Source
from mnist_exp.errors import DataError
from mnist_exp.outside import foreign_files
from mnist_exp.sweeper.foreign_text import clean

PARTS = {"train": "train", "test": "test", "val": "val", "valid": "val", "validation": "val"}
_ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
_MOST_FILE_BYTES = 500_000_000  # of one picture's file


@dataclass(frozen=True)
class _Pictures:
    """The pictures of a part: its folder, the files, and the name of the class of each."""

    folder: Path
    files: list[Path]
    classes: list[str]


def find(folder: Path) -> Source | None:
    """Return the source of the pictures in a folder; None if it has neither train/ nor test/.

    Raises DataError for one without the other, and for what is there beside pictures.
    """
    places = part_folders(folder)
    if not places.keys() & {"train", "test"} or any(_has_tables(each) for each in places.values()):
        return None
    if missing := [name for name in ("train", "test") if name not in places]:
        others = [each.name for each in folders_in(folder)]
        raise DataError(
            f"{folder}: expected pictures in train/CLASS/ and test/CLASS/; {missing[0]}/ is "
            f"missing, found {listing(folder)}{near_names(missing, others)}"
        )
    parts = {name: _pictures(place) for name, place in places.items()}
    names = _in_order(set(parts["train"].classes))
    for name, pictures in parts.items():
        if new := _in_order(set(pictures.classes) - set(names)):
            raise DataError(
                f"{places[name]}: expected the classes of {places['train']}, found a class "
                f"{clean(new[0], 60)} that is not there"
            )
    files = tuple(file for pictures in parts.values() for file in pictures.files)
    return Source(files=files, read=lambda: _contents(parts, names))


def part_folders(folder: Path) -> dict[str, Path]:
    """Return {train, test or val: its folder}, in any case. Raises DataError for two of one."""
    places: dict[str, Path] = {}
    for each in folders_in(folder):
        name = PARTS.get(each.name.lower())
        if name in places:
            raise DataError(
                f"{folder}: expected one of {places[name].name}/ and {each.name}/, found both; "
                "remove or rename what is not meant"
            )
        if name is not None:
            places[name] = each
    return places


def has_pictures(folder: Path) -> bool:
    """Whether a folder holds a picture, by the names in it."""
    return any(_is_picture(path) for path in files_in(folder))


def _is_picture(path: Path) -> bool:
    return path.name.lower().endswith(_ENDINGS)


def _has_tables(folder: Path) -> bool:
    return any(path.suffix.lower() == ".parquet" for path in files_in(folder))


def _pictures(folder: Path) -> _Pictures:
    """Return the pictures of a part, sorted by class and then by name. Raises DataError."""
    expected = f"{folder}: expected a folder for each class with its pictures"
    files, classes = entries(folder)
    loose = [path.name for path in files if _is_picture(path)]
    if loose or not classes:
        raise DataError(f"{expected}, found {clean((loose or [listing(folder)])[0], 60)}")
    of_class: dict[str, list[Path]] = {}
    for each in classes:
        of_class.setdefault(unicodedata.normalize("NFC", each.name), []).extend(_files(each))
    pictures, names = [], []
    for name in _in_order(set(of_class)):
        pictures += of_class[name]
        names += [name] * len(of_class[name])
    return _Pictures(folder, pictures, names)


def _files(folder: Path) -> list[Path]:
    """Return the pictures of a class. Raises DataError for another file or a folder there."""
    files, folders = entries(folder)
    others = [path for path in files if not _is_picture(path)] + folders
    if others:
        raise DataError(
            f"{others[0]}: expected pictures in {folder} only, with names that end in "
            f"{', '.join(_ENDINGS)}"
        )
    if not files:
        raise DataError(f"{folder}: expected the pictures of a class, found an empty folder")
    return files


def _in_order(names: set[str]) -> list[str]:
    """Return the names of classes sorted as texts; numerically if all of them are numbers."""
    if all(name.isascii() and name.isdigit() for name in names):
        return sorted(names, key=lambda name: (int(name), name))
    return sorted(names)


def _contents(parts: dict[str, _Pictures], names: list[str]) -> Contents:
    sha256: dict[str, str] = {}
    read = {name: _part(pictures, name, names, sha256) for name, pictures in parts.items()}
    return Contents(
        train=read["train"],
        test=read["test"],
        val=read.get("val"),
        class_names=checked_names(names, str(parts["train"].folder)),
        sha256=sha256,
    )


def _part(pictures: _Pictures, name: str, names: list[str], sha256: dict[str, str]) -> Part:
    numbers = {each: number for number, each in enumerate(names)}

    def read(positions: Positions) -> NDArray[np.uint8]:
        from mnist_exp.data.pictures import stacked

        digest = hashlib.sha256()

        def contents() -> Iterator[tuple[int, str, bytes]]:
            for place, position in enumerate(positions):
                path = pictures.files[position]
                content = _content(path)
                digest.update(os.fsencode(path.relative_to(pictures.folder).as_posix()) + b"\0")
                digest.update(hashlib.sha256(content).digest())
                yield place, str(path), content

        images = stacked(len(positions), contents())
        sha256[name] = digest.hexdigest()
        return images

    labels = np.array([numbers[each] for each in pictures.classes], np.int64)
    place = str(pictures.folder)
    return Part(images_in=place, labels_in=place, labels=labels, read=read)


def _content(path: Path) -> bytes:
    try:
        return foreign_files.read(path, _MOST_FILE_BYTES)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from None
    except ValueError as error:
        raise DataError(str(error)) from None
