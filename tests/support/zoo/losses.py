"""Losses, right and wrong ones."""

from typing import Any

import tensorflow as tf


def per_example(labels: Any, logits: Any) -> tf.Tensor:
    """Return the cross entropy of each example."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)


def mean(labels: Any, logits: Any) -> tf.Tensor:
    """Return the mean cross entropy."""
    return tf.reduce_mean(per_example(labels, logits))


def total(labels: Any, logits: Any) -> tf.Tensor:
    """Return the summed cross entropy."""
    return tf.reduce_sum(per_example(labels, logits))


def one_hot_mean(labels: Any, logits: Any) -> tf.Tensor:
    """Return the mean cross entropy with one-hot labels."""
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels, logits))


def from_probabilities(labels: Any, outputs: Any) -> tf.Tensor:
    """Return the tutorial's -sum(labels * log(outputs)), summed over the batch."""
    return -tf.reduce_sum(tf.one_hot(labels, 10) * tf.math.log(outputs))


def clipped_log(labels: Any, outputs: Any) -> tf.Tensor:
    """Return the mean cross entropy of probabilities."""
    log = tf.math.log(tf.clip_by_value(outputs, 1e-10, 1.0))
    return -tf.reduce_mean(tf.reduce_sum(tf.one_hot(labels, 10) * log, axis=1))


def negative_log_likelihood(labels: Any, outputs: Any) -> tf.Tensor:
    """Return the mean of minus the output of the right class, for logarithms of probabilities."""
    return -tf.reduce_mean(tf.gather(outputs, labels, batch_dims=1))


def buggy_from_probabilities(labels: Any, outputs: Any) -> tf.Tensor:
    """Compare the prediction with itself, as the tutorial's bug does."""
    return -tf.reduce_sum(outputs * tf.math.log(outputs))


def self_entropy(labels: Any, logits: Any) -> tf.Tensor:
    """Do the same from logits, for each example."""
    log_y = tf.nn.log_softmax(logits)
    return -tf.reduce_sum(tf.exp(log_y) * log_y, axis=1)


def all_pairs(labels: Any, logits: Any) -> tf.Tensor:
    """Average over all pairs of a label and an output, as labels [B, 1] against outputs [B] do."""
    log = tf.nn.log_softmax(logits)
    return -tf.reduce_mean(tf.reduce_sum(tf.one_hot(labels, 10)[:, None] * log[None], axis=2))


def inaccuracy(labels: Any, logits: Any) -> tf.Tensor:
    """Return 1 - accuracy, which has no slope."""
    predicted = tf.argmax(logits, axis=1, output_type=tf.int32)
    right = tf.cast(tf.equal(predicted, tf.cast(labels, tf.int32)), tf.float32)
    return 1 - tf.reduce_mean(right) + 0 * tf.reduce_sum(logits)


def softmax_over_batch(labels: Any, logits: Any) -> tf.Tensor:
    """Apply softmax to the wrong axis."""
    return clipped_log(labels, tf.nn.softmax(logits, axis=0))


def summed_over_batch(labels: Any, logits: Any) -> tf.Tensor:
    """Sum over the examples instead of the classes."""
    return -tf.reduce_sum(tf.one_hot(labels, 10) * tf.nn.log_softmax(logits), axis=0)


def flipped_from_probabilities(labels: Any, outputs: Any) -> tf.Tensor:
    """Forget the minus."""
    return tf.reduce_sum(tf.one_hot(labels, 10) * tf.math.log(outputs + 1e-10))


def naive_softmax(labels: Any, logits: Any) -> tf.Tensor:
    """Compute softmax without subtracting the largest logit: it overflows."""
    return from_probabilities(labels, tf.exp(logits) / tf.reduce_sum(tf.exp(logits), 1, True))
