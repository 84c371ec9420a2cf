"""Links name the port of the UI that runs on a local store, and of no other."""

from pathlib import Path

import pytest

from mnist_exp.sweeper.processes import this_process
from mnist_exp.tracking import links, ui_note

USUAL = "http://127.0.0.1:5000"


def test_the_address_while_the_ui_runs(tmp_path: Path) -> None:
    uri, other = (f"sqlite:///{tmp_path}/{name}.db" for name in ("mlflow", "other"))
    with ui_note.written(uri, 5001):
        assert links.server(uri) == "http://127.0.0.1:5001"
        assert links.run_page(uri, "1", "abc").startswith("http://127.0.0.1:5001/#/")
        assert links.server(other) == USUAL
        with ui_note.written(uri, 5002):  # a second one
            assert links.server(uri) == "http://127.0.0.1:5002"
    assert links.server(uri) == USUAL
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"5001",
        b"{us}0 5001",  # of a process that is not there
        b"{us} 0",
        b"{us} 99999",
        b"{us} port",
        b"\xff" * 2000,
    ],
)
def test_a_note_that_says_nothing(tmp_path: Path, text: bytes) -> None:
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    note = ui_note.place(uri)
    assert note is not None
    note.write_bytes(text.replace(b"{us}", this_process().encode()))
    assert links.server(uri) == USUAL
    note.unlink()
    note.mkdir()
    assert links.server(uri) == USUAL
    with ui_note.written(uri, 5001):
        assert links.server(uri) == USUAL


def test_stores_without_a_note() -> None:
    assert ui_note.place("postgresql://me@host/runs") is None
    with ui_note.written("postgresql://me@host/runs", 5001):
        assert links.server("postgresql://me@host/runs") == USUAL
    assert links.server("https://me:secret@host/mlflow/") == "https://host/mlflow"
