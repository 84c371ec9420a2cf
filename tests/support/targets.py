"""Labels of every task, and losses that are not Keras' own, to tell tasks from."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf

_RNG = np.random.default_rng(0)
COUNT = 200
YES = _RNG.integers(0, 2, (COUNT, 1))
CLASSES = _RNG.integers(0, 10, COUNT)
ONE_HOT = np.eye(10, dtype=np.float32)[CLASSES]
SEVERAL = (_RNG.random((COUNT, 5)) < 0.3).astype(np.float32)
NUMBERS = _RNG.normal(size=(COUNT, 1)).astype(np.float32)
PRICES = (1e5 * np.exp(NUMBERS)).astype(np.float32)
RATINGS = _RNG.integers(1, 6, COUNT)
COUNTS = _RNG.poisson(3, (COUNT, 1)).astype(np.float32)
PACKED = np.concatenate([NUMBERS, np.abs(NUMBERS)], axis=1)  # a number and its weight
TAGS = _RNG.integers(0, 7, (COUNT, 12))
PADDED = np.where(np.arange(12) < 8, TAGS, -1)
PADDED_WITH_0 = np.where(np.arange(12) < 8, TAGS, 0)
MASKS = (_RNG.random((COUNT, 8, 8, 1)) < 0.3).astype(np.float32)
PICTURES = _RNG.random((COUNT, 64)).astype(np.float32)
ROWS = _RNG.normal(size=(COUNT, 6)).astype(np.float32)


def masked(labels: Any, outputs: Any) -> tf.Tensor:
    """Return the mean cross entropy of logits where the label is not 0."""
    counted = tf.cast(labels > 0, tf.float32)
    values = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, outputs)
    return tf.reduce_sum(counted * values) / tf.reduce_sum(counted)


def overlap(labels: Any, outputs: Any) -> tf.Tensor:
    """Return 1 minus the overlap of two masks (Dice)."""
    both, sizes = tf.reduce_sum(labels * outputs), tf.reduce_sum(labels) + tf.reduce_sum(outputs)
    return 1 - 2 * both / sizes


def quantile(labels: Any, outputs: Any) -> tf.Tensor:
    """Return the loss of the 90% quantile."""
    error = labels - outputs
    return tf.reduce_mean(tf.maximum(0.9 * error, -0.1 * error))


def gaussian(labels: Any, outputs: Any) -> tf.Tensor:
    """Return minus the log-likelihood of a mean and the logarithm of a variance."""
    mean, log_variance = outputs[:, :1], outputs[:, 1:]
    return tf.reduce_mean(log_variance + (labels - mean) ** 2 * tf.exp(-log_variance))


def weighted_error(labels: Any, outputs: Any) -> tf.Tensor:
    """Return the squared error of the first column, weighted by the second."""
    return tf.reduce_mean(labels[:, 1:] * (labels[:, :1] - outputs) ** 2)


def weighted_binary(labels: Any, outputs: Any) -> tf.Tensor:
    """Return a cross entropy of probabilities in which a yes counts three times."""
    labels = tf.cast(labels, tf.float32)
    yes, no = tf.math.log(outputs + 1e-7), tf.math.log(1 - outputs + 1e-7)
    return -tf.reduce_mean(3 * labels * yes + (1 - labels) * no)


def negated_squares(labels: Any, outputs: Any) -> tf.Tensor:
    """Forget the sign of the squared error."""
    return -keras.losses.mean_squared_error(labels, outputs)


def nearer(labels: Any, distances: Any) -> tf.Tensor:
    """Return a contrastive loss: a yes is a pair that belongs together, at the distance 0."""
    apart = tf.maximum(1.0 - distances, 0.0)
    yes = tf.cast(labels, tf.float32)
    return tf.reduce_mean(yes * distances**2 + (1 - yes) * apart**2)


def nearer_of_signs(labels: Any, distances: Any) -> tf.Tensor:
    """Return the same loss of labels -1 and 1."""
    return nearer((1 + tf.cast(labels, tf.float32)) / 2, distances)


def two_margins(signs: Any, distances: Any) -> tf.Tensor:
    """Return a contrastive loss that lets a pair that belongs together be up to 0.5 apart."""
    return tf.reduce_mean(tf.maximum(1 - tf.cast(signs, tf.float32) * (1.5 - distances), 0.0))


def farther(labels: Any, distances: Any) -> tf.Tensor:
    """Return a contrastive loss: a yes is a pair that does not belong together."""
    return nearer(1 - tf.cast(labels, tf.float32), distances)
