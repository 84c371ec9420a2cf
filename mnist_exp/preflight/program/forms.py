"""Bring images and labels into the forms that a model and a loss take."""

import math
from typing import Any

import numpy as np
import tensorflow as tf

from mnist_exp.preflight.errors import PreflightError
from mnist_exp.preflight.program.batches import Inputs
from mnist_exp.preflight.program.calling import cannot_run

SHAPE_ERRORS = (ValueError, TypeError, tf.errors.InvalidArgumentError)


def as_inputs(model: Any, given: Any) -> Inputs:
    """Return inputs of any form as `Inputs`; a single array in a shape that the model takes."""
    if isinstance(given, Inputs):
        return given
    return Inputs(model_input(model, given) if isinstance(given, np.ndarray) else given)


def model_input(model: Any, images: np.ndarray) -> np.ndarray:
    """Return images as float32 in the first shape that the model accepts, values untouched.

    Shapes are tried in the order: as given, [N, H, W, 1], [N, H*W], [N, H, W]. Whole numbers are
    tried as they are, too, because a lookup by number takes no others. Raises PreflightError if the
    model accepts none.
    """
    if images.dtype == object:
        return images
    forms = _image_forms(images.astype(np.float32))
    shape = getattr(model, "input_shape", None) if getattr(model, "built", False) else None
    if isinstance(shape, tuple) and len(shape) in forms:
        return forms[len(shape)]
    candidates = list(forms.values()) + ([images] if images.dtype.kind in "iu" else [])
    failures = list[Exception]()
    for form in candidates:
        try:
            _accept(model, form)
            return form
        except SHAPE_ERRORS as error:
            failures.append(error)
    raise cannot_run(model, Inputs(candidates[0]), failures[0]) from failures[0]


def _accept(model: Any, images: np.ndarray) -> None:
    """Raise unless the model takes these images.

    It is traced, not run: a run may change what the model keeps.
    """
    spec = tf.TensorSpec([None, *images.shape[1:]], images.dtype)
    tf.function(lambda batch: model(batch)).get_concrete_function(spec)


def _image_forms(images: np.ndarray) -> dict[int, np.ndarray]:
    """Return the images by rank: the form given first, [N, H, W] last."""
    count, pixels = len(images), int(np.prod(images.shape[1:]))
    side = math.isqrt(pixels)
    forms = {images.ndim: images}
    if side * side == pixels:
        square = {4: images.reshape(count, side, side, 1), 3: images.reshape(count, side, side)}
        forms = square | forms
    forms.setdefault(2, images.reshape(count, pixels))
    # Files hold [N, H, W]; a model rarely takes it, and a convolution may read it differently.
    ranks = sorted(forms, key=lambda rank: (rank == 3, rank != images.ndim))
    return {rank: forms[rank] for rank in ranks}


def label_form(labels: np.ndarray) -> np.ndarray:
    """Return the labels in a dtype that losses take: int32, int64 or float32.

    What is 0 or 1 in several columns, such as one-hot labels, becomes float32. Raises
    PreflightError for text.
    """
    if labels.dtype.kind not in "fbiu":
        text = labels.reshape(-1)[0]
        text = text.decode(errors="replace") if isinstance(text, bytes) else text
        raise PreflightError(
            f"the labels are text, such as {text!r}, and a loss takes numbers: number the classes "
            "from 0, as np.unique(y, return_inverse=True)[1] does"
        )
    several = labels.ndim > 1 and labels.shape[-1] > 1 and np.isin(labels, (0, 1)).all()
    if labels.dtype.kind == "f" or labels.dtype.kind == "b" or several:
        return labels.astype(np.float32)
    return labels if labels.dtype == np.int64 else labels.astype(np.int32)
