"""Read IDX files in whichever form people have them: gzipped or not, and in folders of archives."""

import hashlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnist_exp.errors import DataError
from mnist_exp.outside import foreign_files
from mnist_exp.outside.printing import plural

IMAGE_SIZE = 28
NUM_CLASSES = 10
_MOST_BYTES = 2_000_000_000  # of an unpacked file; MNIST's largest has a fortieth of it

_IMAGES_MAGIC = 2051  # 0x00000803: unsigned bytes, three dimensions
_LABELS_MAGIC = 2049  # 0x00000801: unsigned bytes, one dimension

# How other files begin, in small letters, which downloads and archives leave in place of IDX files.
_OTHER_KINDS = {
    b"<!doctype html": "a web page; download the file itself",
    b"<html": "a web page; download the file itself",
    b"<": "an XML file or a web page; download the file itself",
    b"version https://git-lfs": "a Git LFS pointer; `git lfs pull` fetches the file itself",
    b"{": "a JSON text",
    b"[": "a JSON text",
    b"\x93numpy": "a NumPy array",
    b"pk\x03\x04": "a ZIP archive; unpack it",
    b"7z\xbc\xaf": "a 7z archive; unpack it",
    b"bzh": "a bzip2 archive; unpack it",
    b"\xfd7zxz": "an xz archive; unpack it",
    b"(\xb5/\xfd": "a Zstandard archive; unpack it",
    b"rar!": "a RAR archive; unpack it",
    b"\x1f\x8b": "a gzip file inside a gzip file; unpack it once",
    b"\x1f\x9d": "a .Z archive; unpack it",
    b"par1": "a Parquet table",
    b"\x89png": "a PNG picture",
    b"\x89hdf": "an HDF5 file",
    b"\xff\xd8\xff": "a JPEG picture",
    b"\x80": "a Python pickle",
}


def parse_images(raw: bytes, path: str) -> NDArray[np.uint8]:
    """Unpacked IDX3 bytes -> uint8 [N, 28, 28, 1]. Raises DataError naming `path`."""
    count, rows, columns = _parse_header(raw, path, _IMAGES_MAGIC, 3)
    if (rows, columns) != (IMAGE_SIZE, IMAGE_SIZE):
        raise DataError(f"{path}: expected images of 28x28 pixels, found {rows}x{columns}")
    _check_length(raw, path, 16, count * rows * columns, plural(count, "image"))
    return np.frombuffer(raw, np.uint8, offset=16).reshape(count, rows, columns, 1)


def parse_labels(raw: bytes, path: str) -> NDArray[np.int32]:
    """Unpacked IDX1 bytes -> int32 [N]. Raises DataError naming `path`."""
    (count,) = _parse_header(raw, path, _LABELS_MAGIC, 1)
    _check_length(raw, path, 8, count, plural(count, "label"))
    labels = np.frombuffer(raw, np.uint8, offset=8).astype(np.int32)
    if labels.max() >= NUM_CLASSES:
        raise DataError(f"{path}: expected labels 0 to {NUM_CLASSES - 1}, found {labels.max()}")
    return labels


def read_file(folder: Path, name: str, sha256: str | None = None) -> bytes:
    """Return the unpacked bytes of a file, in whichever form the folder has it.

    With `sha256` it has to be the gzipped file of this digest. Raises DataError with its name.
    """
    paths = _files_of(folder, name) if sha256 is None else [folder / f"{name}.gz"]
    contents = {}
    for path in paths:
        try:
            if sha256 is not None:
                _check_digest(path, sha256)
            contents[path] = _unpacked(path)
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror or error})") from None
        except ValueError as error:
            raise DataError(
                f"{path}: cannot be read, the file is damaged or truncated ({error})"
            ) from None
    if len(set(contents.values())) > 1:
        names = " and ".join(str(path.relative_to(folder)) for path in paths)
        raise DataError(
            f"{folder}: {names} hold different data; remove or rename what is not meant"
        )
    return contents[paths[0]]


