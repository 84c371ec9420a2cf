"""The variant of a run: which preset it is, and that all of its records name it."""

from pathlib import Path

import mlflow
import pytest
import yaml

from mnist_exp import run
from mnist_exp.compare import groups
from mnist_exp.compare.baseline import find_baseline
from mnist_exp.config import presets
from mnist_exp.config.tree import compose
from mnist_exp.experiment import outcome
from mnist_exp.tracking.runs import Selection, Store
from mnist_exp.tracking.tracker import RunTracker


def test_the_blogs_settings_are_recognised_without_naming_them() -> None:
    settings = compose(["model=cnn3x3", "optimizer=adam"])
    variant, reference, changes = presets.identify(settings, presets.find_preset(settings.config))
    assert (variant, changes) == ("blog_cnn3x3", [])
    assert reference is not None
    settings = compose(["experiment=blog_cnn3x3", "schedule.epochs=1"])
    variant, _, changes = presets.identify(settings, presets.find_preset(settings.config))
    assert (variant, changes) == ("blog_cnn3x3-1epoch", ["schedule.epochs=1"])
    settings = compose(["model=cnn3x3", "optimizer=adam", "variant=mine"])
    variant, reference, changes = presets.identify(settings, presets.find_preset(settings.config))
    assert (variant, changes) == ("mine", [])
    assert reference is not None


SPELLED_OUT = [
    "model=softmax",
    "init=zeros",
    "loss=self_entropy",
    "loss.from_probabilities=true",
    "optimizer=sgd",
    "schedule.max_steps=1000",
    "schedule.batch_size=50",
]


def test_params_tags_and_files_of_a_run_name_the_same_variant(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is no preset, one with a name, and one that spells a preset out.

    `compare` then finds the runs by that name.
    """
    monkeypatch.setattr(outcome, "log_figures", lambda *_: None)
    monkeypatch.setattr(RunTracker, "log_model", lambda *_: None)
    small = ["preflight=off", "data.train_limit=200", "data.eval_limit=100", "schedule.max_steps=3"]
    names = {}
    for overrides in (
        ["model=softmax", *small],
        ["model=mlp", "variant=1.10", *small],
        [*SPELLED_OUT, "preflight=off"],
    ):
        result = run(overrides)
        stored = mlflow.MlflowClient().get_run(result.run_id)
        folder = workdir / "mlruns" / stored.info.experiment_id / result.run_id / "artifacts"
        resolved = yaml.safe_load((folder / "config" / "resolved.yaml").read_text())
        named = {stored.data.params["variant"], stored.data.tags["variant"], resolved["variant"]}
        (names[result.run_id],) = named
        assert result.run_name == f"{names[result.run_id]}-s0"
    assert list(names.values()) == [
        "softmax-adam-3steps-200images-eval100",
        "1.10",
        "notebook_softmax_buggy",
    ]
    runs = Store().select(Selection(experiment="mnist_exp"))
    statuses = groups.statuses(runs, "test/accuracy")
    made = groups.make_groups(runs, statuses, "test/accuracy", ["variant"])
    assert [group.label for group in made] == list(names.values())
    assert [find_baseline(runs, made, f"variant={name}") for name in names.values()] == [0, 1, 2]
    assert find_baseline(runs, made, "variant=softmax-adam") == 0
