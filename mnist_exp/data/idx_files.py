"""Read IDX files, MNIST's format, in whichever form people have them."""

import hashlib
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnist_exp.data import idx_names, image_arrays, known_sets
from mnist_exp.data.file_kinds import kind_of
from mnist_exp.data.parts import Contents, Part, Source, from_array
from mnist_exp.errors import DataError
from mnist_exp.outside import foreign_files
from mnist_exp.outside.printing import plural

# The third byte of a file: what the values are, with NumPy's name. The fourth is the number of
# dimensions, whose sizes follow.
_TYPES = {
    0x08: ("unsigned bytes", ">u1"),
    0x09: ("signed bytes", ">i1"),
    0x0B: ("16-bit integers", ">i2"),
    0x0C: ("32-bit integers", ">i4"),
    0x0D: ("32-bit floats", ">f4"),
    0x0E: ("64-bit floats", ">f8"),
}
_INTEGERS = (0x08, 0x09, 0x0B, 0x0C)


def find(folder: Path, prefix: str | None = None) -> Source | None:
    """Return the source of the four files in a folder; None if it has none of them.

    `prefix` chooses the files whose names begin so. Raises DataError if some of the four are there
    or if it is not clear which are meant.
    """
    found = idx_names.find(folder, prefix)
    if found is None:
        return None
    prefix, paths = found
    files = tuple(path for several in paths.values() for path in several)
    return Source(files=files, read=lambda: _read(folder, prefix, paths))


def _read(folder: Path, prefix: str, paths: dict[str, list[Path]]) -> Contents:
    raw = {name: read_agreed(folder, several) for name, several in paths.items()}
    parts = {
        part: _part(folder, prefix, names, [raw[name] for name in names])
        for part, names in idx_names.four_names(prefix).items()
    }
    sha256 = {name: hashlib.sha256(content).hexdigest() for name, content in raw.items()}
    known = known_sets.known_set(sha256)
    return Contents(
        train=parts["train"],
        test=parts["test"],
        class_names=known_sets.names_by_prefix(prefix) if known is None else known[1],
        sha256=sha256,
        name=None if known is None else known[0],
    )


def _part(folder: Path, prefix: str, names: list[str], raw: list[bytes]) -> Part:
    """Return the part whose images and labels have these names and unpacked bytes."""
    images = parse_images(raw[0], f"{folder}/{names[0]}")
    labels = parse_labels(raw[1], f"{folder}/{names[1]}", has_more=prefix.startswith("qmnist"))
    if len(images) != len(labels):
        raise DataError(
            f"{folder}: {names[0]} has {plural(len(images), 'image')} but {names[1]} has "
            f"{plural(len(labels), 'label')}; expected one label an image"
        )
    if prefix.startswith("emnist-"):  # its pictures are stored with rows and columns exchanged
        images = np.ascontiguousarray(images.transpose(0, 2, 1, 3))
    if prefix == "emnist-letters":  # 1 is a
        labels = labels - 1
    return Part(
        images_in=f"{folder}/{names[0]}",
        labels_in=f"{folder}/{names[1]}",
        labels=labels,
        read=from_array(images),
    )


def parse_images(raw: bytes, path: str) -> NDArray[np.uint8]:
    """Unpacked IDX bytes -> uint8 [N, H, W, C]. Raises DataError naming `path`."""
    expected = "images: unsigned bytes in 3 or 4 dimensions"
    kind, shape, header = _parse_header(raw, path, expected)
    if kind != 0x08 or len(shape) not in (3, 4):
        how = "" if kind == 0x08 else "; convert them to bytes from 0 to 255"
        raise DataError(f"{path}: expected {expected}, found {_described(kind, shape)}{how}")
    image_arrays.check_shape(shape, path, "images")
    _check_length(raw, path, header, math.prod(shape), plural(shape[0], "image"))
    return image_arrays.channels_last(np.frombuffer(raw, np.uint8, offset=header).reshape(shape))


def parse_labels(raw: bytes, path: str, *, has_more: bool = False) -> NDArray[np.int64]:
    """Unpacked IDX bytes -> int64 [N]. Raises DataError naming `path`.

    `has_more`: the labels may be rows that begin with the class, as those of QMNIST.
    """
    expected = "labels: integers in 1 dimension"
    kind, shape, header = _parse_header(raw, path, expected)
    if kind not in _INTEGERS or not (len(shape) == 1 or (has_more and len(shape) == 2)):
        raise DataError(f"{path}: expected {expected}, found {_described(kind, shape)}")
    dtype = np.dtype(_TYPES[kind][1])
    size = math.prod(shape) * dtype.itemsize
    _check_length(raw, path, header, size, plural(shape[0], "label"))
    labels = np.frombuffer(raw, dtype, offset=header).reshape(shape)
    return (labels if len(shape) == 1 else labels[:, 0]).astype(np.int64)


def read_agreed(folder: Path, paths: list[Path]) -> bytes:
    """Return the unpacked bytes of a file that the folder has once or several times.

    Raises DataError with its name, also if the files differ.
    """
    contents = {path: _read_one(path) for path in paths}
    if len(set(contents.values())) > 1:
        names = " and ".join(str(path.relative_to(folder)) for path in paths)
        raise DataError(
            f"{folder}: {names} hold different data; remove or rename what is not meant"
        )
    return contents[paths[0]]


def _read_one(path: Path) -> bytes:
    try:
        return _unpacked(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from None
    except ValueError as error:
        raise DataError(
            f"{path}: cannot be read, the file is damaged or truncated ({error})"
        ) from None


def check_digest(path: Path, expected: str) -> None:
    """Raise DataError if the file, as it is on the disk, has another SHA-256."""
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from None
    if digest != expected:
        raise DataError(f"{path}: damaged; expected SHA-256 {expected}, found {digest}")


def _unpacked(path: Path) -> bytes:
    """Return the file's bytes, unpacked if it is gzipped, whatever its name says.

    Raises OSError or ValueError.
    """
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(b"\x1f\x8b"):
        return foreign_files.gunzip(path, image_arrays.MOST_BYTES)
    if start.startswith(b"PK"):
        raise ValueError("a ZIP archive; unpack it")
    return foreign_files.read(path, image_arrays.MOST_BYTES)


def _parse_header(raw: bytes, path: str, expected: str) -> tuple[int, tuple[int, ...], int]:
    """Return the kind of the values, the shape, and the header's length in bytes."""
    if kind := kind_of(raw):
        raise DataError(f"{path}: expected an IDX file, found {kind}")
    size = 4 * (1 + raw[3]) if len(raw) >= 4 else 8
    if len(raw) < size:
        raise DataError(
            f"{path}: expected an IDX header of {size} bytes, found a file of {len(raw)} bytes"
        )
    if raw[:2] != b"\0\0" or raw[2] not in _TYPES or not 1 <= raw[3] <= 4:
        number = int.from_bytes(raw[:4])
        raise DataError(f"{path}: expected {expected}, found the IDX magic number {number}")
    shape = tuple(int(n) for n in np.frombuffer(raw, ">u4", count=raw[3], offset=4))
    if shape[0] == 0:
        raise DataError(f"{path}: expected at least one example, found none")
    return raw[2], shape, size


def _described(kind: int, shape: tuple[int, ...]) -> str:
    number = 256 * kind + len(shape)
    return f"{_TYPES[kind][0]} in {plural(len(shape), 'dimension')} (IDX magic number {number})"


def _check_length(raw: bytes, path: str, header: int, body: int, what: str) -> None:
    if len(raw) != header + body:
        raise DataError(f"{path}: expected {header + body} bytes for {what}, found {len(raw)}")
