"""What a run leaves: figures and predictions of its classes, and a model in the registry."""

from pathlib import Path

import numpy as np
import pytest

from mnist_exp.data import MNIST, Dataset, Split
from mnist_exp.experiment import outcome
from mnist_exp.reproduce.presets import PRESETS, QUICK
from mnist_exp.serving.registry import Entry
from mnist_exp.tracking.predictions import ARTIFACT, read
from tests.support.jobs import a_job
from tests.support.made_data import made, names, probabilities
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


class Kept:
    """A tracker that keeps the files it is given."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def log_files(self, folder: Path) -> None:
        for path in folder.rglob("*.*"):
            self.files[path.relative_to(folder).as_posix()] = path.read_bytes()


@pytest.mark.parametrize(
    ("shape", "classes", "image"),
    [((6, 9, 3), 12, "random_image"), ((28, 28, 1), 10, "random_digit")],
)
def test_figures_and_predictions_are_of_the_runs_classes(
    shape: tuple[int, int, int], classes: int, image: str
) -> None:
    form, split = made(shape, MNIST.class_names if image == "random_digit" else names(classes))
    dataset = Dataset(train=split, val=split, test=split, source="made up", form=form)
    scores, kept = probabilities(split, classes, wrong=[4]), Kept()
    outcome.log_predictions(kept, dataset, scores)  # type: ignore[arg-type]
    outcome.log_figures(kept, a_job(dataset=dataset), scores, [an_epoch()])  # type: ignore[arg-type]
    drawn = ("confusion_matrix", "learning_curves", "mistakes", image)
    assert set(kept.files) == {ARTIFACT, *(f"figures/{name}.png" for name in drawn)}
    found = read(kept.files[ARTIFACT])
    assert found is not None
    assert found.class_names == form.class_names
