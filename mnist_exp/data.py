"""Read, verify and split the MNIST files; the order of the training examples from (seed, epoch)."""

import hashlib
import os
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnist_exp.errors import DataError
from mnist_exp.outside import foreign_files
from mnist_exp.outside.printing import plural

SHIPPED_DIR = Path(__file__).parent / "datasets" / "mnist"
_MOST_BYTES = 2_000_000_000  # of an unpacked file: forty times MNIST's largest
IMAGE_SIZE = 28
NUM_CLASSES = 10

# SHA-256 of the unpacked files as published by Yann LeCun.
MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}

# SHA-256 of the compressed files in the package, where gzip's header is part of what must not change.
_SHIPPED_SHA256 = {
    "train-labels-idx1-ubyte.gz": "fe03b8bd7915f70bf5aa08be480aa413fbd85afcaa58b35d230d335f284fd88e",
    "train-images-idx3-ubyte.gz": "71524e2cd1ad2968737f7f2f2ff69cbfc32df8ccddff51593f7cb2d4e0eb5b64",
    "t10k-labels-idx1-ubyte.gz": "ae18e77e031ccde52407f794d123116439864147d33ac992975f85dd4dc42af6",
    "t10k-images-idx3-ubyte.gz": "5634745efa576a17e7d4cf5cd9d09123c75e6538e5114267c2d156edaf519341",
}

_IMAGES_MAGIC = 2051  # 0x00000803: unsigned bytes, three dimensions
_LABELS_MAGIC = 2049  # 0x00000801: unsigned bytes, one dimension

