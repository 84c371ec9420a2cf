"""Which tutorial a config is, and what its preset holds."""

import pytest

from mnist_exp.config import presets
from mnist_exp.config.group_schemas import EntropyConfig
from mnist_exp.config.schema import Config
from mnist_exp.config.tree import compose


def test_defaults_are_the_blogs_run() -> None:
    assert compose([]).config.hash() == compose(["experiment=blog_cnn3x3"]).config.hash()
    preset = presets.find_preset(compose(["model=cnn3x3", "optimizer=adam", "seed=4"]).config)
    assert preset is not None
    assert preset.variant == "blog_cnn3x3"


def test_changed_settings_are_no_preset() -> None:
    assert presets.find_preset(compose(["optimizer.learning_rate=0.002"]).config) is None


def test_only_presets_that_may_be_it_are_composed(monkeypatch: pytest.MonkeyPatch) -> None:
    composed, preset = list[str](), presets._preset

    def watched(name: str) -> Config:
        composed.append(name)
        return preset(name)

    monkeypatch.setattr(presets, "_preset", watched)
    buggy = compose(["experiment=notebook_softmax_buggy", "seed=3"]).config
    found = presets.find_preset(buggy)
    assert found is not None
    assert found.hash() == buggy.hash()
    # The files of these two have the same numbers.
    assert composed == ["notebook_softmax", "notebook_softmax_buggy"]
    assert not presets._differs(
        {"seed": 1, "schedule": None}, {"seed": "${threads}", "schedule": {"epochs": 2}}
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "notebook_softmax_buggy",
            ("softmax", "zeros", "self_entropy", "sum", "sgd", 0.01, None, 1000, 50),
        ),
        (
            "notebook_softmax",
            ("softmax", "zeros", "cross_entropy", "sum", "sgd", 0.01, None, 1000, 50),
        ),
        (
            "notebook_cnn5x5",
            ("convnet", "truncated_normal", "cross_entropy", "sum", "adam", 1e-4, None, 20_000, 50),
        ),
        (
            "blog_cnn3x3",
            ("convnet", "normal", "cross_entropy", "mean", "adam", 1e-3, 15, None, 100),
        ),
    ],
)
def test_presets_are_the_tutorials(name: str, expected: tuple) -> None:
    c = compose([f"experiment={name}"]).config
    found = (
        c.model.kind,
        c.init.conv_kernel.distribution,
        c.loss.kind,
        c.loss.reduction,
        c.optimizer.kind,
        c.optimizer.learning_rate,
        c.schedule.epochs,
        c.schedule.max_steps,
        c.schedule.batch_size,
    )
    assert found == expected
    assert c.variant == name
    assert c.reference is not None
    assert c.reference.test_accuracy is not None


def test_the_buggy_preset_has_the_notebooks_own_expression() -> None:
    loss = compose(["experiment=notebook_softmax_buggy"]).config.loss
    assert loss == EntropyConfig(kind="self_entropy", reduction="sum", from_probabilities=True)


def test_reference_numbers() -> None:
    blog = compose(["experiment=blog_cnn3x3"]).config.reference
    notebook = compose(["experiment=notebook_cnn5x5"]).config.reference
    assert blog is not None
    assert notebook is not None
    assert (len(blog.cost), blog.cost_of(1), blog.cost_of(15), blog.cost_of(16)) == (
        15,
        0.342477704,
        0.014680203,
        None,
    )
    assert (len(notebook.batch_accuracy), notebook.batch_accuracy[:4]) == (
        30,
        [0.1, 0.8, 0.92, 0.88],
    )
