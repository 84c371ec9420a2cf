"""Read files that somebody else wrote: only the expected kind, of a bounded size, no pickles.

A file that holds what it should not is a ValueError in one line. A file that cannot be opened is an
OSError.
"""

import gzip
import io
import json
import math
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

from mnist_exp.outside.printing import plural
from mnist_exp.sweeper.foreign_text import clean

if TYPE_CHECKING:
    import numpy as np
    from mlflow import MlflowClient

MAX_TEXT_BYTES = 2**20  # of a YAML or JSON file; this project's records have a few thousand
_MAX_DEPTH = 30  # of nested lists and mappings
_Kind = TypeVar("_Kind")


def read(path: Path, max_bytes: int) -> bytes:
    """Return the bytes of a regular file or of one that a link leads to.

    Raises ValueError for a larger file, and for a device, a pipe or a folder: they may never end.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError(f"{path}: expected a file")
    with path.open("rb") as file:
        content = _bounded(file, max_bytes)
    if len(content) > max_bytes:
        raise ValueError(f"{path}: expected at most {max_bytes:,} bytes, found more")
    return content


def _bounded(file: Any, max_bytes: int) -> bytes:
    """Return the rest of the file, or a little more than `max_bytes` if there is more.

    It is read in parts, because Python reserves the memory for all that one `read` asks for: parts
    of 1 MB take three times as long where the files have half of it.
    """
    content = io.BytesIO()  # whose value, unlike a bytearray's, needs no copy
    while content.tell() <= max_bytes and (part := file.read(2**17)):
        content.write(part)
    return content.getvalue()


def read_artifacts(
    client: "MlflowClient", run_id: str, limits: Mapping[str, int]
) -> dict[str, bytes]:
    """Return {path: content} of those artifacts in `limits` that the run has.

    `limits` is {path: the most bytes}. Raises ValueError for a larger one, and MLflow's own errors.
    """
    contents = {}
    for folder in dict.fromkeys(path.rpartition("/")[0] for path in limits):
        for entry in client.list_artifacts(run_id, folder or None):
            if entry.is_dir or entry.path not in limits:
                continue
            limit = limits[entry.path]
            if (entry.file_size or 0) > limit:
                raise ValueError(
                    f"{entry.path}: expected at most {limit:,} bytes, found {entry.file_size:,}"
                )
            with TemporaryDirectory() as temporary:
                path = client.download_artifacts(run_id, entry.path, temporary)
                contents[entry.path] = read(Path(path), limit)
    return contents


def read_artifact_folder(
    client: "MlflowClient", run_id: str, folder: str, most_files: int, most_bytes: int
) -> dict[str, bytes]:
    """Return {path: content} of all artifacts below the folder.

    Raises ValueError for more than `most_files`, or if a file has more than `most_bytes`, and
    MLflow's own errors.
    """
    paths: list[str] = []
    waiting = [folder]
    while waiting:
        for entry in client.list_artifacts(run_id, waiting.pop()):
            (waiting if entry.is_dir else paths).append(entry.path)
            if len(paths) + len(waiting) > most_files:
                raise ValueError(f"{folder}: expected at most {most_files:,} files, found more")
    return read_artifacts(client, run_id, dict.fromkeys(paths, most_bytes))


def read_yaml(content: bytes, kind: type[_Kind]) -> _Kind:
    """Return the one YAML document in `content`, which has to be of this kind (dict, list ...)."""
    import yaml

    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    text = _text(content)
    try:
        _check_structure(yaml.parse(text, Loader=loader))
        value = yaml.load(text, Loader=loader)
    except (yaml.YAMLError, RecursionError, OverflowError) as error:
        raise ValueError(f"not YAML that can be read ({clean(error, 200)})") from error
    return _of_kind(value, kind)


def _check_structure(events: Any) -> None:
    """Raise ValueError for what needs more memory than its file has bytes.

    An alias stands for a text of any size, and nested values need a stack of any depth.
    """
    import yaml

    depth = 0
    for event in events:
        if isinstance(event, yaml.AliasEvent):
            raise ValueError(  # noqa: TRY004
                f"expected YAML without aliases, found *{clean(event.anchor, 50)}"
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > _MAX_DEPTH:
            raise ValueError(f"expected at most {_MAX_DEPTH} levels, found more")


def read_json(content: bytes, kind: type[_Kind], max_bytes: int = MAX_TEXT_BYTES) -> _Kind:
    """Return the JSON value in `content`, which has to be of this kind (dict, list ...)."""
    text = _text(content, max_bytes)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON that can be read ({clean(error, 200)})") from error
    return _of_kind(value, kind)


def _text(content: bytes, max_bytes: int = MAX_TEXT_BYTES) -> str:
    if len(content) > max_bytes:
        raise ValueError(f"expected at most {max_bytes:,} bytes, found {len(content):,}")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"expected text in UTF-8 ({error.reason} at byte {error.start})"
        ) from error


def _of_kind(value: Any, kind: type[_Kind]) -> _Kind:
    wrong = isinstance(value, bool) and kind in (int, float)
    if not isinstance(value, kind) or wrong:
        names = {"dict": "mapping", "str": "text", "NoneType": "nothing"}
        expected, actual = (names.get(k.__name__, k.__name__) for k in (kind, type(value)))
        raise ValueError(f"expected a {expected}, found {actual}")
    return value


def read_npz(
    file: Path | bytes, arrays: Mapping[str, tuple[str, int | None]], max_bytes: int
) -> dict[str, "np.ndarray[Any, Any]"]:
    """Return {name: array} for the `arrays` of an .npz file; others in it are not read.

    `arrays` is {name: (kinds of dtypes as NumPy names them, such as "iu", number of dimensions)};
    None is any number of dimensions. All of them together may have `max_bytes`, unpacked.
    """
    with _opened(file) as (archive, members):
        if missing := [name for name in arrays if name not in members]:
            raise ValueError(f"expected an array {missing[0]}, found none")
        size = sum(members[name].file_size for name in arrays)
        if size > max_bytes:
            raise ValueError(f"expected arrays of at most {max_bytes:,} bytes, found {size:,}")
        return {
            name: _array(archive, members[name], name, kinds, dimensions)
            for name, (kinds, dimensions) in arrays.items()
        }


def read_npz_headers(file: Path) -> dict[str, tuple["np.dtype[Any]", tuple[int, ...]]]:
    """Return {name: (dtype, shape)} of all arrays in an .npz file, without reading them."""
    with _opened(file) as (archive, members):
        headers = {}
        for name, member in members.items():
            with archive.open(member) as content:
                shape, _, dtype = _header(content, name)
            headers[name] = dtype, shape
        return headers


@contextmanager
def _opened(file: Path | bytes) -> Iterator[tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]]:
    """Open an .npz file: the archive, and its arrays by name. Damage is a ValueError."""
    try:
        with zipfile.ZipFile(io.BytesIO(file) if isinstance(file, bytes) else file) as archive:
            arrays = [info for info in archive.infolist() if info.filename.endswith(".npy")]
            yield archive, {info.filename.removesuffix(".npy"): info for info in arrays}
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        NotImplementedError,
        RuntimeError,
        OverflowError,
    ) as error:
        raise ValueError(f"not an .npz file that can be read ({clean(error, 200)})") from error


def _header(file: Any, name: str) -> tuple[tuple[int, ...], bool, "np.dtype[Any]"]:
    """Return shape, whether columns come first, and dtype of the array that begins here."""
    import numpy as np

    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"array {name}: expected version 1 or 2 of the format, found {version}")
    read_header = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    try:
        return read_header(file)
    except Exception as error:  # whatever Python's parser raises, which numpy reads the header with
        raise ValueError(
            f"array {name}: no header that can be read ({clean(error, 100)})"
        ) from error


def _array(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str, kinds: str, dimensions: int | None
) -> "np.ndarray[Any, Any]":
    import numpy as np

    with archive.open(member) as file:
        shape, in_columns, dtype = _header(file, name)
        if dtype.kind not in kinds or dtype.fields is not None:
            raise ValueError(
                f"array {name}: expected a dtype of kind {kinds}, found {clean(dtype, 50)}"
            )
        if dimensions not in (None, len(shape)) or min(shape, default=0) < 0:
            sizes = "sizes >= 0" if dimensions is None else plural(dimensions, "dimension")
            raise ValueError(f"array {name}: expected {sizes}, found shape {clean(shape, 100)}")
        expected = math.prod(shape) * dtype.itemsize
        if expected > member.file_size:
            raise ValueError(
                f"array {name}: expected {expected:,} bytes, found at most {member.file_size:,}"
            )
        content = file.read()
    if len(content) != expected:
        raise ValueError(f"array {name}: expected {expected:,} bytes, found {len(content):,}")
    flat = np.frombuffer(content, dtype)
    return flat.reshape(shape, order="F" if in_columns else "C")


def gunzip(path: Path, max_bytes: int) -> bytes:
    """Return the unpacked bytes of a gzip file, which may be at most `max_bytes`."""
    try:
        with gzip.open(path) as file:
            content = _bounded(file, max_bytes)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(
            f"{path}: not a gzip file that can be read ({clean(error, 200)})"
        ) from error
    if len(content) > max_bytes:
        raise ValueError(f"{path}: expected at most {max_bytes:,} bytes when unpacked, found more")
    return content
