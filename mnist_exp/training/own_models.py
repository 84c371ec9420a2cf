"""Models of a user's own: built with the run's seed, and checked for what training relies on."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import keras
from keras.src.backend.common import global_state
from keras.src.models.functional import Functional
from tensorflow.python.eager import context as tf_context

from mnist_exp.config.group_schemas import OwnModelConfig
from mnist_exp.data import Form
from mnist_exp.own_code.code import Own
from mnist_exp.own_code.loading import OwnCodeError, calling, load
from mnist_exp.own_code.names import misplaced
from mnist_exp.preflight.randomness import isolated_random_state
from mnist_exp.training import seeds
from mnist_exp.training.own_names import model_name

_NAME_COUNTERS = "object_name_uids"  # Keras' numbers in names such as dense_1


def build(config: OwnModelConfig, seed: int, form: Form, own: Own) -> keras.Model:
    """Return the user's model: images float32 [B, H, W, C] in [0, 1] -> logits [B, K].

    Its weights come from the run's seed, unless a layer's initializer has a seed of its own. A
    model that was given from Python keeps the weights it has. Raises OwnCodeError for what is no
    such model.
    """
    setting, name = model_name(config, own)
    said = f"{setting}={name}"
    names = _own_layer_names() if own.model is None else nullcontext()
    with names, _seeded(seeds.integer(seed, "weights")), calling(name, setting):
        if isinstance(own.model, keras.Model):
            built = own.model
        else:
            function = own.model or load(config.build, setting, own.code)
            built = _called(function, config, form, said)
        _check_kind(built, said)
        _check_loop(built, said)
        _check_inputs(built, form, said)
        images = keras.Input(form.image_shape, name="images")
        logits = built(images)
    _check_weights(built, said)
    _check_logits(logits, form, said)
    is_whole = isinstance(built, keras.Sequential) or type(built) is Functional
    if not is_whole or tuple(built.input_shape[1:]) != form.image_shape:
        built = keras.Model(images, logits, name=built.name)
    return built


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Let all that is drawn in the block depend on the seed, and put the random states back."""
    with isolated_random_state(seed):
        # A kernel keeps its place in a random stream, whatever the seed is set to.
        tf_context.context().clear_kernel_cache()
        yield


@contextmanager
def _own_layer_names() -> Iterator[None]:
    """Let Keras number the names of layers (dense, dense_1) from the start in the block.

    Not where a function was given from Python: it may use layers that were made and named before.
    """
    counters = global_state.get_global_attribute(_NAME_COUNTERS)
    global_state.set_global_attribute(_NAME_COUNTERS, None)
    try:
        yield
    finally:
        global_state.set_global_attribute(_NAME_COUNTERS, counters)


def _called(function: Callable[..., Any], config: OwnModelConfig, form: Form, said: str) -> Any:
    """Return what the user's function builds. Raises OwnCodeError for options it does not take."""
    try:
        signature = inspect.signature(function)
        signature.bind(form.image_shape, form.num_classes, **config.options)
    except TypeError as error:
        raise OwnCodeError(
            f"{said}: cannot be called with (input_shape, num_classes, **model.options): {error}\n"
            f"It is defined as {function.__name__}{signature}; model.options has "
            f"{', '.join(config.options) or 'nothing'}"
        ) from error
    except ValueError:  # a function of C, which has no signature
        pass
    else:
        if wrong := misplaced("model.build", [*signature.parameters]):
            raise OwnCodeError(f"{said}: {wrong}")
    return function(form.image_shape, form.num_classes, **config.options)


