"""Every URI is compared with what SQLAlchemy and MLflow themselves make of it, on the disk."""

import os
import tempfile
from pathlib import Path

import pytest
import sqlalchemy
from hypothesis import given, settings
from hypothesis import strategies as st
from mlflow.store.db.utils import _make_parent_dirs_if_sqlite
from mlflow.utils.file_utils import local_file_uri_to_path, path_to_local_sqlite_uri

from mnist_exp.outside.uris import artifact_location, local_path, masked, sqlite_file, sqlite_uri

ODD = [
    "my runs (2)",
    "Prüfung",
    "50%",
    "a%20b",
    "a%2520b",
    "a&b",
    "it's",
    'say "x"',
    "[x]",
    "a#b",
    "why?",
    "a;b",
    "a\nb",
    "a\tb",
    "🧪",
    "a@b:c",
    "user:pw@host",
    "back\\slash",
    "file:",
    "sqlite:",
    "~",
    "$HOME",
    "a=b,c",
    "-x",
    " ",
    "\x1b[31m",
    "{a}",
    "${b}",
    "'\"",
    "\u2028",
    os.fsdecode(b"\xff\xfe"),
    os.fsdecode(b"%\xff"),
]
NAMES = st.sampled_from(ODD) | st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=40
).filter(lambda name: name not in (".", ".."))


@given(name=NAMES)
@settings(max_examples=100)
def test_a_database_in_any_folder_is_where_its_uri_says_and_nothing_beside_it(name: str) -> None:
    with tempfile.TemporaryDirectory() as base:
        folder = Path(base) / name
        folder.mkdir()
        uri = sqlite_uri(folder / "mlflow.db")
        _make_parent_dirs_if_sqlite(uri)  # as MLflow does first
        engine = sqlalchemy.create_engine(uri)
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text("CREATE TABLE t (x INTEGER)"))
        engine.dispose()
        assert [path.name for path in Path(base).iterdir()] == [name]
        assert [path.name for path in folder.iterdir()] == ["mlflow.db"]
        assert sqlite_file(uri) == folder / "mlflow.db"


@given(name=NAMES)
@settings(max_examples=200)
def test_an_artifact_location_is_the_folder_that_mlflow_writes_into(name: str) -> None:
    path = Path("/some") / name / "mlruns"
    if any("\ud800" <= letter <= "\udfff" for letter in name):
        return  # MLflow cannot store a name that is not UTF-8
    assert Path(local_file_uri_to_path(artifact_location(path))) == path
    assert local_path(artifact_location(path)) == path


@given(name=NAMES)
@settings(max_examples=200)
def test_mlflows_own_uris_are_read_as_it_means_them(name: str) -> None:
    if any("\ud800" <= letter <= "\udfff" for letter in name):
        return
    path = Path("/some") / name / "mlflow.db"
    assert sqlite_file(path_to_local_sqlite_uri(str(path))) == path
    assert local_path(path.as_uri()) == path
    plain = str(path)  # which MLflow decodes, although it has not encoded it
    assert local_path(plain) == Path(local_file_uri_to_path(plain))


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("sqlite:///mlflow.db", "mlflow.db"),
        ("sqlite:////a/b.db?timeout=3", "/a/b.db"),
        ("sqlite+pysqlite:////a/sp%20ace.db", "/a/sp ace.db"),
        ("sqlite:///file:/a/b.db?mode=ro&uri=true", "/a/b.db"),
        ("sqlite:///file:/a/b.db", "file:/a/b.db"),
        ("sqlite:///file:x?mode=memory&uri=true", None),
        ("sqlite://", None),
        ("sqlite:///:memory:", None),
        ("postgresql://host/db", None),
        ("http://host:5000", None),
        ("/a/mlflow.db", None),
    ],
)
def test_sqlite_file(uri: str, path: str | None) -> None:
    assert sqlite_file(uri) == (None if path is None else Path(path))


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("/a/b", "/a/b"),
        ("/a/sp%20ace", "/a/sp ace"),
        ("file:///a/sp%20ace", "/a/sp ace"),
        ("file://localhost/a", "/a"),
        ("file:/a", "/a"),
        ("./mlruns/1", "mlruns/1"),
        ("file://elsewhere/a", None),
        ("s3://bucket/a", None),
        ("mlflow-artifacts:/1/2", None),
        ("models:/m-1", None),
    ],
)
def test_local_path(uri: str, path: str | None) -> None:
    assert local_path(uri) == (None if path is None else Path(path))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://alice:SECRET@host:5000/x", "http://alice:***@host:5000/x"),
        ("postgresql+psycopg2://a:SEC/RET@SECRET@host/db", "postgresql+psycopg2://a:***@host/db"),
        ("mysql://a:S E:C#R?ET@host/db", "mysql://a:***@host/db"),
        ("https://ghp_SECRET@host/x", "https://***@host/x"),
        (
            "postgresql://host/db?user=a&password=SECRET&sslmode=no",
            "postgresql://host/db?user=a&password=***&sslmode=no",
        ),
        ("https://host/x?access_token=SECRET#y", "https://host/x?access_token=***#y"),
        ("mssql+pyodbc:///?odbc_connect=PWD%3DSECRET", "mssql+pyodbc:///?odbc_connect=***"),
        (
            "at 'http://a:SECRET@h', not http://b:SECRET@i: no",
            "at 'http://a:***@h', not http://b:***@i: no",
        ),
        ("one\nhttp://a:SECRET@h\ntwo", "one\nhttp://a:***@h\ntwo"),
        ("sqlite:////home/a@b:c/mlflow.db", "sqlite:////home/a@b:c/mlflow.db"),
        (
            "http://127.0.0.1:5000/#/experiments/1/runs/2",
            "http://127.0.0.1:5000/#/experiments/1/runs/2",
        ),
        ("models:/mnist@best", "models:/mnist@best"),
    ],
)
def test_a_password_is_never_shown(text: str, shown: str) -> None:
    assert masked(text) == shown
    assert masked(shown) == shown


@given(text=st.text())
def test_any_text_can_be_masked_and_stays_what_it_was_without_a_uri(text: str) -> None:
    assert masked(text) == text or "://" in text or "=" in text
