"""A network of the user's own is served from its packed source, wherever its file is by then."""

import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from mnist_exp import data
from mnist_exp.own_code.code import OwnCode
from mnist_exp.own_code.names import parse
from mnist_exp.serving import contents, own_source
from mnist_exp.serving.model import ServedModel
from mnist_exp.serving.network import outputs
from mnist_exp.serving.requirements import requirements

FORM = data.Form(image_shape=(6, 5, 3), class_names=("cat", "dog", "fox"))
LAYERS = b"""
import keras

class Scaled(keras.layers.Layer):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def build(self, shape):
        self.shift = self.add_weight(shape=(shape[-1],), initializer="random_normal")

    def call(self, x):
        from my_numbers import ONE  # an import that waits until the layer is used

        return ONE * self.factor * x + self.shift
"""
MODELS = b"""
import keras
from keras import layers

import my_layers

def net(input_shape, num_classes, width=4):
    images = keras.Input(input_shape)
    x = layers.RandomFlip()(images)
    x = layers.Conv2D(width, 3, kernel_regularizer="l2")(x)
    x = layers.BatchNormalization()(x)
    x = layers.Flatten()(my_layers.Scaled(FACTOR)(x))
    x = layers.Dropout(0.5)(x)
    return keras.Model(images, layers.Dense(num_classes)(x))

FACTOR = 2
"""
SOURCES = {"my_models.py": MODELS, "my_layers.py": LAYERS, "my_numbers.py": b"ONE = 1.0\n"}


@pytest.fixture
def dataset() -> data.Dataset:
    random = np.random.default_rng(0)

    def split(count: int) -> data.Split:
        images = random.integers(0, 256, size=(count, *FORM.image_shape)).astype(np.uint8)
        return data.Split(images, (np.arange(count) % 3).astype(np.int32))

    return data.Dataset(train=split(30), val=split(9), test=split(6), source="made here", form=FORM)


Written = Callable[[str, dict[str, bytes]], tuple[Path, keras.Model]]


@pytest.fixture
def written(tmp_path: Path, dataset: data.Dataset) -> Written:
    """Build a network of this source and write what is logged of it."""

    def write(name: str, sources: dict[str, bytes]) -> tuple[Path, keras.Model]:
        code = OwnCode(sources=sources, folder=str(tmp_path))
        module, _, function = name.partition(":")
        network = getattr(code.modules.import_module(module), function)((6, 5, 3), 3, width=2)
        network(np.ones((8, 6, 5, 3), np.float32), training=True)  # BatchNorm has moved
        folder = tmp_path / f"model{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        contents.write(
            folder, network, dataset, (parse("model.build", name, {"width": 2}), sources)
        )
        return folder, network

    return write


def test_the_answers_are_those_of_the_trained_network_to_the_last_bit(
    written: Written, dataset: data.Dataset
) -> None:
    folder, network = written("my_models:net", SOURCES)
    images = dataset.test.images.astype(np.float32) / 255
    expected = np.asarray(network(images, training=False))
    served = ServedModel(folder)
    for _ in range(2):  # nothing random is left in it, and nothing moves
        _, logits = served._compute(images)
        assert (np.asarray(logits) == expected).all()
    answer = served.predict(dataset.test.images)
    assert list(answer) == ["label", "name", "probabilities", "confidence", "sure"]
    assert answer["label"].tolist() == expected.argmax(axis=1).tolist()
    assert answer["name"].tolist() == [FORM.class_names[i] for i in answer["label"]]
    assert not {"my_models", "my_layers", "my_numbers"} & set(sys.modules)


def test_two_versions_of_a_module_are_served_side_by_side(
    written: Written, dataset: data.Dataset
) -> None:
    images, served = dataset.test.images.astype(np.float32) / 255, []
    for factor in (b"2", b"-3"):
        sources = SOURCES | {"my_models.py": MODELS.replace(b"FACTOR = 2", b"FACTOR = " + factor)}
        folder, network = written("my_models:net", sources)
        served.append((ServedModel(folder), np.asarray(network(images, training=False))))
    for model, expected in served:
        assert (np.asarray(model._compute(images)[1]) == expected).all()


