"""Models, losses and data of a user's own, as small as they can be and yet hold everything."""

from dataclasses import replace
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from mnist_exp.config.schema import Config
from mnist_exp.config.tree import compose
from mnist_exp.data import Dataset, Form, Split
from mnist_exp.own_code.code import Own
from mnist_exp.training.program import Program, build_program

FORM = Form(image_shape=(8, 10, 1), class_names=("a", "b", "c"))
NUM_TRAIN = 50


def dataset() -> Dataset:
    """Return three classes of noise, each with a bright third of the image."""

    def split(count: int, seed: int) -> Split:
        generator = np.random.default_rng(seed)
        labels = generator.integers(0, 3, count).astype(np.int32)
        images = generator.integers(0, 120, (count, 8, 10, 1)).astype(np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[:, 3 * label : 3 * label + 3] += 100
        return Split(images, labels)

    return Dataset(
        train=split(NUM_TRAIN, 0), val=split(20, 1), test=split(20, 2), source="made", form=FORM
    )


class Block(layers.Layer):
    """Batch normalisation, a penalty of its own, and two draws a step from its own stream."""

    def __init__(self, filters: int) -> None:
        super().__init__()
        self.conv = layers.Conv2D(filters, 3, padding="same", kernel_regularizer="l2")
        self.norm = layers.BatchNormalization(momentum=0.8)
        self.seed_generator = keras.random.SeedGenerator(1)

    def call(self, x: Any, training: bool = False) -> Any:
        x = ops.relu(self.norm(self.conv(x), training=training))
        if training:
            for _ in range(2):
                x = x * keras.random.uniform((), 0.9, 1.1, seed=self.seed_generator)
        self.add_loss(1e-3 * ops.mean(x**2))
        return x


class Noise(layers.Layer):
    """Noise from the default stream of Keras, and weights of the layer's own."""

    def build(self, shape: Any) -> None:
        self.scale = self.add_weight(shape=(shape[-1],), initializer="uniform")

    def call(self, x: Any, training: bool = False) -> Any:
        noise = keras.random.normal(ops.shape(x)) if training else 0.0
        return x + 0.1 * noise + self.scale


def everything(input_shape: tuple[int, ...], num_classes: int) -> keras.Model:
    """Return a model with all that training must keep: state, draws, penalties, constraints."""
    images = keras.Input(input_shape)
    augment = keras.Sequential(
        [layers.RandomFlip("horizontal"), layers.RandomTranslation(0.1, 0.1)]
    )
    x = Block(3)(Noise()(augment(images)))
    x = layers.SpatialDropout2D(0.1)(layers.MaxPooling2D(2)(x))
    x = layers.Dropout(0.1)(layers.GaussianNoise(0.1)(layers.Flatten()(x)))
    logits = layers.Dense(
        num_classes, kernel_constraint="max_norm", activity_regularizer=keras.regularizers.L2(1e-3)
    )(layers.Dropout(0.1)(x))
    return keras.Model(images, logits)


def plain(input_shape: tuple[int, ...], num_classes: int) -> keras.Model:
    """Return a model without any of that."""
    return keras.Sequential([keras.Input(input_shape), layers.Flatten(), layers.Dense(num_classes)])


def config(*overrides: str) -> Config:
    """Return the config of an own model that trains two epochs with a smaller last batch."""
    own = ["model=own", "model.build=mine:build", "schedule.epochs=2", "schedule.batch_size=15"]
    return compose([*own, *overrides]).config


def program(model: Any, *overrides: str, loss: Any = None, **changes: Any) -> Program:
    """Return the program of an own model on the data above."""
    changed = replace(config(*overrides), **changes)
    return build_program(changed, NUM_TRAIN, FORM, Own(model=model, loss=loss))


def state_of(program: Program) -> list[np.ndarray]:
    """Return all that training changes."""
    return [v.numpy() for v in (*program.model.weights, *program.optimizer.variables)]