# How files begin, in small letters, that downloads and archives leave in place of the ones that are meant.
_OTHER_KINDS = {
    b"<!doctype html": "a web page; download the file itself",
    b"<html": "a web page; download the file itself",
    b"<": "an XML file or a web page; download the file itself",
    b"version https://git-lfs": "a Git LFS pointer; fetch the file that it stands for with `git lfs pull`",
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


@dataclass(frozen=True)
class Split:
    """Examples: images uint8 [N, 28, 28, 1] in 0..255, labels int32 [N] in 0..9."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.labels)

    def first(self, limit: int | None) -> "Split":
        """The first `limit` examples; all of them if `limit` is None or larger than the split."""
        return Split(self.images[:limit], self.labels[:limit])

    @cached_property
    def digest(self) -> str:
        """SHA-256 over image bytes, then labels as one byte each; 64 hex digits."""
        sha = hashlib.sha256(np.ascontiguousarray(self.images).data)
        sha.update(self.labels.astype(np.uint8).tobytes())
        return sha.hexdigest()


@dataclass(frozen=True)
class Dataset:
    """The three splits, and the SHA-256 of each unpacked file they were read from."""

    train: Split
    val: Split
    test: Split
    source: str
    sha256: dict[str, str] = field(default_factory=dict)

    @property
    def is_mnist(self) -> bool:
        return self.sha256 == MNIST_SHA256

    @cached_property
    def digest(self) -> str:
        """Digest of the three splits in the order train, val, test; 64 hex digits."""
        digests = "".join(split.digest for split in (self.train, self.val, self.test))
        return hashlib.sha256(digests.encode()).hexdigest()


def load(
    *,
    dir: str | Path | None = None,
    validation_size: int = 5000,
    train_limit: int | None = None,
    eval_limit: int | None = None,
    eval_on_train: bool = False,
) -> Dataset:
    """Read the four files and split them: the first `validation_size` training images are the validation split.

    `dir` None is the MNIST shipped with the package, whose checksums are enforced. Any other folder may
    hold any number of images in the same format; its checksums are only recorded.
    `train_limit` keeps the first training examples, `eval_limit` the first validation and test examples;
    `eval_on_train` replaces validation and test by the (limited) training examples.
    Raises DataError naming the file, what was expected and what was found.
    """
    folder = SHIPPED_DIR if dir is None else Path(os.path.expanduser(dir))
    if not folder.is_dir():
        raise DataError(
            f"data.dir={dir}: no such folder; expected one with {', '.join(MNIST_SHA256)}"
        )
    full_train, test, sha256 = (
        _read_shipped(folder) if dir is None else _read(folder, shipped=False)
    )
    if len(full_train) <= validation_size:
        raise DataError(
            f"data.validation_size={validation_size}: expected fewer than the {len(full_train)} training images "
            f"in {folder}"
        )
    train = Split(full_train.images[validation_size:], full_train.labels[validation_size:]).first(
        train_limit
    )
    val = Split(full_train.images[:validation_size], full_train.labels[:validation_size]).first(
        eval_limit
    )
    test = test.first(eval_limit)
    if eval_on_train:
        val = test = train
    source = "shipped with mnist_exp" if dir is None else str(folder.resolve())
    return Dataset(train, val, test, source, dict(sha256))


def _read(folder: Path, *, shipped: bool) -> tuple[Split, Split, dict[str, str]]:
    """All training and test images, and the SHA-256 of each unpacked file. Raises DataError."""
    found: dict[str, str] = {}

    def read(name: str) -> bytes:
        raw = read_file(folder, name, shipped=shipped)
        found[name] = hashlib.sha256(raw).hexdigest()
        return raw

    train, test = (
        Split(
            parse_images(read(f"{part}-images-idx3-ubyte"), f"{folder}/{part}-images-idx3-ubyte"),
            parse_labels(read(f"{part}-labels-idx1-ubyte"), f"{folder}/{part}-labels-idx1-ubyte"),
        )
        for part in ("train", "t10k")
    )
    for part, split in (("train", train), ("t10k", test)):
        if len(split.images) != len(split.labels):
            images, labels = plural(len(split.images), "image"), plural(len(split.labels), "label")
            raise DataError(
                f"{folder}: {part}-images-idx3-ubyte has {images} but "
                f"{part}-labels-idx1-ubyte has {labels}; expected one label an image"
            )
    return train, test, found


@cache
def _read_shipped(folder: Path) -> tuple[Split, Split, dict[str, str]]:
    """Once a process: the trials of a worker, which begin with it, would read the same files every few seconds."""
    return _read(folder, shipped=True)


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


def read_file(folder: Path, name: str, *, shipped: bool) -> bytes:
    """The unpacked bytes of the file of this name, in any of the forms that people have it in.

    A shipped file has to be the one we ship, to the last bit. Raises DataError naming the file.
    """
    paths = [folder / f"{name}.gz"] if shipped else _files_of(folder, name)
    contents = {}
    for path in paths:
        try:
            if shipped and (digest := hashlib.sha256(path.read_bytes()).hexdigest()) != (
                expected := _SHIPPED_SHA256[path.name]
            ):
                raise DataError(f"{path}: damaged; expected SHA-256 {expected}, found {digest}")
            contents[path] = _unpacked(path)
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror or error})") from None
        except ValueError as error:
            raise DataError(
                f"{path}: cannot be read, the file is damaged or truncated ({error})"
            ) from None
    if len(set(contents.values())) > 1:
        raise DataError(
            f"{folder}: {' and '.join(str(path.relative_to(folder)) for path in paths)} hold different data; "
            "remove or rename what is not meant"
        )
    return contents[paths[0]]


def _files_of(folder: Path, name: str) -> list[Path]:
    """Where that file is: in the folder, in a folder of its own name as Kaggle's archive has it, or in torchvision's
    MNIST/raw below. More than one path if the file is there more than once. Raises DataError if it is nowhere."""
    dotted = name.replace("-idx", ".idx")  # train-images.idx3-ubyte, as some archives unpack it
    names = [form + end for form in (name, dotted) for end in ("", ".gz")]
    ways = [[one] for one in names] + [[outer, inner] for outer in names for inner in names]
    try:
        for matching in (_of_name, _in_any_case):
            for place in ([], ["MNIST", "raw"], ["raw"]):
                paths = [
                    path
                    for way in ways
                    for path in matching(folder, [*place, *way])
                    if path.is_file()
                ]
                if paths:
                    return paths
        entries = sorted(entry.name for entry in folder.iterdir())
    except OSError as error:
        raise DataError(f"{folder}: cannot be read ({error.strerror})") from None
    listed = ", ".join(entries[:6]) + (" ..." if len(entries) > 6 else "")
    raise DataError(
        f"{folder}: expected a file {name} or {dotted}, gzipped or not; found {listed or 'an empty folder'}"
    )


def _of_name(folder: Path, parts: list[str]) -> list[Path]:
    """The path below the folder, whether it is there or not."""
    return [folder.joinpath(*parts)]


def _in_any_case(folder: Path, parts: list[str]) -> list[Path]:
    """The paths below the folder that differ at most in small and capital letters: discs and Windows change them."""
    if not parts:
        return [folder]
    alike = [entry for entry in folder.iterdir() if entry.name.lower() == parts[0].lower()]
    if len(parts) > 1:
        alike = [entry for entry in alike if entry.is_dir()]
    return sorted(path for entry in alike for path in _in_any_case(entry, parts[1:]))


def _unpacked(path: Path) -> bytes:
    """The file's bytes, unpacked if it is gzipped, whatever its name says. Raises OSError or ValueError."""
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
    found, *shape = (int(n) for n in np.frombuffer(raw, ">u4", count=1 + dimensions))
    if found != magic:
        raise DataError(f"{path}: expected IDX magic number {magic}, found {found}")
    if shape[0] == 0:
        raise DataError(f"{path}: expected at least one example, found none")
    return tuple(shape)


def _other_kind(raw: bytes) -> str | None:
    """What a file is that was saved in place of an IDX file, which begins with two bytes that are 0."""
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