def test_modules_in_folders_import_each_other(written: Written, dataset: data.Dataset) -> None:
    sources = {
        "nets/__init__.py": b"from .small import net\n",
        "nets/small.py": b"from . import parts\nfrom my_numbers import ONE\n\n"
        b"def net(shape, classes, width):\n    return parts.make(shape, classes, width)\n",
        "nets/parts.py": b"import keras\n\ndef make(shape, classes, width):\n"
        b"    return keras.Sequential([keras.Input(shape), keras.layers.Flatten(),\n"
        b"        keras.layers.Dense(width), keras.layers.Dense(classes)])\n",
        "my_numbers.py": b"ONE = 1\n",
    }
    folder, network = written("nets:net", sources)
    images = dataset.test.images.astype(np.float32) / 255
    expected = np.asarray(network(images, training=False))
    assert (np.asarray(ServedModel(folder)._compute(images)[1]) == expected).all()


SUBCLASS = b"""
import keras

class Net(keras.Model):
    def __init__(self, classes):
        super().__init__()
        self.flatten, self.dense = keras.layers.Flatten(), keras.layers.Dense(classes)

    def call(self, images):
        return self.dense(self.flatten(images))

def net(input_shape, num_classes, width):
    return Net(num_classes)
"""


def test_a_network_that_computes_in_its_own_method(written: Written, dataset: data.Dataset) -> None:
    folder, network = written("my_models:net", {"my_models.py": SUBCLASS})
    images = dataset.test.images.astype(np.float32) / 255
    served = ServedModel(folder)
    features, logits = served._compute(images)
    assert (np.asarray(logits) == np.asarray(network(images, training=False))).all()
    assert (np.asarray(features) == np.asarray(logits)).all()  # what the rule takes then
    assert served.predict(dataset.test.images)["confidence"].between(0, 1).all()


def test_the_settings_of_the_process_that_serves_do_not_count(
    written: Written, dataset: data.Dataset
) -> None:
    folder, _ = written("my_models:net", SOURCES)
    expected = ServedModel(folder).predict(dataset.test.images)
    keras.config.set_floatx("float16")
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        answer = ServedModel(folder).predict(dataset.test.images)
        assert (keras.config.floatx(), keras.config.dtype_policy().name) == (
            "float16",
            "mixed_bfloat16",
        )
    finally:
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")
    assert answer.equals(expected)


def test_what_own_code_imports_is_required() -> None:
    sources = {
        "my_models.py": b"import scipy.stats, json\nfrom PIL import Image\nimport my_layers\n",
        "my_layers.py": b"def late():\n    import sklearn\nfrom . import other\nimport not_there\n",
    }
    names = [line.partition("==")[0] for line in requirements(sources)]
    assert names == ["tensorflow", "keras", "numpy", "pandas", "pillow", "scikit-learn", "scipy"]
    assert [line.partition("==")[0] for line in requirements({})] == names[:5]


def test_bfloat16_weights_come_back(tmp_path: Path) -> None:
    layer = keras.layers.Dense(2, dtype="bfloat16")
    layer.build((None, 3))
    own_source.save_weights(layer, tmp_path)
    with np.load(tmp_path / own_source.WEIGHTS) as file:
        again = keras.layers.Dense(2, dtype="bfloat16")
        again.build((None, 3))
        again.set_weights([file["arr_0"], file["arr_1"]])
    for one, other in zip(layer.weights, again.weights, strict=True):
        assert (np.asarray(one) == np.asarray(other)).all()


LAST = {
    "dense": (lambda x: keras.layers.Dense(3)(x), 4),
    "dense, then others without weights": (
        lambda x: keras.layers.Activation("linear")(keras.layers.Dense(3)(x)) * 2.0,
        4,
    ),
    "two ways": (lambda x: keras.layers.Dense(3)(x) + keras.layers.Dense(3)(x), 3),
    "another network": (
        lambda x: keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])(x),
        3,
    ),
    "no weights": (lambda x: x[:, :3], 3),
}


@pytest.mark.parametrize("end", LAST)
def test_features_are_what_the_last_dense_layer_is_given(end: str) -> None:
    make, width = LAST[end]
    images = keras.Input((2, 2, 1))
    network = keras.Model(images, make(keras.layers.Flatten()(images)))
    given = np.arange(8, dtype=np.float32).reshape(2, 2, 2, 1)
    features, logits = outputs(network)(given)
    assert np.asarray(features).shape == (2, width)
    assert (np.asarray(logits) == np.asarray(network(given))).all()


def test_a_sequential_that_was_made_step_by_step_has_features() -> None:
    network = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Flatten()])
    for units in (5, 3):
        network.add(keras.layers.Dense(units))
    assert np.asarray(outputs(network)(np.ones((2, 2, 2, 1)))[0]).shape == (2, 5)
