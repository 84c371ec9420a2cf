"""Losses from labels and logits, one value per example: the right one, and the notebook's bug."""

from collections.abc import Callable

import tensorflow as tf

from mnist_exp.config.group_schemas import EntropyConfig, KerasLossConfig, LossConfig, OwnLossConfig
from mnist_exp.own_code.code import NOTHING_OWN, Own
from mnist_exp.training import keras_losses, own_losses

# labels int [B], logits float32 [B, C] -> float32 [B], natural logarithms
PerExampleLoss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
# losses float32 [B] -> float32 []
Reduction = Callable[[tf.Tensor], tf.Tensor]


def build(config: LossConfig, num_classes: int = 10, own: Own = NOTHING_OWN) -> PerExampleLoss:
    """Return the loss that a config describes. Raises ConfigError for one that cannot be used."""
    match config:
        case EntropyConfig():
            return _LOSSES[config.kind, config.from_probabilities]
        case KerasLossConfig():
            return keras_losses.build(config)
        case OwnLossConfig():
            return own_losses.build(config, num_classes, own)
        case _:
            raise TypeError(f"no loss for {type(config).__name__}")


def reduction(config: LossConfig) -> Reduction:
    """Return what turns a batch's losses [B] into the scalar whose gradient is taken."""
    reductions: dict[str, Reduction] = {"mean": tf.reduce_mean, "sum": tf.reduce_sum}
    return reductions[config.reduction]


def cross_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return -log softmax(logits)[label]."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)


def self_entropy(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return -sum(y * log y) with y = softmax(logits), and leave the labels unused.

    It is the notebook's bug, which wrote y where it meant the labels.
    """
    del labels
    log_y = tf.nn.log_softmax(logits)
    return -tf.reduce_sum(tf.exp(log_y) * log_y, axis=1)


def cross_entropy_from_probabilities(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return the notebook's -sum(y_ * log y) as it is written there.

    It is NaN where a probability underflows to 0 (0 * log 0).
    """
    y = tf.nn.softmax(logits)
    one_hot = tf.one_hot(labels, y.shape[1])
    return -tf.reduce_sum(one_hot * tf.math.log(y), axis=1)


def self_entropy_from_probabilities(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return the notebook's bug -sum(y * log y) as it is written there.

    It is NaN where a probability underflows to 0.
    """
    del labels
    y = tf.nn.softmax(logits)
    return -tf.reduce_sum(y * tf.math.log(y), axis=1)


_LOSSES: dict[tuple[str, bool], PerExampleLoss] = {
    ("cross_entropy", False): cross_entropy,
    ("cross_entropy", True): cross_entropy_from_probabilities,
    ("self_entropy", False): self_entropy,
    ("self_entropy", True): self_entropy_from_probabilities,
}
