"""The settings of the group `optimizer`: a schema for each kind of optimizer."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from omegaconf import MISSING

from mnist_exp.config.own_settings import check_class, check_options
from mnist_exp.config.ranges import Checked, setting


@dataclass(kw_only=True)
class OptimizerConfig(Checked):
    """How the weights change.

    kind: the schema of the chosen option
    learning_rate: the size of the steps; with a schedule that changes it, the largest one
    """

    prefix: ClassVar[str] = "optimizer."
    kind: str = MISSING
    learning_rate: float = setting(MISSING, above=0)


@dataclass(kw_only=True)
class SgdConfig(OptimizerConfig):
    """Gradient descent."""

    kind: Literal["sgd"] = "sgd"
    learning_rate: float = setting(0.01, above=0)


@dataclass(kw_only=True)
class MomentumConfig(OptimizerConfig):
    """Gradient descent with momentum.

    momentum: the share of the previous step that is added to each step
    nesterov: use Nesterov's momentum
    """

    kind: Literal["momentum"] = "momentum"
    learning_rate: float = setting(0.01, above=0)
    momentum: float = setting(0.9, low=0, below=1)
    nesterov: bool = False


@dataclass(kw_only=True)
class AdamConfig(OptimizerConfig):
    """Adam. TensorFlow 1, which the tutorials used, has the same default epsilon; Keras has 1e-7.

    beta_1: how slowly the mean of the gradients changes
    beta_2: how slowly the mean of the squared gradients changes
    epsilon: a small number that keeps the division by the root of that mean finite
    """

    kind: Literal["adam"] = "adam"
    learning_rate: float = setting(0.001, above=0)
    beta_1: float = setting(0.9, low=0, below=1)
    beta_2: float = setting(0.999, low=0, below=1)
    epsilon: float = setting(1e-8, above=0)


@dataclass(kw_only=True)
class AdamwConfig(AdamConfig):
    """Adam with decoupled weight decay: w -= learning_rate * weight_decay * w.

    Loshchilov and Hutter 2019, arXiv:1711.05101.

    weight_decay: the fraction of each weight, times the learning rate, that a step takes away
    """

    kind: Literal["adamw"] = "adamw"  # type: ignore[assignment]
    weight_decay: float = setting(0.01, low=0)


@dataclass(kw_only=True)
class RmspropConfig(OptimizerConfig):
    """RMSprop.

    rho: how slowly the mean of the squared gradients changes
    momentum: the share of the previous step that is added to each step
    epsilon: a small number that keeps the division by the root of that mean finite
    """

    kind: Literal["rmsprop"] = "rmsprop"
    learning_rate: float = setting(0.001, above=0)
    rho: float = setting(0.9, low=0, below=1)
    momentum: float = setting(0.0, low=0, below=1)
    epsilon: float = setting(1e-7, above=0)


@dataclass(kw_only=True)
class AdagradConfig(OptimizerConfig):
    """Adagrad.

    initial_accumulator: what the sums of the squared gradients begin with
    epsilon: a small number that keeps the division by the root of that sum finite
    """

    kind: Literal["adagrad"] = "adagrad"
    learning_rate: float = setting(0.01, above=0)
    initial_accumulator: float = setting(0.1, low=0)
    epsilon: float = setting(1e-7, above=0)


@dataclass(kw_only=True)
class KerasOptimizerConfig(OptimizerConfig):
    """An optimizer of Keras.

    name: the class in keras.optimizers, such as Lion
    options: what the class is made with besides, each set as optimizer.options.NAME=VALUE
    """

    kind: Literal["keras"] = "keras"
    learning_rate: float = setting(0.001, above=0)
    name: str = MISSING
    options: dict[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        """Raise ConfigError for an optimizer that Keras lacks, and for options it cannot have."""
        check_class("optimizer.name", self.name)
        check_options("optimizer.options", self.options)
