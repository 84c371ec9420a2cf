"""A user's own model is built from the run's seed, or refused in words."""

import pickle
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from mnist_exp.config.group_schemas import OwnModelConfig
from mnist_exp.config.schema import Config
from mnist_exp.data import MNIST, Form
from mnist_exp.own_code.code import Own
from mnist_exp.own_code.loading import OwnCodeError
from mnist_exp.training import own_models
from mnist_exp.training.layer_table import layer_table

Compose = Callable[..., Config]
COLOR = Form(image_shape=(8, 6, 3), class_names=("a", "b", "c", "d"))


def small(input_shape: tuple[int, ...], num_classes: int, units: int = 5) -> keras.Model:
    images = keras.Input(input_shape)
    x = layers.Dense(units)(layers.Flatten()(images))
    return keras.Model(images, layers.Dense(num_classes)(layers.Dropout(0.1)(x)))


class Subclassed(keras.Model):
    """A model that knows its inputs only once it is called."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.inner = keras.Sequential([layers.Flatten(), layers.Dense(5)])
        self.readout = layers.Dense(num_classes)
        self.scale = self.add_weight(name="scale", initializer="ones")

    def call(self, images: Any) -> Any:
        return self.readout(self.inner(images)) * self.scale


def built(settings: Compose, model: Any, form: Form = COLOR, seed: int = 0, **options: Any) -> Any:
    config = settings("model=own", "model.build=mine:build").model
    config.options = options  # type: ignore[attr-defined]
    return own_models.build(config, seed, form, Own(model=model))  # type: ignore[arg-type]


def stack(*parts: keras.layers.Layer) -> Callable[..., keras.Model]:
    return lambda shape, classes: keras.Sequential(
        [*parts, layers.Flatten(), layers.Dense(classes)]
    )


@pytest.mark.parametrize(
    "model",
    [
        small,
        lambda shape, classes: Subclassed(classes),
        stack(),
        lambda shape, classes: keras.Sequential([keras.Input(shape), stack()(shape, classes)]),
        lambda shape, classes: small((8, 6, 3), classes),
        lambda shape, classes: keras.Sequential(
            [keras.Input((None, None, 3)), layers.Conv2D(classes, 3), layers.GlobalMaxPooling2D()]
        ),
    ],
)
def test_every_form_of_a_model_becomes_one_from_images_to_logits(
    settings: Compose, model: Callable[..., keras.Model]
) -> None:
    made = built(settings, model)
    assert made.input_shape == (None, 8, 6, 3)
    assert made.output_shape == (None, 4)
    assert made(np.zeros((2, 8, 6, 3), np.float32)).shape == (2, 4)
    assert len(made.weights) == len({id(weight) for weight in made.weights}) > 0


def test_options_reach_the_function(settings: Compose) -> None:
    assert built(settings, small, units=7).layers[2].units == 7


def test_the_seed_decides_all_weights_and_leaves_the_callers_streams_alone(
    settings: Compose,
) -> None:
    class Drawn(layers.Layer):
        """Weights that are drawn in four ways."""

        def build(self, shape: Any) -> None:
            values = [random.random(), np.random.rand(), float(tf.random.normal(()))]
            values.append(float(keras.random.normal(())))
            self.kernel = self.add_weight(
                shape=(4,), initializer=lambda shape, dtype: tf.constant(values, dtype)
            )

        def call(self, x: Any) -> Any:
            return x * self.kernel[0]

    def weights(seed: int) -> list[np.ndarray]:
        def model(shape: Any, classes: int) -> keras.Model:
            return stack(Drawn(), layers.Dense(3))(shape, classes)

        return built(settings, model, seed=seed).get_weights()

    before = random.getstate(), pickle.dumps(np.random.get_state())
    first, again, other = weights(3), weights(3), weights(4)
    assert (random.getstate(), pickle.dumps(np.random.get_state())) == before
    for one, same, different in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(one, same)
        assert (one == 0).all() or not np.array_equal(one, different)


def test_an_initializer_with_a_seed_of_its_own_keeps_it(settings: Compose) -> None:
    def model(shape: Any, classes: int) -> keras.Model:
        kernel = keras.initializers.RandomNormal(seed=5)
        return keras.Sequential(
            [layers.Flatten(), layers.Dense(classes, kernel_initializer=kernel)]
        )

    one, other = (built(settings, model, seed=seed).get_weights()[0] for seed in (0, 1))
    np.testing.assert_array_equal(one, other)


def test_names_do_not_depend_on_what_was_built_before(
    settings: Compose, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "named.py").write_text(
        "import keras\n"
        "augment = keras.Sequential([keras.layers.RandomFlip()])\n"
        "def build(shape, classes):\n"
        "    layers = [augment, keras.layers.Flatten(), keras.layers.Dense(classes)]\n"
        "    return keras.Sequential([keras.Input(shape), *layers])\n"
    )
    monkeypatch.chdir(tmp_path)
    config = settings("model=own", "model.build=named:build").model
    assert isinstance(config, OwnModelConfig)
    first, second = (
        [layer.name for layer in own_models.build(config, 0, COLOR, Own()).layers] for _ in range(2)
    )
    assert first == second == ["sequential", "flatten", "dense"]


def test_a_function_may_use_a_layer_that_was_made_before(settings: Compose) -> None:
    first = layers.Dense(3)
    made = built(settings, stack(first, layers.Dense(2)))
    assert len({layer.name for layer in made.layers}) == len(made.layers)


def test_a_model_object_is_used_as_it_is(settings: Compose) -> None:
    given = small((8, 6, 3), 4)
    given.set_weights([np.full_like(weight, 0.5) for weight in given.get_weights()])
    assert built(settings, given) is given
    assert all((weight == 0.5).all() for weight in given.get_weights())


def test_models_within_a_model_are_in_the_table_of_layers(settings: Compose) -> None:
    shared = layers.Dense(6, name="shared")
    flat = layers.Flatten(name="flat")

    def model(shape: Any, classes: int) -> keras.Model:
        images = keras.Input(shape, name="images")
        block = keras.Sequential([flat, shared], name="block")
        both = layers.Add(name="add")([block(images), shared(flat(images))])
        return keras.Model(images, layers.Dense(classes, name="out")(both))

    rows = [(row.name, row.shape, row.parameters) for row in layer_table(built(settings, model))]
    assert rows == [
        ("images", (8, 6, 3), 0),
        ("flat", (144,), 0),  # the model uses it outside of the block, too
        ("block/shared", (6,), 144 * 6 + 6),
        ("add", (6,), 0),
        ("out", (4,), 6 * 4 + 4),
    ]
    made = built(settings, lambda shape, classes: Subclassed(classes))
    rows = [(row.name, row.shape, row.parameters) for row in layer_table(made)]
    names = [name.split("/")[1].rstrip("_0123456789") for name, _, _ in rows[1:-1]]
    assert names == ["sequential", "sequential", "dense"]
    assert rows[-1][1:] == ((4,), 1)
    assert sum(row[2] for row in rows) == made.count_params()


class OwnStep(keras.Model):
    """A model with a training loop of its own."""

    def train_step(self, data: Any) -> Any:
        return data


class NoReturn:
    """What a function of another library might return."""


@pytest.mark.first_cases(5)
@pytest.mark.parametrize(
    ("model", "words"),
    [
        (lambda shape, classes: None, "returned None: is its last line a return"),
        (lambda shape, classes: layers.Dense(classes), "returned the layer Dense"),
        (lambda shape, classes: Subclassed, "returned the class Subclassed: call it"),
        (lambda shape, classes: keras.Input(shape), "returned a tensor"),
        (lambda shape, classes: NoReturn(), "returned a NoReturn"),
        (lambda shape, classes: small((28, 28, 1), classes), r"\(8, 6, 3\).* takes \(28, 28, 1\)"),
        (lambda shape, classes: small((144,), classes), r"the model takes \(144,\)"),
        (lambda shape, classes: small(shape, 10), r"logits \[B, 4\].* gives \[B, 10\]"),
        (lambda shape, classes: keras.Sequential([layers.Dense(classes)]), r"gives \[B, 8, 6, 4\]"),
        (
            lambda shape, classes: keras.Model(
                i := keras.Input(shape), [layers.Dense(2)(layers.Flatten()(i))] * 2
            ),
            "expected one output, the logits; the model has 2",
        ),
        (
            lambda shape, classes: keras.Model(
                [a := keras.Input(shape, name="a"), b := keras.Input(shape, name="b")],
                layers.Dense(classes)(layers.Flatten()(a + b)),
            ),
            "expected one input, the images; the model has a, b",
        ),
        (
            lambda shape, classes: keras.Sequential(
                [keras.Input(shape, batch_size=32), stack()(shape, classes)]
            ),
            "the model takes 32 images at a time",
        ),
        (
            lambda shape, classes: keras.Sequential(
                [keras.Input(shape, dtype="uint8"), layers.Rescaling(1.0), stack()(shape, classes)]
            ),
            "the model takes uint8",
        ),
        (
            lambda shape, classes: keras.Sequential(
                [layers.Flatten(), layers.Dense(classes, dtype="mixed_float16")]
            ),
            r"the layer dense\w* computes in float16",
        ),
        (
            lambda shape, classes: keras.Sequential(
                [layers.Flatten(), layers.Dense(classes, trainable=False)]
            ),
            r"no trainable weights \(2 that are not trained\)",
        ),
        (lambda shape, classes: OwnStep(), "OwnStep has train_step, which would not be called"),
        (lambda shape: small(shape, 4), "cannot be called with"),
        (lambda shape, classes, depth: small(shape, classes), "missing a required argument"),
        (lambda shape, classes: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_what_is_no_model_for_the_data_is_refused(
    settings: Compose, model: Callable[..., Any], words: str
) -> None:
    with pytest.raises(OwnCodeError, match=words):
        built(settings, model)


def test_options_that_the_function_does_not_take(settings: Compose) -> None:
    with pytest.raises(OwnCodeError, match="unexpected keyword argument 'depth'") as error:
        built(settings, small, MNIST, depth=3)
    assert "defined as small(input_shape" in str(error.value)
    assert len(str(error.value).splitlines()) == 2
