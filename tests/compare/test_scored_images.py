"""Groups that were scored on other images are not compared."""

import pytest

from benchmarks.fake_runs import FakeRuns, trial
from mnist_exp.compare import sentences, words
from mnist_exp.compare.comparison import compare
from mnist_exp.compare.groups import Counting
from mnist_exp.compare.question import Question
from mnist_exp.compare.statistics import Verdict
from mnist_exp.tracking.runs import Selection, Store

WHOLE = {
    "data.dir": "None",
    "data.eval_limit": "None",
    "data.eval_on_train": "False",
    "data.validation_size": "5000",
}


@pytest.mark.first_cases(2)
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
    found = compare(Store(), Selection(experiment="mnist_exp"), Question(baseline="model=softmax"))
    (row,) = found.others
    assert row.difference is not None
    assert (row.difference.verdict is not Verdict.NOT_COMPARED) is is_compared
    assert ("were not scored on the same images" in sentences.summary(found)) is not is_compared
    assert any("scored on other images" in line for line in found.warnings) is not is_compared


def test_single_runs_on_other_images_are_left_out_and_the_rest_is_compared(
    fake_runs: FakeRuns,
) -> None:
    """A study's short trials share the model with whole runs, and with the baseline's group."""
    for seed in range(5):
        fake_runs.add(seed, 0.9 + seed / 1000, settings=WHOLE | {"model": "cnn3x3"})
        fake_runs.add(seed, 0.8 + seed / 900, settings=WHOLE)
    for number in range(7):
        short = WHOLE | {"model": "cnn3x3", "data.eval_limit": "5000", "init": f"{number}"}
        fake_runs.add(number, 0.1, settings=short, tags=trial("search", number, "init"))
    found = compare(Store(), Selection(experiment="mnist_exp"), Question(group_by=("model",)))
    (row,) = found.others
    assert (found.baseline.group.label, row.group.label) == ("cnn3x3", "softmax")
    assert found.baseline.description.mean == pytest.approx(0.902)
    assert row.difference is not None
    assert row.difference.verdict is Verdict.WORSE
    assert (found.statuses == Counting.OTHER_IMAGES).sum() == 7
    warning = found.warnings[0]
    assert warning == (
        "7 runs of the study search with data.eval_limit=5000 left out: scored on other images "
        "than those compared, which have data.eval_limit=null. To compare them: --filter "
        "\"params.data.eval_limit = '5000'\""
    )
    listed = words.not_counted(found, 1)
    assert listed[0] == "7 runs not counted: 7 scored on other images"
    assert listed[1].endswith("scored on other images, study search")
    selection = Selection(filter="params.data.eval_limit = '5000'")
    assert len(Store().select(selection).info) == 7


def test_a_group_scored_on_other_images_as_a_whole_says_so(fake_runs: FakeRuns) -> None:
    """It has seeds in common with the baseline, which is of the images of most groups."""
    for seed in range(3):
        fake_runs.add(seed, 0.9 + seed / 1000, settings=WHOLE)
        fake_runs.add(seed, 0.8 + seed / 900, settings=WHOLE | {"model": "mlp"})
    for seed in range(6):
        limited = WHOLE | {"model": "cnn", "data.eval_limit": "5000"}
        fake_runs.add(seed, 0.1 + seed / 900, settings=limited)
    found = compare(Store(), Selection(experiment="mnist_exp"), Question(group_by=("model",)))
    assert found.baseline.group.label == "softmax"  # not the group with most seeds
    compared = {row.group.label: row.compared.is_compared for row in found.others}
    assert compared == {"mlp": True, "cnn": False}
    only = compare(
        Store(), Selection(experiment="mnist_exp"), Question(group_by=("data.eval_limit",))
    )
    assert sentences.summary(only).endswith(
        "were not scored on the same images, so they are not compared."
    )


def test_other_images_in_the_same_folder_are_other_images(fake_runs: FakeRuns) -> None:
    """The digest of the test images tells; the settings are the same, and so is the group."""
    folder = WHOLE | {"data.dir": "/mine"}
    for seed in range(3):
        fake_runs.add(seed, 0.9, settings=folder, images={"test": "a" * 32, "train": "t"})
        mlp = folder | {"model": "mlp"}
        fake_runs.add(seed, 0.8, settings=mlp, images={"test": "a" * 32, "train": "u"})
    changed = fake_runs.add(3, 0.1, settings=folder, images={"test": "b" * 32})
    found = compare(Store(), Selection(experiment="mnist_exp"))
    assert found.statuses[changed] == Counting.OTHER_IMAGES
    (row,) = found.others
    assert row.difference is not None
    assert len(row.difference.values) == 3
    assert found.warnings[0] == (
        f"1 run with dataset.digest={'b' * 32} left out: scored on other images than those "
        f"compared. To compare them: --filter \"dataset.digest = '{'b' * 32}'\""
    )
    selection = Selection(filter=f"dataset.digest = '{'b' * 32}'")
    assert list(Store().select(selection).info.index) == [changed]


def test_a_run_on_other_data_repeats_none(fake_runs: FakeRuns) -> None:
    for digest in ("a", "b", "b"):
        fake_runs.add(0, 0.9, settings=WHOLE, tags={"data.digest": digest})
    found = compare(Store(), Selection(experiment="mnist_exp"))
    assert list(found.statuses) == ["counted", "repeated by a later run", "counted"]
