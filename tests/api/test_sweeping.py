"""`mnist_exp.sweep`: the runs of `-m`, in this process."""

from typing import Any

import keras
import pytest

from mnist_exp import runs, sweep
from mnist_exp.errors import UserError
from tests.support.runs import TINY

TEXTS = [text for text in TINY if not text.startswith("model=")]

pytestmark = pytest.mark.usefixtures("bare_runs", "workdir")


def build(input_shape: Any, num_classes: int) -> Any:
    return keras.Sequential(
        [keras.Input(input_shape), keras.layers.Flatten(), keras.layers.Dense(num_classes)]
    )


def test_each_combination_is_a_run_in_the_order_of_the_command_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = sweep(TEXTS, model=["softmax", "mlp"], seeds=2)
    assert table["model"].tolist() == ["softmax", "softmax", "mlp", "mlp"]
    assert table["seed"].tolist() == [0, 1, 0, 1]
    assert table["tags.multirun"].nunique() == 1
    assert table["tags.multirun_job"].tolist() == ["0", "1", "2", "3"]
    assert runs().index.tolist() == table.index.tolist()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[:2] for line in lines][2] == ["run 3/4", "model=mlp seed=0"]


def test_texts_are_read_as_the_command_line_reads_them() -> None:
    table = sweep([*TEXTS, "optimizer=sgd,adam"], model="softmax", quiet=True)
    assert table["optimizer"].tolist() == ["sgd", "adam"]


def test_a_function_is_one_of_the_values() -> None:
    table = sweep(TEXTS, model=[build, "softmax"], quiet=True)
    assert table["model"].tolist() == ["own", "softmax"]
    assert table["model.build"].iloc[0].endswith(":build")


def test_a_run_that_fails_is_in_the_table_and_the_others_go_on() -> None:
    broken = {"optimizer.learning_rate": [1e30, 0.01], "loss.from_probabilities": True}
    small = dict(text.split("=") for text in TEXTS)
    table = sweep({**small, **broken}, model="softmax", optimizer="sgd", quiet=True)
    assert table["status"].tolist() == ["failed", "finished"]
    assert "the cost became" in table["tags.failure_reason"].iloc[0]


def flawed(input_shape: Any, num_classes: int, *, width: int) -> Any:
    if width == 2:
        raise ValueError("two is no width")
    return build(input_shape, num_classes)


@pytest.mark.slow
def test_a_run_that_cannot_begin_is_told_and_the_others_go_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = sweep(TEXTS, model=flawed, **{"+model.options.width": [1, 2, 3]}, quiet=True)
    assert table["status"].tolist() == ["finished", "finished"]
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("run 2/3  +model.options.width=2  ")
    assert "two is no width" in line
    with pytest.raises(UserError, match="two is no width"):
        sweep(TEXTS, model=flawed, **{"+model.options.width": [2, 2]}, quiet=True)


def test_a_keras_model_is_trained_by_one_run_alone() -> None:
    """It is trained in place: a second run would go on where the first one ended."""
    model = build((28, 28, 1), 10)
    assert len(sweep(TEXTS, model=model, seeds=1, quiet=True)) == 1
    for settings in ({"model": model, "seeds": 2}, {"model": [model, "softmax"], "seeds": 2}):
        with pytest.raises(UserError, match="^sweep: model: a Keras model is trained in place"):
            sweep(TEXTS, **settings)
    assert len(runs()) == 1


@pytest.mark.slow  # its trials are other processes
def test_a_study_is_run_and_its_trials_are_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    small = {"data.train_limit": 100, "data.eval_limit": 50, "schedule.max_steps": 2}
    one_seed = {"hydra.sweeper.params.seed": "range(1)", "preflight": "off"}
    table = sweep({**small, **one_seed, "sweeps": "variants"})
    assert len(table) == 4
    assert table["status"].tolist() == ["finished"] * 4
    assert table["tags.study_name"].str.startswith("variants ").all()
    assert "To compare the trials: " in capsys.readouterr().out
    with pytest.raises(UserError, match="^sweep: seed: a study of sweeps= takes settings with one"):
        sweep(sweeps="variants", seeds=2)
    with pytest.raises(UserError, match="^sweeps=variant: no such option; did you mean"):
        sweep(sweeps="variant")


@pytest.mark.parametrize(
    ("overrides", "settings", "said"),
    [
        ({"model": ["softmax", "cnn9"]}, {}, "model=cnn9: no such option; did you mean"),
        ({"model": []}, {}, "sweep: model has no value; expected one or more"),
        ({}, {"seed": 1, "seeds": 2}, "sweep: seed= and seeds= were given; expected one of them"),
        ({}, {"seeds": 1.5}, "sweep: seeds: expected how many, such as 5, or a list, found 1.5"),
        ({}, {"seeds": ["x"]}, "seed=x: expected a whole number"),
        ("model=mlp", {}, "run: expected a list of texts"),
    ],
)
def test_a_mistake_is_refused_before_the_first_run(
    overrides: Any, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError) as caught:
        sweep(overrides, **settings)
    assert str(caught.value).startswith(said)
    with pytest.raises(UserError, match="there are no runs"):
        runs()
