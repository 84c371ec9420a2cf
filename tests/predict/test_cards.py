"""What the drawing page says of a run, as far as the run has recorded it."""

import pytest

from mnist_exp.config.identity import flatten
from mnist_exp.config.tree import compose
from mnist_exp.predict.cards import card, settings_in_words
from mnist_exp.predict.trained_models import TrainedModel
from mnist_exp.tracking.params import encode


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ("", "CNN, 3x3 kernels, 32 and 64 filters; adam at 0.001; 15 epochs"),
        (
            "experiment=notebook_cnn5x5",
            (
                "CNN, 5x5 kernels, 32 and 64 filters, dense layer of 1024, dropout 0.5; "
                "adam at 0.0001; 20,000 steps"
            ),
        ),
        (
            "experiment=notebook_softmax_buggy",
            "softmax regression, with the loss that ignores the labels; sgd at 0.01; 1,000 steps",
        ),
        (
            "model=mlp model.hidden_units=[256,128,64] data.train_limit=5000 schedule.epochs=1",
            "dense layers of 256, 128 and 64; adam at 0.001; 1 epoch; 5,000 images",
        ),
        (
            "data.dir=/a/fashion",
            "CNN, 3x3 kernels, 32 and 64 filters; adam at 0.001; 15 epochs; images of /a/fashion",
        ),
    ],
)
def test_settings_in_words(overrides: str, words: str) -> None:
    config = compose(overrides.split()).config
    recorded = {key: encode(value) for key, value in flatten(config.to_dict()).items()}
    assert settings_in_words(recorded) == words


def test_a_run_of_another_program_has_a_card() -> None:
    model = TrainedModel(run_id="a", run_name="b", uri="models:/c", loaded=None)
    assert card(model, {"best": "a", "latest": "x"}) == {
        "id": "a",
        "name": "b",
        "roles": ["best"],
        "settings": "",
        "accuracies": [],
    }
