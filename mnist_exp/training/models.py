"""Models as Keras graphs from images to logits.

A builder takes its config, the initializers and the images, and stacks layers on them.
"""

import keras
from keras import KerasTensor, layers

from mnist_exp.config.group_schemas import (
    ConvNetConfig,
    MlpConfig,
    ModelConfig,
    OwnModelConfig,
    SoftmaxConfig,
)
from mnist_exp.config.init_schema import InitConfig
from mnist_exp.data import MNIST, Form
from mnist_exp.own_code.code import NOTHING_OWN, Own
from mnist_exp.training import own_models
from mnist_exp.training.initializers import RoleInitializers


def build(
    config: ModelConfig, init: InitConfig, seed: int, form: Form = MNIST, own: Own = NOTHING_OWN
) -> keras.Model:
    """Return a model: images float32 [B, H, W, C] in [0, 1] -> logits [B, K].

    Its weights depend on (config, init, seed) and on the form of the data alone. Raises
    OwnCodeError for a model of the user's own that cannot be used.
    """
    if isinstance(config, OwnModelConfig):
        return own_models.build(config, seed, form, own)
    initializers = RoleInitializers(init, seed)
    images = keras.Input(form.image_shape, name="images")
    match config:
        case SoftmaxConfig():
            features = layers.Flatten(name="flatten")(images)
        case MlpConfig():
            features = _mlp(config, initializers, images)
        case ConvNetConfig():
            features = _convnet(config, initializers, images)
        case _:
            raise TypeError(f"no builder for {type(config).__name__}")
    logits = layers.Dense(
        form.num_classes,
        kernel_initializer=initializers("readout_kernel"),
        bias_initializer=initializers("readout_bias"),
        name="readout",
    )(features)
    return keras.Model(images, logits, name=config.kind)


def _mlp(config: MlpConfig, initializers: RoleInitializers, images: KerasTensor) -> KerasTensor:
    x = layers.Flatten(name="flatten")(images)
    for number, units in enumerate(config.hidden_units, start=1):
        x = _dense(units, initializers, f"dense{number}")(x)
    return _dropout(config.dropout, x)


def _convnet(
    config: ConvNetConfig, initializers: RoleInitializers, images: KerasTensor
) -> KerasTensor:
    x = images
    for number, filters in enumerate(config.filters, start=1):
        x = layers.Conv2D(
            filters,
            config.kernel_size,
            padding="same",
            use_bias=config.conv_bias,
            kernel_initializer=initializers("conv_kernel"),
            bias_initializer=initializers("bias"),
            name=f"conv{number}",
        )(x)
        # relu(max(x)) == max(relu(x)); pooling first leaves the ReLU a quarter of the values.
        x = layers.MaxPooling2D(2, padding="same", name=f"pool{number}")(x)
        x = layers.ReLU(name=f"relu{number}")(x)
    x = layers.Flatten(name="flatten")(x)
    if config.dense_units is not None:
        x = _dense(config.dense_units, initializers, "dense1")(x)
    return _dropout(config.dropout, x)


def _dense(units: int, initializers: RoleInitializers, name: str) -> layers.Dense:
    return layers.Dense(
        units,
        activation="relu",
        kernel_initializer=initializers("dense_kernel"),
        bias_initializer=initializers("bias"),
        name=name,
    )


def _dropout(rate: float, x: KerasTensor) -> KerasTensor:
    # The training loop sets the layer's random state from (seed, step); its own seed is never used.
    return layers.Dropout(rate, seed=0, name="dropout")(x) if rate > 0 else x
