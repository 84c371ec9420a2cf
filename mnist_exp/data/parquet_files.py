"""Read Parquet files with the columns image and label, as Hugging Face's `datasets` has them."""

import contextlib
import hashlib
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mnist_exp.data import image_arrays
from mnist_exp.data.classes import checked_names
from mnist_exp.data.folders import files_in, listing
from mnist_exp.data.near_names import near_names
from mnist_exp.data.parts import Contents, Part, Positions, Source
from mnist_exp.data.picture_folders import PARTS, part_folders
from mnist_exp.errors import DataError
from mnist_exp.outside import foreign_files
from mnist_exp.sweeper.foreign_text import clean

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

_COLUMNS = ("image", "label")
_MOST_ROWS = 50_000_000  # of a part
_AT_ONCE = 256  # rows that are decoded from a file's columns at a time
_PART = re.compile(rf"({'|'.join(PARTS)})(?![a-z])", re.IGNORECASE)
_SHARD = re.compile(r"(.*)-(\d+)-of-(\d+)", re.IGNORECASE)


def find(folder: Path) -> Source | None:
    """Return the source of the Parquet files in a folder or its data/; None if there are none.

    Raises DataError if they are not those of a training and a test split, or some are missing.
    """
    places = [folder, folder / "data"]
    for place in (place for place in places if place.is_dir()):
        tables = [path for path in files_in(place) if path.suffix.lower() == ".parquet"]
        shards = _by_part(tables)
        for name, each in part_folders(place).items():  # as Hugging Face converts other data
            shards.setdefault(name, []).extend(
                path for path in files_in(each) if path.suffix.lower() == ".parquet"
            )
        shards = {name: paths for name, paths in shards.items() if paths}
        if tables or shards:
            _check_shards(place, shards)
            files = tuple(path for paths in shards.values() for path in paths)
            return Source(files=files, read=partial(_read, place, shards))
    return None


def _by_part(tables: list[Path]) -> dict[str, list[Path]]:
    shards: dict[str, list[Path]] = {}
    for path in tables:
        if match := _PART.match(path.name):
            shards.setdefault(PARTS[match[1].lower()], []).append(path)
    return shards


def _check_shards(place: Path, shards: Mapping[str, list[Path]]) -> None:
    """Raise DataError for a part that is missing, and for one of several files that is."""
    for name in ("train", "test"):
        if name not in shards:
            raise DataError(
                f"{place}: expected Parquet files train-*.parquet and test-*.parquet; "
                f"{name}-*.parquet is missing, found {listing(place)}"
            )
    for paths in shards.values():
        names = {path.stem for path in paths}
        for path in paths:
            if match := _SHARD.match(path.stem):
                count, width = int(match[3]), len(match[2])
                numbers = {int(m[2]) for n in names if (m := _SHARD.match(n))}
                if missing := [n for n in range(min(count, 10_000)) if n not in numbers]:
                    raise DataError(
                        f"{place}: expected all {count} files of {path.name}, found no "
                        f"{match[1]}-{missing[0]:0{width}}-of-{match[3]}"
                    )


def _read(place: Path, shards: Mapping[str, list[Path]]) -> Contents:
    parts, names, sha256 = {}, {}, {}
    for part, paths in shards.items():
        labels = []
        for path in paths:
            with _damage_reported(path), _open(path) as file:
                _check(path, file)
                names[path] = _class_names(path, file)
                labels.append(_labels(path, file))
                sha256[path.relative_to(place).as_posix()] = _sha256(path)
        where = str(paths[0] if len(paths) == 1 else f"{paths[0]} and those after it")
        parts[part] = Part(
            images_in=where,
            labels_in=where,
            labels=np.concatenate(labels),
            read=partial(_images, paths, [len(each) for each in labels]),
        )
    first = next(iter(names))
    for path, class_names in names.items():
        if class_names != names[first]:
            raise DataError(f"{path}: expected the class names that {first} has, found others")
    return Contents(
        train=parts["train"],
        test=parts["test"],
        val=parts.get("val"),
        class_names=names[first],
        sha256=sha256,
    )


@contextlib.contextmanager
def _damage_reported(path: Path) -> Iterator[None]:
    """Raise DataError for what pyarrow raises in the block."""
    import pyarrow

    try:
        yield
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as a Parquet file ({clean(error, 150)})") from None


def _open(path: Path, as_dictionary: str | None = None) -> "ParquetFile":
    """Open a file. A column that is read as a dictionary has each different value once.

    So it takes no more memory than its file says, however often a value is repeated.
    """
    from pyarrow.parquet import ParquetFile

    return ParquetFile(path, read_dictionary=None if as_dictionary is None else [as_dictionary])


