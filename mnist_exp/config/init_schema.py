"""The settings of the group `init`: a distribution for each kind of weights."""

from dataclasses import dataclass
from typing import Literal

from omegaconf import MISSING

from mnist_exp.config.ranges import Checked, check_ranges, setting
from mnist_exp.errors import ConfigError

Distribution = Literal[
    "zeros", "constant", "normal", "truncated_normal", "glorot_uniform", "he_normal"
]
# The setting that a distribution takes; the others take none.
PARAMETERS = {"constant": "value", "normal": "stddev", "truncated_normal": "stddev"}


@dataclass(kw_only=True)
class InitializerConfig:
    """The initial values of one kind of weights.

    distribution: what the initial values are drawn from
    value: the value of all weights, for the distribution constant only; null is not set
    stddev: the standard deviation, for normal and truncated_normal only; null is not set
    """

    distribution: Distribution = MISSING
    value: float | None = setting(None)
    stddev: float | None = setting(None, low=0)

    def check_as(self, key: str) -> None:
        """Raise ConfigError for a parameter that the distribution lacks or does not take."""
        taken = PARAMETERS.get(self.distribution)
        for name, number in (("value", self.value), ("stddev", self.stddev)):
            if name == taken and number is None:
                raise ConfigError(
                    f"{key}.{name}: expected a number for distribution={self.distribution}, "
                    "found null"
                )
            if name != taken and number is not None:
                raise ConfigError(
                    f"{key}.{name}={number}: has no effect with distribution="
                    f"{self.distribution}; expected null"
                )
        check_ranges(self, f"{key}.")


@dataclass(kw_only=True)
class InitConfig(Checked):
    """The initial weights.

    conv_kernel: the kernels of convolutions
    dense_kernel: the kernels of dense layers, without the readout
    readout_kernel: the kernel of the readout, the last dense layer
    bias: the biases of all layers, without the readout
    readout_bias: the bias of the readout
    """

    conv_kernel: InitializerConfig = MISSING
    dense_kernel: InitializerConfig = MISSING
    readout_kernel: InitializerConfig = MISSING
    bias: InitializerConfig = MISSING
    readout_bias: InitializerConfig = MISSING

    def check(self) -> None:
        """Check each initializer under its name on the command line."""
        for role in ("conv_kernel", "dense_kernel", "readout_kernel", "bias", "readout_bias"):
            getattr(self, role).check_as(f"init.{role}")
