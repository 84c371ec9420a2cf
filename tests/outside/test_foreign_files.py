import gzip
import io
import json
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mnist_exp.outside import foreign_files
from mnist_exp.outside.foreign_files import gunzip, read_json, read_npz, read_yaml

PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=9), PLAIN, max_size=3))
def test_what_we_write_is_read_as_it_was(value: dict[str, Any]) -> None:
    assert read_yaml(yaml.safe_dump(value).encode(), dict) == value
    assert read_json(json.dumps(value).encode(), dict) == value


@given(st.binary(max_size=200) | st.text("[]{}&*a: \n-?!<|>'\"%,#0x", max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused_in_one_line(content: bytes) -> None:
    for read in (read_yaml, read_json):
        for kind in (dict, list):
            try:
                assert isinstance(read(content, kind), kind)
            except ValueError as error:
                assert "\n" not in str(error)
                assert len(str(error)) < 400


LAUGHS = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (n, n, b",".join([b"*%c" % (n - 1)] * 9)) for n in b"bcdefghi"
)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (LAUGHS, "without aliases"),
        (b"[" * 500_000, "levels"),
        (b"{a: " * 200_000, "levels"),
        (b"- " * 300_000, "levels"),
        (b"? " * 300_000, "levels"),
        (b"5", "expected a list, found int"),
        (b"", "found nothing"),
        (b"true", "found bool"),
        (b"a: 1", "found mapping"),
        (b"text", "found text"),
        (b"[1]\n---\n[2]", "single document"),
        (b"!!python/object/apply:os.system [id]", "constructor"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"[" + b"9" * 5000 + b"]", "limit"),
        (b"x" * (2**20 + 1), "at most 1,048,576 bytes"),
        (b"? [a, b]\n: c", "."),
        (b"[2024-99-99]", "."),
        (b"\x00", "."),
    ],
)
def test_yaml_of_another_shape_is_refused_quickly(content: bytes, reason: str) -> None:
    started = time.process_time()
    with pytest.raises(ValueError, match=reason) as caught:
        read_yaml(content, list)
    assert "\n" not in str(caught.value)
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[" * 100_000, "not JSON"),
        (b'{"a":' * 100_000, "not JSON"),
        (b"[]", "found list"),
        (b"NaN", "found float"),
        (b"", "."),
        (b'{"a": ' + b"9" * 5000 + b"}", "."),
        (b"{" + b" " * 2**20 + b"}", "at most"),
    ],
)
def test_json_of_another_shape_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_json(content, dict)


EXPECTED = {"label": ("iu", 1), "probability": ("f", 2)}


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)
    return file.getvalue()


def members(**contents: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(f"{name}.npy", content)
    return file.getvalue()


def npy(value: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, value)
    return file.getvalue()


def test_arrays_are_read_as_they_were(tmp_path: Path) -> None:
    label, probability = (
        np.arange(5, dtype=">u2"),
        np.asfortranarray(np.random.rand(5, 10).astype(np.float32)),
    )
    path = tmp_path / "a.npz"
    path.write_bytes(npz(label=label, probability=probability, unasked=np.array([None])))
    for source in (path, path.read_bytes()):
        arrays = read_npz(source, EXPECTED, 10_000)
        assert set(arrays) == set(EXPECTED)
        assert arrays["label"].dtype == label.dtype
        np.testing.assert_array_equal(arrays["label"], label)
        np.testing.assert_array_equal(arrays["probability"], probability)
    scalar, empty = np.array(3.5), np.zeros((0, 4))
    read = read_npz(npz(a=scalar, b=empty), {"a": ("f", 0), "b": ("f", None)}, 100_000)
    assert read["a"] == 3.5
    assert read["b"].shape == (0, 4)


LABEL, PROBABILITY = np.zeros(3, np.int64), np.zeros((3, 10))
HEADER = b"\x93NUMPY\x01\x00\x76\x00"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (npz(label=np.zeros(10**7, np.int64), probability=PROBABILITY), "at most 100,000 bytes"),
        (npz(label=LABEL.astype(object), probability=PROBABILITY), "kind iu"),
        (npz(label=LABEL.astype(float), probability=PROBABILITY), "kind iu"),
        (npz(label=np.zeros(3, [("x", "i4")]), probability=PROBABILITY), "kind iu"),
        (npz(label=LABEL, probability=PROBABILITY[0]), "2 dimensions"),
        (npz(label=LABEL), "an array probability, found none"),
        (members(label=npy(LABEL)[:-1], probability=npy(PROBABILITY)), "24 bytes"),
        (members(label=npy(LABEL) + b"x", probability=npy(PROBABILITY)), "24 bytes"),
        (members(label=npy(LABEL).replace(b"(3,)", b"(9**9,)"), probability=npy(PROBABILITY)), "."),
        (
            members(
                label=HEADER
                + b"{'descr': '<i8', 'fortran_order': False, 'shape': (9999999999999,)}".ljust(117)
                + b"\n",
                probability=npy(PROBABILITY),
            ),
            "bytes",
        ),
        (members(label=HEADER + (b"[" * 117) + b"\n", probability=npy(PROBABILITY)), "."),
        (members(label=b"no array", probability=npy(PROBABILITY)), "."),
        (npy(LABEL), "npz"),
        (b"", "npz"),
        (b"PK\x05\x06" + bytes(18), "label"),
        (npz(label=LABEL, probability=PROBABILITY)[:-30], "npz"),
    ],
)
def test_arrays_of_another_shape_are_refused(content: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        read_npz(content, EXPECTED, 100_000)
    assert "\n" not in str(caught.value)


@given(st.data())
def test_a_damaged_npz_is_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(npz(label=LABEL, probability=PROBABILITY))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with_error = None
    try:
        read_npz(bytes(content), EXPECTED, 100_000)
    except ValueError as error:
        with_error = str(error)
    assert with_error is None or "\n" not in with_error


def test_gzip_is_unpacked_within_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"0123456789"))
    assert gunzip(path, 10) == b"0123456789"
    with pytest.raises(ValueError, match="at most 9 bytes"):
        gunzip(path, 9)
    path.write_bytes(gzip.compress(bytes(2**30 // 4), 9))
    with pytest.raises(ValueError, match="found more"):
        gunzip(path, 1000)
    for content in (
        b"plain",
        b"",
        gzip.compress(b"0123456789" * 99)[:-9],
        gzip.compress(b"x") + b"garbage",
    ):
        path.write_bytes(content)
        if content:
            with pytest.raises(ValueError, match="not a gzip file"):
                gunzip(path, 10_000)
    with pytest.raises(OSError, match="No such file"):
        gunzip(tmp_path / "none.gz", 10)


def test_a_text_file_is_bounded() -> None:
    assert foreign_files.MAX_TEXT_BYTES == 2**20
