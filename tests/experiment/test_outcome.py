"""Which runs leave a model in the registry."""

import numpy as np
import pytest

from mnist_exp.data import Dataset, Split
from mnist_exp.experiment import outcome
from mnist_exp.reproduce.presets import PRESETS, QUICK
from mnist_exp.serving.registry import Entry
from tests.support.jobs import a_job
from tests.support.results import an_epoch

SPLIT = Split(np.zeros((3, 28, 28, 1), np.uint8), np.zeros(3, np.int32))
DATASET = Dataset(train=SPLIT, val=SPLIT, test=SPLIT, source="three black images")


def entry(*overrides: str) -> object:
    job = a_job(*overrides, dataset=DATASET)
    return outcome._registry_entry(job, [an_epoch()])


@pytest.mark.parametrize(
    "overrides",
    [
        ("debug=fast",),
        ("debug=limit", "tracking.experiment=mine"),
        ("data.train_limit=5000",),
        ("data.eval_limit=1000",),
        ("data.eval_on_train=true",),
        ("tracking.experiment=mnist_exp_debug",),
        *(changes for changes in QUICK.values()),
    ],
)
def test_runs_that_prove_nothing_are_not_registered(overrides: tuple[str, ...]) -> None:
    assert entry(*overrides) is None


def test_whole_runs_are_registered_with_their_program() -> None:
    for overrides in (["schedule.epochs=1"], *([f"experiment={name}"] for name in PRESETS)):
        found = entry(*overrides)
        assert isinstance(found, Entry)
        assert found.program["data.digest"] == DATASET.digest
        assert "data.dir" not in found.program
