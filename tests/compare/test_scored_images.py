"""Groups that were scored on other images are not compared."""

import pytest

from benchmarks.fake_runs import FakeRuns
from mnist_exp.compare.comparison import compare
from mnist_exp.compare.statistics import Verdict
from mnist_exp.compare.words import summary
from mnist_exp.tracking.runs import Selection, Store

WHOLE = {
    "data.dir": "None",
    "data.eval_limit": "None",
    "data.eval_on_train": "False",
    "data.validation_size": "5000",
}


@pytest.mark.parametrize(
    ("changes", "digest", "is_compared"),
    [
        ({}, "a", True),
        ({"data.validation_size": "10000"}, "b", True),  # the test images are the same
        ({"data.eval_limit": "1000"}, "b", False),
        ({"data.eval_on_train": "True"}, "b", False),
        ({"data.dir": "/fashion"}, "b", False),
        ({"data.dir": "/a/copy/of/mnist"}, "a", True),
    ],
)
def test_only_what_was_scored_on_the_same_images_is_compared(
    fake_runs: FakeRuns, changes: dict[str, str], digest: str, is_compared: bool
) -> None:
    for seed in range(5):
        fake_runs.add(seed, 0.9 + seed / 1000, settings=WHOLE, tags={"data.digest": "a"})
        other = WHOLE | {"model": "other"} | changes
        fake_runs.add(seed, 0.95 + seed / 900, settings=other, tags={"data.digest": digest})
    found = compare(Store(), Selection(experiment="mnist_exp"), baseline="model=softmax")
    (row,) = found.others
    assert row.difference is not None
    assert (row.difference.verdict is not Verdict.NOT_COMPARED) is is_compared
    assert ("were not scored on the same images" in summary(found)) is not is_compared
    assert any("scored on other images" in line for line in found.warnings) is not is_compared