def _check(path: Path, file: "ParquetFile") -> None:
    """Raise DataError for columns that are missing, of another type, or too large."""
    from pyarrow import types

    schema, metadata = file.schema_arrow, file.metadata
    if missing := [name for name in _COLUMNS if name not in schema.names]:
        raise DataError(
            f"{path}: expected the columns image and label, found "
            f"{', '.join(clean(name, 40) for name in schema.names[:12]) or 'none'}"
            f"{near_names(missing, schema.names)}"
        )
    if _leaf(file) is None:
        raise DataError(
            f"{path}: column image: expected encoded pictures (bytes, or a struct with bytes), "
            f"found {clean(schema.field('image').type, 80)}"
        )
    if not types.is_integer(schema.field("label").type):
        raise DataError(
            f"{path}: column label: expected integers from 0, found "
            f"{clean(schema.field('label').type, 80)}; `datasets` numbers texts with "
            'class_encode_column("label")'
        )
    size = sum(
        metadata.row_group(group).column(column).total_uncompressed_size
        for group in range(metadata.num_row_groups)
        for column in range(metadata.num_columns)
        if metadata.schema.column(column).path in ("label", _leaf(file))
    )
    if size > image_arrays.MOST_BYTES or metadata.num_rows > _MOST_ROWS:
        raise DataError(
            f"{path}: expected at most {image_arrays.MOST_BYTES:,} bytes and {_MOST_ROWS:,} rows, "
            f"found {size:,} bytes and {metadata.num_rows:,} rows"
        )


def _leaf(file: "ParquetFile") -> str | None:
    """Return the path of the column with the encoded pictures; None for another type."""
    from pyarrow import types

    kind, name = file.schema_arrow.field("image").type, "image"
    if types.is_struct(kind):
        if kind.get_field_index("bytes") < 0:
            return None
        kind, name = kind.field("bytes").type, "image.bytes"
    if types.is_dictionary(kind):
        kind = kind.value_type
    return name if types.is_binary(kind) or types.is_large_binary(kind) else None


def _class_names(path: Path, file: "ParquetFile") -> tuple[str, ...] | None:
    """Return the names that `datasets` keeps in a file's metadata, None if there are none."""
    stored = (file.schema_arrow.metadata or {}).get(b"huggingface", b"{}")
    names: Any = None
    with contextlib.suppress(ValueError, KeyError, TypeError):  # other programs write other things
        names = foreign_files.read_json(stored, dict)["info"]["features"]["label"]["names"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return None
    return checked_names(names, f"{path}: its class names")


def _labels(path: Path, file: "ParquetFile") -> NDArray[np.int64]:
    column = file.read(columns=["label"]).column("label")
    if column.null_count:
        raise DataError(f"{path}: column label: expected a label in each row, found none in some")
    labels: NDArray[np.int64] = column.to_numpy().astype(np.int64)
    return labels


def _sha256(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _images(paths: list[Path], counts: list[int], positions: Positions) -> NDArray[np.uint8]:
    """Decode the pictures of these rows, counted over all files."""
    from mnist_exp.data.pictures import stacked

    places = np.full(sum(counts), -1)
    places[positions] = np.arange(len(positions))

    def contents() -> Iterator[tuple[int, str, bytes]]:
        start = 0
        for path, count in zip(paths, counts, strict=True):
            wanted = places[start : start + count]
            start += count
            if (wanted >= 0).any():
                with _damage_reported(path):
                    yield from _pictures(path, wanted)

    return stacked(len(positions), contents())


def _pictures(path: Path, places: NDArray[np.intp]) -> Iterator[tuple[int, str, bytes]]:
    """Yield (place in the result, where it is, encoded picture) of the rows that have a place."""
    with _open(path) as file:
        leaf = _leaf(file)
    start, last = 0, int(np.flatnonzero(places >= 0)[-1])
    with _open(path, leaf) as file:
        for batch in file.iter_batches(_AT_ONCE, columns=[leaf]):
            column: Any = batch.column("image")
            encoded = column.field("bytes") if leaf == "image.bytes" else column
            for row in np.flatnonzero(places[start : start + len(batch)] >= 0).tolist():
                content = encoded[row].as_py() if column[row].is_valid else None
                where = f"{path}: row {start + row}"
                if content is None:
                    raise DataError(f"{where}: expected the bytes of a picture, found none")
                yield int(places[start + row]), where, content
            start += len(batch)
            if start > last:
                return
