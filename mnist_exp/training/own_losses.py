"""Losses of a user's own: called, and checked for one finite value an image."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from mnist_exp.config.group_schemas import OwnLossConfig
from mnist_exp.own_code.code import Own
from mnist_exp.own_code.loading import OwnCodeError, calling, load
from mnist_exp.training.own_names import loss_name


def build(
    config: OwnLossConfig, num_classes: int, own: Own
) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Return the user's loss: labels int32 [B], logits float32 [B, K] -> float32 [B].

    Raises OwnCodeError for what is no such function.
    """
    setting, name = loss_name(config, own)
    said = f"{setting}={name}"
    function = own.loss or load(config.function, setting, own.code)
    loss = partial(function, **config.options)
    labels = tf.constant([0, num_classes - 1, 1], tf.int32)
    logits = tf.constant(np.random.default_rng(0).normal(size=(3, num_classes)), tf.float32)
    with calling(name, setting):
        _check_options(loss, labels, logits, said)
        _check(loss(labels, logits), said)
    return loss


def _check_options(loss: partial[Any], labels: tf.Tensor, logits: tf.Tensor, said: str) -> None:
    """Raise OwnCodeError for options that the function does not take."""
    try:
        signature = inspect.signature(loss.func)
        signature.bind(labels, logits, **loss.keywords)
    except TypeError as error:
        raise OwnCodeError(
            f"{said}: cannot be called with (labels, logits, **loss.options): {error}\n"
            f"Its parameters are {signature}; loss.options has {', '.join(loss.keywords) or 'none'}"
        ) from error
    except ValueError:  # a function of C, which has no signature
        pass


def _check(losses: Any, said: str) -> None:
    """Raise OwnCodeError for anything but finite float32 [3], for three images."""
    if not tf.is_tensor(losses):
        raise OwnCodeError(
            f"{said}: expected a tensor with one loss for each image, got {type(losses).__name__}; "
            "compute with TensorFlow's or Keras' operations"
        )
    shape = tuple(losses.shape)
    if shape != (3,):
        reason = ""
        if shape == ():
            reason = ": one number for all images; leave out the mean, loss.reduction takes it"
        elif len(shape) > 1:
            reason = ": sum over the classes"
        raise OwnCodeError(
            f"{said}: expected one loss for each image; for 3 images it gives shape {shape}{reason}"
        )
    if losses.dtype != tf.float32:
        raise OwnCodeError(f"{said}: expected losses of float32, got {losses.dtype.name}")
    if not np.isfinite(losses.numpy()).all():
        raise OwnCodeError(
            f"{said}: gives NaN or infinite losses for logits between -3 and 3; it takes logits, "
            "and tf.nn.log_softmax makes log-probabilities of them"
        )
