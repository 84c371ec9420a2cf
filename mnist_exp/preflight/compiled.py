"""Take the loss out of a Keras model that was compiled."""

from typing import Any

import keras
from keras.src.trainers.compile_utils import CompileLoss

from mnist_exp.preflight.errors import PreflightError
from mnist_exp.preflight.program import Loss


def compiled_loss(model: keras.Model) -> Loss:
    """Return the loss that `model.fit` minimises, without the layers' own penalties.

    Raises PreflightError for a model that was not compiled with a loss and an optimizer.
    """
    if not getattr(model, "compiled", False) or model.loss is None:
        raise PreflightError("the model has no loss: call model.compile(optimizer, loss) first")
    # A loss of its own: Keras' keeps what it counted in the model.
    loss = CompileLoss(model.loss)

    def of_batch(labels: Any, outputs: Any) -> Any:
        return loss(labels, outputs)

    return of_batch
