"""Initial values of a layer's weights from the role they play and one seed a tensor."""

import keras

from mnist_exp.config.init_schema import InitConfig, InitializerConfig
from mnist_exp.training import seeds


class RoleInitializers:
    """Hands out initializers in the order of the layers; each gets its own seed.

    A Keras initializer repeats its values on every call, so two tensors must never share a seed.
    """

    def __init__(self, init: InitConfig, seed: int) -> None:
        self._init = init
        self._seed = seed
        self._handed_out = 0

    def __call__(self, role: str) -> keras.initializers.Initializer:
        """Return the initializer of the next tensor.

        `role` is a field of InitConfig: conv_kernel, dense_kernel, readout_kernel, bias or
        readout_bias.
        """
        seed = seeds.integer(self._seed, "weights", self._handed_out)
        self._handed_out += 1
        return build(getattr(self._init, role), seed)


def build(config: InitializerConfig, seed: int) -> keras.initializers.Initializer:
    """Return the initializer that a config describes.

    The truncated normal redraws values beyond two standard deviations of the untruncated one, as
    TensorFlow 1's does.
    """
    match config.distribution:
        case "zeros":
            return keras.initializers.Zeros()
        case "constant":
            return keras.initializers.Constant(config.value)
        case "normal":
            return keras.initializers.RandomNormal(0.0, config.stddev, seed=seed)
        case "truncated_normal":
            return keras.initializers.TruncatedNormal(0.0, config.stddev, seed=seed)
        case "glorot_uniform":
            return keras.initializers.GlorotUniform(seed=seed)
        case "he_normal":
            return keras.initializers.HeNormal(seed=seed)
