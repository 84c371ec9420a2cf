import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_exp import data
from mnist_exp.data import image_arrays, parquet_files
from mnist_exp.errors import DataError
from tests.support.data_forms import some_images, write_parquet

ARRAYS = some_images()
NAMES = ("cat", "dog", "owl")
TRAIN = "data/train-00000-of-00001.parquet"


def load(path: Path) -> data.Dataset:
    return data.load(dir=path, validation_size=5)


def named(names: object) -> Callable[[pa.Table], pa.Table]:
    """Give a table the metadata of `datasets`."""
    text = json.dumps({"info": {"features": {"label": {"names": names}}}})
    return lambda table: table.replace_schema_metadata({"huggingface": text})


def with_labels(*labels: object) -> Callable[[pa.Table], pa.Table]:
    return lambda table: table.set_column(1, "label", pa.array(labels))


def with_images(images: pa.Array) -> Callable[[pa.Table], pa.Table]:
    return lambda table: table.set_column(0, "image", images)


BAD: dict[str, tuple[Callable[[pa.Table], pa.Table], str]] = {
    "img": (
        lambda table: table.rename_columns(["img", "label"]),
        "expected the columns image and label, found img, label; rename img to image",
    ),
    "fine_label": (
        lambda table: table.rename_columns(["img", "fine_label"]),
        "found img, fine_label; rename img to image, fine_label to label",
    ),
    "other columns": (lambda table: table.rename_columns(["a", "b"]), "found a, b$"),
    "texts as labels": (
        with_labels(*["a"] * 40),
        r"column label: expected integers from 0, found string; .* class_encode_column",
    ),
    "fractions as labels": (with_labels(*[0.5] * 40), "column label: .* found double"),
    "a label is missing": (with_labels(None, *[1] * 39), "column label: expected a label in each"),
    "unlabelled": (with_labels(*[-1] * 40), r"expected labels from 0, found -1 \(image 0"),
    "texts as images": (
        with_images(pa.array(["a"] * 40)),
        r"column image: expected encoded pictures \(bytes, or a struct with bytes\), found string",
    ),
    "lists as images": (with_images(pa.array([[1]] * 40)), "column image: .* found list<"),
    "a picture is missing": (
        with_images(pa.array([None] * 40, pa.binary())),
        "row 0: expected the bytes of a picture, found none",
    ),
    "no picture": (with_images(pa.array([b"x"] * 40)), "row 0: cannot be read as a PNG, JPEG"),
    "other class names": (named(["a", "b", "c"]), "expected the class names that .* found others"),
}


@pytest.mark.parametrize("name", BAD)
def test_tables_that_cannot_be_used_are_refused_by_name(tmp_path: Path, name: str) -> None:
    change, said = BAD[name]
    path = write_parquet(tmp_path, ARRAYS) / TRAIN
    pq.write_table(change(pq.read_table(path)), path)
    with pytest.raises(DataError, match=said) as raised:
        load(tmp_path)
    assert len(str(raised.value).splitlines()) == 1
    assert ".parquet" in str(raised.value)


def test_class_names_of_datasets_are_kept(tmp_path: Path) -> None:
    assert load(write_parquet(tmp_path, ARRAYS, NAMES, shards=2)).form.class_names == NAMES


@pytest.mark.parametrize("metadata", ["", "[1]", '{"info": []}', '{"info": {"features": null}}'])
def test_metadata_of_other_programs_is_passed_over(tmp_path: Path, metadata: str) -> None:
    path = write_parquet(tmp_path, ARRAYS) / TRAIN
    table = pq.read_table(path).replace_schema_metadata({"huggingface": metadata})
    pq.write_table(table, path)
    assert load(tmp_path).form.class_names == ("0", "1", "2")


def test_bytes_without_a_struct_are_read(tmp_path: Path) -> None:
    expected = load(write_parquet(tmp_path, ARRAYS)).digest
    for path in (tmp_path / "data").iterdir():
        table = pq.read_table(path)
        images = table.column("image").combine_chunks().field("bytes")
        pq.write_table(table.set_column(0, "image", images), path)
    assert load(tmp_path).digest == expected


def test_other_places_of_the_files(tmp_path: Path) -> None:
    expected = load(
        write_parquet(tmp_path, {**ARRAYS, "x_val": ARRAYS["x_test"], "y_val": ARRAYS["y_test"]})
    )
    assert (len(expected.train), len(expected.val)) == (40, 10)
    for path in list((tmp_path / "data").iterdir()):  # as Hugging Face converts other data
        part = path.name.partition("-")[0]
        (tmp_path / part).mkdir()
        path.rename(tmp_path / part / "0000.parquet")
    (tmp_path / "data").rmdir()
    assert load(tmp_path).digest == expected.digest


def test_a_missing_shard_and_a_missing_split_are_named(tmp_path: Path) -> None:
    write_parquet(tmp_path, ARRAYS, shards=3)
    (tmp_path / "data/train-00001-of-00003.parquet").unlink()
    with pytest.raises(DataError, match="expected all 3 files of .* found no train-00001-of-00003"):
        load(tmp_path)
    for path in (tmp_path / "data").glob("train-*"):
        path.unlink()
    with pytest.raises(DataError, match=r"; train-\*.parquet is missing, found test-00000"):
        load(tmp_path)


def test_a_value_that_is_repeated_very_often_takes_no_more_memory(tmp_path: Path) -> None:
    """3,000 times the same 2 MB would be 6 GB."""
    (tmp_path / "data").mkdir()
    indices = pa.array(np.zeros(3000, np.int32))
    images = pa.DictionaryArray.from_arrays(indices, pa.array([bytes(2_000_000)]))
    for part in ("train", "test"):
        table = pa.table({"image": images, "label": np.arange(3000) % 2})
        pq.write_table(table, tmp_path / f"data/{part}.parquet", store_schema=False)
    before = pa.total_allocated_bytes()
    places = np.arange(3000)
    rows = parquet_files._pictures(tmp_path / "data/train.parquet", places)
    assert len(next(rows)[2]) == 2_000_000
    assert pa.total_allocated_bytes() - before < 50_000_000
    with pytest.raises(DataError, match="row 0: cannot be read as a PNG"):
        load(tmp_path)


def test_a_table_of_very_many_bytes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_parquet(tmp_path, ARRAYS)
    monkeypatch.setattr(image_arrays, "MOST_BYTES", 1000)
    with pytest.raises(DataError, match="expected at most 1,000 bytes and 50,000,000 rows, found"):
        load(tmp_path)


@settings(max_examples=30)
@given(at=st.floats(0, 1, exclude_max=True), flip=st.integers(0, 255))
def test_damage_is_refused_by_name_or_not_seen(
    tmp_path_factory: pytest.TempPathFactory, at: float, flip: int
) -> None:
    folder = write_parquet(tmp_path_factory.mktemp("set"), some_images(8))
    raw = bytearray((folder / TRAIN).read_bytes())
    place = int(at * len(raw))
    raw[place] ^= flip
    (folder / TRAIN).write_bytes(raw if flip else raw[:place])
    try:
        data.load(dir=folder, validation_size=1)
    except DataError as error:
        assert str(folder) in str(error)
