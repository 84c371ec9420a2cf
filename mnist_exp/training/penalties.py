"""What a model adds to the loss: regularizers of its layers, and their `add_loss`."""

import keras
import tensorflow as tf


def total(model: keras.Model) -> tf.Tensor | None:
    """Return the sum of the penalties of the model's last call, float32 []; None if it has none."""
    penalties = model.losses
    if not penalties:
        return None
    return tf.add_n([tf.reduce_sum(tf.cast(penalty, tf.float32)) for penalty in penalties])