def _check_kind(built: Any, said: str) -> None:
    """Raise OwnCodeError for what is no model of Keras 3."""
    if isinstance(built, keras.Model):
        return
    kind = type(built)
    origin = kind.__module__.partition(".")[0]
    if built is None:
        found = "returned None: is its last line a return?"
    elif origin in ("tf_keras", "tensorflow"):
        found = f"returned a {kind.__name__} of Keras 2 ({kind.__module__}); import keras instead"
    elif any(base.__module__.startswith("torch.") for base in kind.__mro__):
        found = f"returned {kind.__name__}, a module of PyTorch"
    elif isinstance(built, keras.layers.Layer):
        found = f"returned the layer {kind.__name__}: keras.Sequential([...]) makes a model of it"
    elif isinstance(built, type):
        found = f"returned the class {built.__name__}: call it to make a model"
    elif isinstance(built, keras.KerasTensor):
        found = "returned a tensor: keras.Model(inputs, outputs) makes a model of it"
    else:
        found = f"returned a {kind.__name__}"
    raise OwnCodeError(f"{said}: expected a Keras model\nThe function {found}")


def _check_loop(built: keras.Model, said: str) -> None:
    """Raise OwnCodeError for a model that says itself how it is trained: nothing would call it."""
    for name in ("train_step", "compute_loss"):
        if getattr(type(built), name) is not getattr(keras.Model, name):
            raise OwnCodeError(
                f"{said}: expected a model without a training loop of its own; "
                f"{type(built).__name__} has {name}, which would not be called\n"
                "loss=own takes a loss of your own, and add_loss in the model a penalty"
            )


def _check_inputs(built: keras.Model, form: Form, said: str) -> None:
    """Raise OwnCodeError for a model that does not take float32 images of this form.

    One that does not know its inputs yet takes whatever it is called with.
    """
    inputs = getattr(built, "inputs", None)
    if inputs is None:
        return
    if len(inputs) != 1:
        names = ", ".join(tensor.name for tensor in inputs)
        raise OwnCodeError(f"{said}: expected one input, the images; the model has {names}")
    (images,) = inputs
    if images.dtype != "float32":
        raise OwnCodeError(
            f"{said}: expected an input of float32, pixels in [0, 1]; the model takes "
            f"{images.dtype}"
        )
    if images.shape[0] is not None:
        raise OwnCodeError(
            f"{said}: expected batches of any size; the model takes {images.shape[0]} images at a "
            "time: leave batch_size out of keras.Input"
        )
    wanted = tuple(images.shape[1:])
    if len(wanted) != 3 or any(
        side not in (None, given) for side, given in zip(wanted, form.image_shape, strict=True)
    ):
        raise OwnCodeError(
            f"{said}: expected a model for images of shape {form.image_shape}, which the data has; "
            f"the model takes {wanted}\nThe function gets the shape as its first argument"
        )


def _check_logits(logits: Any, form: Form, said: str) -> None:
    """Raise OwnCodeError for outputs that are not float32 [B, K]."""
    if isinstance(logits, dict | list | tuple):
        raise OwnCodeError(f"{said}: expected one output, the logits; the model has {len(logits)}")
    if tuple(logits.shape) != (None, form.num_classes):
        shape = ", ".join("B" if side is None else str(side) for side in logits.shape)
        raise OwnCodeError(
            f"{said}: expected logits [B, {form.num_classes}], one for each class of the data; the "
            f"model gives [{shape}]\nThe function gets the number of classes as its second argument"
        )
    if logits.dtype != "float32":
        raise OwnCodeError(f"{said}: expected logits of float32; the model gives {logits.dtype}")


def _check_weights(model: keras.Model, said: str) -> None:
    """Raise OwnCodeError for a model with nothing to train, or that computes in another type."""
    for layer in model._flatten_layers():
        kind = layer.compute_dtype
        if "float" in str(kind) and kind != "float32":
            raise OwnCodeError(
                f"{said}: expected float32, in which this project computes; the layer {layer.name} "
                f"computes in {kind} (its dtype is {layer.dtype_policy.name})"
            )
    if not model.trainable_variables:
        raise OwnCodeError(
            f"{said}: the model has no trainable weights "
            f"({len(model.weights)} that are not trained)"
        )