def _check_digest(path: Path, expected: str) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != expected:
        raise DataError(f"{path}: damaged; expected SHA-256 {expected}, found {digest}")


def _files_of(folder: Path, name: str) -> list[Path]:
    """Return where that file is; several paths if the folder has it more than once.

    It may be in the folder, in a folder of its own name as Kaggle's archive has it, or in
    torchvision's MNIST/raw below. Raises DataError if it is nowhere.
    """
    dotted = name.replace("-idx", ".idx")  # train-images.idx3-ubyte, as some archives unpack it
    names = [form + end for form in (name, dotted) for end in ("", ".gz")]
    paths_below = [[name] for name in names] + [
        [outer, inner] for outer in names for inner in names
    ]
    try:
        for matching in (_of_name, _in_any_case):
            for place in ([], ["MNIST", "raw"], ["raw"]):
                paths = [
                    path
                    for parts in paths_below
                    for path in matching(folder, [*place, *parts])
                    if path.is_file()
                ]
                if paths:
                    return paths
        entries = sorted(entry.name for entry in folder.iterdir())
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror})") from None
    listed = ", ".join(entries[:6]) + (" ..." if len(entries) > 6 else "")
    raise DataError(
        f"{folder}: expected a file {name} or {dotted}, gzipped or not; "
        f"found {listed or 'an empty folder'}"
    )


def _of_name(folder: Path, parts: list[str]) -> list[Path]:
    """Return the path below the folder, whether it exists or not."""
    return [folder.joinpath(*parts)]


def _in_any_case(folder: Path, parts: list[str]) -> list[Path]:
    """Return the paths below the folder that differ at most in small and capital letters.

    Discs and Windows change them.
    """
    if not parts:
        return [folder]
    alike = [entry for entry in folder.iterdir() if entry.name.lower() == parts[0].lower()]
    if len(parts) > 1:
        alike = [entry for entry in alike if entry.is_dir()]
    return sorted(path for entry in alike for path in _in_any_case(entry, parts[1:]))


def _unpacked(path: Path) -> bytes:
    """Return the file's bytes, unpacked if it is gzipped, whatever its name says.

    Raises OSError or ValueError.
    """
    with path.open("rb") as file:
        start = file.read(4)
    if start.startswith(b"\x1f\x8b"):
        return foreign_files.gunzip(path, _MOST_BYTES)
    if start.startswith(b"PK"):
        raise ValueError("a ZIP archive; unpack it")
    return foreign_files.read(path, _MOST_BYTES)


def _parse_header(raw: bytes, path: str, magic: int, dimensions: int) -> tuple[int, ...]:
    size = 4 * (1 + dimensions)
    if kind := _other_kind(raw):
        raise DataError(f"{path}: expected an IDX file, found {kind}")
    if len(raw) < size:
        raise DataError(
            f"{path}: expected an IDX header of {size} bytes, found a file of {len(raw)} bytes"
        )
    number, *shape = (int(n) for n in np.frombuffer(raw, ">u4", count=1 + dimensions))
    if number != magic:
        raise DataError(f"{path}: expected IDX magic number {magic}, found {number}")
    if shape[0] == 0:
        raise DataError(f"{path}: expected at least one example, found none")
    return tuple(shape)


def _other_kind(raw: bytes) -> str | None:
    """Return what a file is that was saved in place of an IDX file, None for an IDX file.

    An IDX file begins with two bytes that are 0.
    """
    if not raw or raw[0] == 0:
        return None
    start = raw[:200].removeprefix(b"\xef\xbb\xbf").lstrip()
    for begin, kind in _OTHER_KINDS.items():
        if start.lower().startswith(begin):
            return kind
    text = start.decode("latin-1").splitlines()[:1]
    if text and text[0].isascii() and text[0].isprintable():
        return f"a text that begins with {text[0][:60]!r}"
    return None


def _check_length(raw: bytes, path: str, header: int, body: int, what: str) -> None:
    if len(raw) != header + body:
        raise DataError(f"{path}: expected {header + body} bytes for {what}, found {len(raw)}")
