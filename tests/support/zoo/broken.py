"""Broken programs: by the code that is expected, mistakes by name, each in some architectures."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from tests.support.zoo.losses import clipped_log, mean, self_entropy
from tests.support.zoo.models import AlwaysTraining, CallLayer, before
from tests.support.zoo.optimizers import AscendingSGD, ForgetfulSGD, adam, sgd
from tests.support.zoo.programs import (
    CNN,
    HIDDEN,
    MLP,
    SOFTMAX,
    Entry,
    Recipe,
    extra,
    head,
    init,
    sample,
    with_classes,
    with_images,
    with_labels,
)

from . import losses, models

keras_loss = keras.losses.SparseCategoricalCrossentropy


def _dropout_on() -> layers.Layer:
    return AlwaysTraining(layers.Dropout(0.5, seed=1))


def _mixed_reshape(logits: tf.Tensor) -> tf.Tensor:
    return tf.reshape(tf.transpose(logits), [-1, 10])


def _mean_colour(images: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(images, axis=[1, 2], keepdims=True) * tf.ones(models.IMAGE)


MISTAKES: dict[str, dict[str, Recipe]] = {
    "LOSS_IGNORES_LABELS": {
        **{
            f"notebook_bug_{start}": Recipe(
                on=SOFTMAX,
                model=head(layers.Softmax, init=start),
                loss=losses.buggy_from_probabilities,
                optimizer=lambda: sgd(0.01),
            )
            for start in ("zeros", "notebook", "glorot", "blog")
        },
        "self_entropy_zeros": Recipe(
            on=SOFTMAX, model=init("zeros"), loss=self_entropy, optimizer=sgd
        ),
        "self_entropy": Recipe(loss=self_entropy),
        "notebook_bug": Recipe(on=("cnn3x3",), model=init("blog"), loss=self_entropy),
        "notebook_bug_probabilities": Recipe(
            on=CNN,
            model=head(layers.Softmax, init="notebook"),
            loss=losses.buggy_from_probabilities,
            optimizer=lambda: adam(1e-4),
        ),
        "labels_broadcast": Recipe(loss=losses.all_pairs),
        "own_prediction_as_label": Recipe(loss=lambda y, z: mean(tf.argmax(z, axis=1), z)),
    },
    "INITIAL_LOSS_UNEXPECTED": {
        "mean_over_classes": Recipe(loss=lambda y, z: mean(y, z) / 10),
        "log2": Recipe(loss=lambda y, z: mean(y, z) / np.log(2)),
        "averaged_twice": Recipe(
            loss=lambda y, z: mean(y, z) / tf.cast(tf.shape(z)[0], tf.float32)
        ),
        "large_init": Recipe(on=CNN, model=init("large", dense=100)),
        "large_init_wide": Recipe(
            on=MLP,
            model=lambda make, s: make("large", s, units=500, extra=[models.large_hidden(s)]),
        ),
    },
    "LOSS_NOT_MINIMISED": {
        "flipped_sign": Recipe(loss=lambda y, z: -mean(y, z)),
        "flipped_sign_probabilities": Recipe(
            model=head(layers.Softmax), loss=losses.flipped_from_probabilities
        ),
        "shifted_labels": Recipe(loss=lambda y, z: mean((y + 1) % 10, z)),
        "shuffled_in_loss": Recipe(loss=lambda y, z: mean(tf.random.shuffle(y), z)),
        "ascent": Recipe(optimizer=lambda: AscendingSGD(0.01)),
    },
    "GRADIENT_ZERO": {
        "zeros": Recipe(on=("mlp", "cnn", "cnn3x3"), model=init("zeros")),
        "zeros_sgd": Recipe(on=CNN, model=init("zeros", dense=50), optimizer=sgd),
        "dead_hidden": Recipe(on=HIDDEN, model=init("dead")),
        "accuracy_as_loss": Recipe(loss=losses.inaccuracy),
        "clipped_away": Recipe(loss=lambda y, z: mean(y, tf.clip_by_value(z, 1e5, 1e6))),
    },
    "GRADIENT_NON_FINITE": {
        "log_of_zero": Recipe(
            model=head(lambda: models.scaled(100), layers.Softmax, init="large"),
            loss=losses.from_probabilities,
        ),
        "sqrt_at_zero": Recipe(loss=lambda y, z: mean(y, z) + tf.reduce_sum(tf.sqrt(z - z))),
        "nan_weight": Recipe(
            model=head(lambda: CallLayer(lambda x: x + tf.constant([np.nan] + 9 * [0.0])))
        ),
        "naive_softmax": Recipe(
            model=head(lambda: models.scaled(30), init="large"), loss=losses.naive_softmax
        ),
    },
    "VARIABLE_NOT_TRAINED": {
        "optimizer_skips": Recipe(optimizer=lambda: ForgetfulSGD(0.1)),
        "rate_zero": Recipe(optimizer=lambda: sgd(0.0)),
        "stop_gradient": Recipe(on=HIDDEN, model=extra(lambda: CallLayer(tf.stop_gradient))),
        "not_listed": Recipe(on=MLP, model=lambda _, s: models.plain_mlp(s, forgotten=2)),
        "hidden_in_list": Recipe(on=MLP, model=lambda _, s: models.Untracked(s)),
        "frozen": Recipe(on=CNN, model=lambda make, s: models.frozen(make("glorot", s))),
    },
    "EXAMPLES_LEAK": {
        "loss_softmax_over_batch": Recipe(loss=losses.softmax_over_batch),
        "model_softmax_over_batch": Recipe(
            model=head(lambda: CallLayer(lambda x: tf.nn.softmax(x, axis=0))), loss=clipped_log
        ),
        "centred_over_batch": Recipe(
            model=head(lambda: CallLayer(lambda x: x - tf.reduce_mean(x, axis=0)))
        ),
        "loss_summed_over_batch": Recipe(loss=losses.summed_over_batch),
        "reshaped_across_examples": Recipe(model=head(lambda: CallLayer(_mixed_reshape))),
    },
    "OUTPUT_ALREADY_PROBABILITIES": {
        "softmax_twice": Recipe(model=head(layers.Softmax)),
        "softmax_twice_keras": Recipe(
            model=head(layers.Softmax), loss=keras_loss(from_logits=True)
        ),
        "softmax_twice_zeros": Recipe(
            model=head(layers.Softmax, init="blog"), loss=losses.per_example
        ),
        "sigmoid_then_softmax": Recipe(model=head(lambda: layers.Activation("sigmoid"))),
    },
    "OUTPUT_NOT_PROBABILITIES": {
        "log_of_logits": Recipe(loss=clipped_log),
        "keras_without_from_logits": Recipe(loss=keras_loss()),
        "log_of_sigmoid": Recipe(
            model=head(lambda: layers.Activation("sigmoid")), loss=clipped_log
        ),
        "nll_of_logits": Recipe(loss=losses.negative_log_likelihood),
    },
    "INPUT_SCALE": {
        "uint8": Recipe(data=with_images(lambda images: (images * 255).astype(np.uint8))),
        "float_to_255": Recipe(data=with_images(lambda images: images * 255)),
        "divided_twice": Recipe(data=with_images(lambda images: images / 255)),
        "rescaled_twice": Recipe(
            on=CNN, model=lambda make, s: before(layers.Rescaling(1 / 255), make("glorot", s))
        ),
    },
    "INPUT_IGNORED": {
        "constant_images": Recipe(
            data=with_images(lambda images: images.astype(np.uint8) // 255 * 0)
        ),
        "times_zero": Recipe(
            on=MLP,
            model=lambda _, s: models.plain_mlp(
                s, lambda x, *v: tf.nn.relu(models.flat(x * 0) @ v[0] + 0.1) @ v[2]
            ),
        ),
        "zeroed": Recipe(
            on=SOFTMAX, model=lambda make, s: before(tf.zeros_like, make("glorot", s))
        ),
        "integer_division": Recipe(
            on=CNN, model=lambda make, s: before(lambda x: x // 1.01, make("notebook", s))
        ),
        "pooled_over_everything": Recipe(
            on=CNN, model=lambda make, s: before(lambda x: 0 * x + x[:1], make("notebook", s))
        ),
    },
    "LABELS_UNRELATED": {
        "shuffled": Recipe(
            data=lambda s: (sample(s)[0], np.random.default_rng(s).permutation(sample(s)[1]))
        ),
        "off_by_one_row": Recipe(data=with_labels(lambda labels: np.roll(labels, 1))),
    },
    "CLASS_IMBALANCE": {
        "one_class": Recipe(
            on=SOFTMAX, model=init("zeros"), data=with_classes(lambda labels: labels == 0)
        ),
        "half_the_classes": Recipe(on=MLP, data=with_classes(lambda labels: labels < 5)),
        "mostly_ones": Recipe(
            on=CNN,
            data=with_classes(lambda labels: (labels == 1) | (np.arange(len(labels)) % 10 == 0)),
        ),
    },
    "SYMMETRIC_INIT": {
        "constant": Recipe(on=HIDDEN, model=init("constant")),
        "constant_dropout": Recipe(on=CNN, model=init("constant", dense=50, dropout=0.5)),
        "zeros_tanh": Recipe(on=MLP, model=init("zeros", activation="tanh")),
    },
    "DEAD_UNITS": {
        "negative_bias": Recipe(on=HIDDEN, model=init("dead")),
        "relu_after_minus": Recipe(
            on=HIDDEN, model=extra(lambda: CallLayer(lambda x: tf.nn.relu(-x)))
        ),
    },
    "SATURATED_ACTIVATIONS": {
        "large_tanh": Recipe(on=MLP, model=init("large", activation="tanh")),
        "large_tanh_dense": Recipe(on=CNN, model=init("large", activation="tanh", dense=50)),
        "sigmoid_of_255": Recipe(
            on=MLP,
            model=init("glorot", activation="sigmoid"),
            data=with_images(lambda images: images * 255),
        ),
    },
    "CANNOT_OVERFIT": {
        "one_hidden_unit": Recipe(on=MLP, model=init("glorot", units=1)),
        "relu_on_logits": Recipe(
            model=head(lambda: layers.Activation("relu")), optimizer=lambda: adam(1e-2)
        ),
        "one_pixel": Recipe(
            on=SOFTMAX,
            model=lambda make, s: before(
                lambda x: x[:, 14:15, 14:15] * tf.ones(models.IMAGE), make("glorot", s)
            ),
        ),
        "mean_colour": Recipe(
            on=CNN, model=lambda make, s: before(_mean_colour, make("glorot", s))
        ),
    },
    "LEARNING_RATE_TOO_HIGH": {
        "adam_1": Recipe(optimizer=lambda: adam(1.0)),
        "sgd_10": Recipe(optimizer=lambda: sgd(10.0)),
        "sgd_100": Recipe(optimizer=lambda: sgd(100.0)),
        "sgd_summed_1": Recipe(loss=losses.total, optimizer=lambda: sgd(1.0)),
    },
    "LEARNING_RATE_TOO_LOW": {
        "adam_1e-8": Recipe(optimizer=lambda: adam(1e-8)),
        "sgd_1e-6": Recipe(optimizer=lambda: sgd(1e-6)),
    },
    "TRAIN_EVAL_MISMATCH": {
        "dropout_on": Recipe(on=HIDDEN, model=extra(_dropout_on)),
        "dropout_function": Recipe(
            on=MLP,
            model=lambda _, s: models.plain_mlp(
                s,
                lambda x, *v: (
                    tf.nn.dropout(tf.nn.relu(models.flat(x) @ v[0] + v[1]), 0.5) @ v[2] + v[3]
                ),
            ),
        ),
        "batch_norm_on": Recipe(
            on=HIDDEN, model=extra(lambda: AlwaysTraining(layers.BatchNormalization()))
        ),
        "input_dropout_on": Recipe(
            on=SOFTMAX, model=lambda make, s: before(_dropout_on(), make("glorot", s))
        ),
    },
    "LABELS_OUT_OF_RANGE": {
        "from_one": Recipe(data=with_labels(lambda labels: labels + 1)),
        "hundred": Recipe(data=with_labels(lambda labels: labels * 11)),
    },
}


def broken() -> list[Entry]:
    """Return the broken programs, named after the mistake and the architecture."""
    return [
        recipe.entry(architecture, f"{name}-{architecture}", code)
        for code, mistakes in MISTAKES.items()
        for name, recipe in mistakes.items()
        for architecture in recipe.on
    ]
