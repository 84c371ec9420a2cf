import time
from types import SimpleNamespace

import pytest

from benchmarks.stopwatch import Stopwatch


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Time that passes when a test says so."""
    fake = SimpleNamespace(now=0.0)
    monkeypatch.setattr(time, "perf_counter", lambda: fake.now)
    return fake


def test_a_second_counts_in_the_innermost_phase_alone(clock: SimpleNamespace) -> None:
    watch = Stopwatch()
    clock.now += 1
    with watch.phase("outer"):
        clock.now += 10
        with watch.phase("inner"):
            clock.now += 100
        clock.now += 1000
    assert watch.lap() == {"other": 1, "outer": 1010, "inner": 100}


def test_a_lap_starts_at_zero_even_inside_a_phase(clock: SimpleNamespace) -> None:
    watch = Stopwatch()
    with watch.phase("a"):
        clock.now += 1
        assert watch.lap() == {"other": 0, "a": 1}
        clock.now += 2
    assert watch.lap() == {"a": 2, "other": 0}


def test_a_watched_function_stays_what_it_was(clock: SimpleNamespace) -> None:
    def wait(seconds: float) -> str:
        """Its docstring."""
        clock.now += seconds
        if seconds > 5:
            raise ValueError(seconds)
        return "done"

    watch, module = Stopwatch(), SimpleNamespace(wait=wait)
    watch.watch(module, "wait", "waiting")
    assert module.wait(3) == "done"
    with pytest.raises(ValueError, match="7"):
        module.wait(seconds=7)
    assert watch.lap()["waiting"] == 10
    assert module.wait.__doc__ == "Its docstring."
