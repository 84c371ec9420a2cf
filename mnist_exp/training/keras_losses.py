"""The classification losses of Keras, each with the form of labels and outputs that it takes.

| loss | labels | outputs |
|---|---|---|
| SparseCategoricalCrossentropy | whole numbers | logits |
| CategoricalCrossentropy, CategoricalFocalCrossentropy | one-hot | logits |
| BinaryCrossentropy, BinaryFocalCrossentropy | one-hot | logits, a sigmoid for each class |
| CategoricalHinge, Hinge, SquaredHinge | one-hot | logits, as scores |
| CategoricalGeneralizedCrossEntropy | whole numbers | probabilities |
| KLDivergence, Dice, Tversky | one-hot | probabilities |

Probabilities are the softmax of the logits. Each loss gives one value for an image:
BinaryCrossentropy, BinaryFocalCrossentropy, Hinge and SquaredHinge the mean over the classes, and
Dice and Tversky what they find in the classes of one image.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import tensorflow as tf

from mnist_exp.config.group_schemas import KerasLossConfig
from mnist_exp.errors import ConfigError
from mnist_exp.training.keras_options import check_options, made, unknown_name


@dataclass(frozen=True, kw_only=True)
class _Takes:
    """What a loss takes: one-hot labels or whole numbers, probabilities or logits."""

    one_hot: bool = True
    probabilities: bool = False
    fixed: dict[str, Any] = field(default_factory=dict)
    """Options that follow from this."""


_FROM_LOGITS = {"from_logits": True}
_CLASSIFICATION = {
    "SparseCategoricalCrossentropy": _Takes(one_hot=False, fixed=_FROM_LOGITS),
    "CategoricalCrossentropy": _Takes(fixed=_FROM_LOGITS),
    "CategoricalFocalCrossentropy": _Takes(fixed=_FROM_LOGITS),
    "BinaryCrossentropy": _Takes(fixed=_FROM_LOGITS),
    "BinaryFocalCrossentropy": _Takes(fixed=_FROM_LOGITS),
    "CategoricalHinge": _Takes(),
    "Hinge": _Takes(),
    "SquaredHinge": _Takes(),
    "CategoricalGeneralizedCrossEntropy": _Takes(one_hot=False, probabilities=True),
    "KLDivergence": _Takes(probabilities=True),
    "Dice": _Takes(probabilities=True, fixed={"axis": -1}),
    "Tversky": _Takes(probabilities=True, fixed={"axis": -1}),
}
_REGRESSION = "is a loss for regression, whose targets are numbers and not classes"
_OTHERS = {
    "CTC": "is a loss for sequences, such as speech",
    "Circle": "is a loss for embeddings, which compares the images of a batch with each other",
    "Loss": "is the class that Keras' losses are made from",
    **dict.fromkeys(
        ("CosineSimilarity", "Huber", "LogCosh", "MeanAbsoluteError", "MeanSquaredError"),
        _REGRESSION,
    ),
    **dict.fromkeys(
        ("MeanAbsolutePercentageError", "MeanSquaredLogarithmicError", "Poisson"), _REGRESSION
    ),
}
_TAKEN = {
    "reduction": "it is the setting loss.reduction",
    "from_logits": "it follows from the model, which gives logits",
    "axis": "it follows from the model, whose outputs are [B, K]",
    "name": "the name of a loss has no effect here; loss.name chooses the loss",
    "dtype": "all is computed in float32",
}


def build(config: KerasLossConfig) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor]:
    """Return the loss: labels int [B], logits float32 [B, K] -> float32 [B].

    Raises ConfigError for a name or options that make none.
    """
    name = config.name
    if name in _OTHERS:
        raise ConfigError(
            f"loss.name={name}: it {_OTHERS[name]}\n"
            f"Losses for classes: {', '.join(sorted(_CLASSIFICATION))}"
        )
    takes = _CLASSIFICATION.get(name)
    if takes is None:
        raise unknown_name("loss.name", name, [*_CLASSIFICATION])
    kind = getattr(keras.losses, name)
    check_options(kind, "loss", config.options, _TAKEN)
    function = made(kind, name, "loss", {"reduction": None} | takes.fixed | config.options)

    def loss(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        outputs = tf.nn.softmax(logits) if takes.probabilities else logits
        targets = tf.one_hot(labels, logits.shape[1]) if takes.one_hot else labels
        losses: tf.Tensor = function(targets, outputs)
        return losses

    return loss
