import os
import sys
from pathlib import Path

import pytest

from benchmarks.rounds import Failed, Spread, Worker, interleaved, ratio, run

ECHO = """
import json, os, sys
from benchmarks.rounds import answers
with answers() as send:
    print("noise of a library")
    send(os.environ["OMP_NUM_THREADS"])
    for line in sys.stdin:
        send([sys.argv[1], json.loads(line)])
"""


@pytest.fixture
def echo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module whose process answers with its name and the question."""
    (tmp_path / "echo.py").write_text(ECHO)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return "echo"


def test_every_worker_has_its_turn_in_every_round(echo: str) -> None:
    workers = {name: Worker(echo, [name], threads=3) for name in ("a", "b")}
    assert [worker.answer() for worker in workers.values()] == ["3", "3"]
    assert interleaved(workers, {"a": 1, "b": 2}, rounds=2) == {
        "a": [["a", 1]] * 2,
        "b": [["b", 2]] * 2,
    }
    for worker in workers.values():
        worker.stop()


def test_a_worker_that_dies_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken.py").write_text("raise ValueError('of a reason')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    worker = Worker("broken", [], threads=1)
    with pytest.raises(Failed, match="of a reason"):
        worker.answer()
    worker.stop()


def test_a_ratio_is_taken_within_a_round() -> None:
    assert ratio([2.0, 20.0, 200.0], [1.0, 10.0, 100.0]) == 2.0


def test_spread_is_median_and_quartiles() -> None:
    assert Spread.of([5.0, 1.0, 2.0, 4.0, 3.0]) == Spread(3.0, 2.0, 4.0)
    assert Spread.of([7.0]) == Spread(7.0, 7.0, 7.0)


def test_a_run_tells_time_and_memory(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import time; held = b'x' * 200_000_000; time.sleep(0.2)"]
    used = run(command, tmp_path)
    assert used.seconds >= 0.2
    assert 200 < used.peak_mb < 400


def test_a_run_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="of a reason"):
        run([sys.executable, "-c", f"raise ValueError('of a reason', {os.getpid()})"], tmp_path)
