"""A store with a bridge whose effects are known."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from benchmarks.fake_runs import FakeRuns, trial
from mnist_exp.config import bridge

EFFECTS = [0.001, 0.002, 0.0, -0.001, 0.0005, 0.0, -0.003, 0.0, 0.004]


def add(runs: FakeRuns, point: Mapping[str, object], number: int, accuracy: float) -> None:
    settings = {
        key: str(value).replace("null", "None") for key, value in point.items() if key != "seed"
    }
    settings |= {"bridge.epochs": "3.0", "data.train_limit": "None"}
    keys = " ".join(point)
    runs.add(
        int(str(point["seed"])), accuracy, settings=settings, tags=trial("bridge", number, keys)
    )


def value(point: Mapping[str, object], interaction: float = 0.0) -> float:
    """Each difference adds its effect; the first and the last together add `interaction`."""
    steps = bridge.differences(3, None)
    bridged = [point[d.key] == d.notebook for d in steps]
    seed = int(str(point["seed"]))
    total = 0.98 + seed / 1000 + (bridged[0] and bridged[-1]) * interaction
    effects = sum(e for e, is_bridged in zip(EFFECTS, bridged, strict=True) if is_bridged)
    return total + effects * (1 + seed / 10)


@pytest.fixture
def study(workdir: Path) -> FakeRuns:
    runs = FakeRuns(workdir)
    for number, point in enumerate(bridge.configurations(3, None, 3)):
        add(runs, point, number, value(point))
    return runs
