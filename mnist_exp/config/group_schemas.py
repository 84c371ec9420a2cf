"""The settings of each group in conf/: name, type, range and default; a schema for each kind.

Options of a group that take different settings (a softmax model has no kernel size) have a schema
each, which `kind` names. `--help` shows the first sentence of a group's schema, and the meaning of
each setting: its line `NAME: meaning; null is WORDS`.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from omegaconf import MISSING

from mnist_exp.config.init_schema import InitConfig
from mnist_exp.config.optimizer_schemas import (
    AdagradConfig,
    AdamConfig,
    AdamwConfig,
    KerasOptimizerConfig,
    MomentumConfig,
    RmspropConfig,
    SgdConfig,
)
from mnist_exp.config.own_settings import check_class, check_function, check_options
from mnist_exp.config.ranges import Checked, setting
from mnist_exp.errors import ConfigError

_MAX_WIDTH = 65536
_MAX_COUNT = 10**9

OPTIONS = "options"
"""The setting of a schema that holds what is passed on to code: any names, with plain values."""


@dataclass(kw_only=True)
class DataConfig(Checked):
    """The images.

    dir: a folder of IDX files, of pictures in train/CLASS/ and test/CLASS/ or of Parquet files, or
        an .npz file; null is the MNIST that comes with the package
    class_names: the names of the classes in the order of the labels; null is those of the data
    validation_size: the number of training images that are held out to validate on, the first
        ones; data with validation images of its own has none held out
    train_limit: the number of images to train on, the first ones of the split; null is all
    eval_limit: the number of images to score, the first ones of each split; null is all
    eval_on_train: score the training images in place of the validation and test images
    """

    prefix: ClassVar[str] = "data."
    dir: str | None = None
    class_names: list[str] | None = None
    validation_size: int = setting(5000, low=1)
    train_limit: int | None = setting(None, low=1)
    eval_limit: int | None = setting(None, low=1)
    eval_on_train: bool = False


@dataclass(kw_only=True)
class ModelConfig(Checked):
    """The network.

    kind: the schema of the chosen option
    """

    prefix: ClassVar[str] = "model."
    kind: str = MISSING


@dataclass(kw_only=True)
class SoftmaxConfig(ModelConfig):
    """Softmax regression: the readout alone."""

    kind: Literal["softmax"] = "softmax"


@dataclass(kw_only=True)
class MlpConfig(ModelConfig):
    """Dense layers with ReLU.

    hidden_units: the widths of the dense layers before the readout, one number for each layer
    dropout: the fraction of units dropped before the readout, in training only (1 - keep_prob)
    """

    kind: Literal["mlp"] = "mlp"
    hidden_units: list[int] = setting([512], low=1, high=_MAX_WIDTH)
    dropout: float = setting(0.0, low=0, below=1)


@dataclass(kw_only=True)
class ConvNetConfig(ModelConfig):
    """Convolutions, each with a 2x2 max pool, then perhaps a dense layer.

    filters: the number of filters of each convolution; a 2x2 max pool follows each
    kernel_size: the height and width of every kernel, in pixels
    conv_bias: whether convolutions have a bias
    dense_units: the width of a dense layer before the readout; null is no such layer
    dropout: the fraction of units dropped before the readout, in training only (1 - keep_prob)
    """

    kind: Literal["convnet"] = "convnet"
    filters: list[int] = setting([32, 64], low=1, high=_MAX_WIDTH)
    kernel_size: int = setting(3, low=1, high=28)
    conv_bias: bool = True
    dense_units: int | None = setting(None, low=1, high=_MAX_WIDTH)
    dropout: float = setting(0.0, low=0, below=1)


@dataclass(kw_only=True)
class OwnModelConfig(ModelConfig):
    """A network of one's own, from a function build(input_shape, num_classes, **options).

    build: the function, as MODULE:FUNCTION, such as my_models:resnet
    options: what the function is called with besides, each set as model.options.NAME=VALUE
    """

    kind: Literal["own"] = "own"
    build: str = MISSING
    options: dict[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        """Raise ConfigError for what is no name of a function, and for options it cannot have."""
        check_function("model.build", self.build)
        check_options("model.options", self.options)


@dataclass(kw_only=True)
class LossConfig(Checked):
    """The loss of a batch.

    kind: the schema of the chosen option
    reduction: whether the loss of a batch is the mean or the sum over its images
    """

    prefix: ClassVar[str] = "loss."
    kind: str = MISSING
    reduction: Literal["mean", "sum"] = MISSING


@dataclass(kw_only=True)
class EntropyConfig(LossConfig):
    """The cross entropy, or the notebook's bug.

    kind: the formula; self_entropy ignores the labels, which is the notebook's bug
    from_probabilities: compute log(softmax) literally, as the notebook does, which may give NaN
    """

    kind: Literal["cross_entropy", "self_entropy"] = MISSING
    from_probabilities: bool = False


@dataclass(kw_only=True)
class OwnLossConfig(LossConfig):
    """A loss of one's own, from a function (labels int [B], logits [B, K]) -> losses [B].

    function: the function, as MODULE:FUNCTION, such as my_losses:focal
    options: what the function is called with besides, each set as loss.options.NAME=VALUE
    """

    kind: Literal["own"] = "own"
    reduction: Literal["mean", "sum"] = "mean"
    function: str = MISSING
    options: dict[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        """Raise ConfigError for what is no name of a function, and for options it cannot have."""
        check_function("loss.function", self.function)
        check_options("loss.options", self.options)


@dataclass(kw_only=True)
class KerasLossConfig(LossConfig):
    """A loss of Keras.

    name: the class in keras.losses, such as CategoricalFocalCrossentropy
    options: what the class is made with besides, each set as loss.options.NAME=VALUE
    """

    kind: Literal["keras"] = "keras"
    reduction: Literal["mean", "sum"] = "mean"
    name: str = MISSING
    options: dict[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        """Raise ConfigError for a loss that Keras lacks, and for options that no class can have."""
        check_class("loss.name", self.name)
        check_options("loss.options", self.options)


@dataclass(kw_only=True)
class ScheduleConfig(Checked):
    """How long to train, and how the learning rate changes.

    kind: the schema of the chosen option
    epochs: the passes over the training images, if max_steps is not reached first; null is no limit
    max_steps: the training steps, if epochs are not over first; null is no limit
    batch_size: the images of a training step; the last batch of an epoch may be smaller
    train_accuracy_every: score the next batch, dropout off, before every N-th step; null is never
    stop_at_accuracy: end after an epoch with at least this validation accuracy; null is never
    """

    prefix: ClassVar[str] = "schedule."
    kind: Literal["constant", "cosine", "one_cycle"] = MISSING
    epochs: int | None = setting(None, low=1, high=_MAX_COUNT)
    max_steps: int | None = setting(None, low=1, high=_MAX_COUNT)
    batch_size: int = setting(100, low=1, high=_MAX_COUNT)
    train_accuracy_every: int | None = setting(None, low=1, high=_MAX_COUNT)
    stop_at_accuracy: float | None = setting(None, low=0, high=1)

    def check(self) -> None:
        """Raise ConfigError if training would never end."""
        if self.epochs is None and self.max_steps is None:
            raise ConfigError(
                "schedule: expected schedule.epochs or schedule.max_steps, found neither"
            )

    def steps_per_epoch(self, num_train: int) -> int:
        """Return the batches of an epoch, with a smaller last one for the images left over."""
        return -(-num_train // self.batch_size)

    def total_steps(self, num_train: int) -> int:
        """Return the training steps of a whole run: the smaller of `epochs` and `max_steps`."""
        whole = None if self.epochs is None else self.epochs * self.steps_per_epoch(num_train)
        return min(limit for limit in (self.max_steps, whole) if limit is not None)


@dataclass(kw_only=True)
class CosineScheduleConfig(ScheduleConfig):
    """Half a cosine from the learning rate down to a fraction of it at the last step.

    final_fraction: the rate at the last step, as a fraction of optimizer.learning_rate
    """

    kind: Literal["cosine"] = "cosine"
    final_fraction: float = setting(0.0, low=0, high=1)


@dataclass(kw_only=True)
class OneCycleScheduleConfig(ScheduleConfig):
    """The rate rises, then falls, both along half a cosine.

    Smith and Topin 2018, arXiv:1708.07120; the defaults are those of PyTorch's OneCycleLR.

    warmup_fraction: the fraction of all steps in which the rate rises
    initial_fraction: the rate at the first step, as a fraction of optimizer.learning_rate
    final_fraction: the rate at the last step, as a fraction of optimizer.learning_rate
    """

    kind: Literal["one_cycle"] = "one_cycle"
    warmup_fraction: float = setting(0.3, low=0, high=1)
    initial_fraction: float = setting(0.04, low=0, high=1)
    final_fraction: float = setting(4e-6, low=0, high=1)


# The schemas of each group's options, by the value of `kind`.
SCHEMAS: dict[str, dict[str, type]] = {
    "model": {
        "softmax": SoftmaxConfig,
        "mlp": MlpConfig,
        "convnet": ConvNetConfig,
        "own": OwnModelConfig,
    },
    "optimizer": {
        "sgd": SgdConfig,
        "momentum": MomentumConfig,
        "adam": AdamConfig,
        "adamw": AdamwConfig,
        "rmsprop": RmspropConfig,
        "adagrad": AdagradConfig,
        "keras": KerasOptimizerConfig,
    },
    "schedule": {
        "constant": ScheduleConfig,
        "cosine": CosineScheduleConfig,
        "one_cycle": OneCycleScheduleConfig,
    },
    "data": {"data": DataConfig},
    "init": {"init": InitConfig},
    "loss": {
        "cross_entropy": EntropyConfig,
        "self_entropy": EntropyConfig,
        "own": OwnLossConfig,
        "keras": KerasLossConfig,
    },
}

# Names of schemas that files of the user's own start from, and that are no kinds any more.
EARLIER_SCHEMAS: dict[str, dict[str, type]] = {"loss": {"loss": EntropyConfig}}


def check_kind(group: str, config: Any) -> None:
    """Raise ConfigError if `kind`, which names the schema of an option, was set to another one."""
    expected = [name for name, schema in SCHEMAS[group].items() if schema is type(config)]
    if config.kind not in expected:
        raise ConfigError(
            f"{group}.kind={config.kind}: expected {' or '.join(expected)}; "
            f"{group}=OPTION chooses another kind"
        )
