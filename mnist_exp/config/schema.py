"""Every setting: its name, type, range and default."""

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any, Literal

from omegaconf import MISSING

from mnist_exp.config.identity import NEUTRAL
from mnist_exp.errors import ConfigError
from mnist_exp.outside.uris import masked


@dataclass
class DataConfig:
    """`dir` null is the shipped MNIST; limits keep the first examples of a split."""

    dir: str | None = None
    validation_size: int = 5000
    train_limit: int | None = None
    eval_limit: int | None = None
    eval_on_train: bool = False

    def __post_init__(self) -> None:
        _check_range("data.validation_size", self.validation_size, low=1)
        _check_range("data.train_limit", self.train_limit, low=1)
        _check_range("data.eval_limit", self.eval_limit, low=1)


@dataclass
class ModelConfig:
    kind: str = MISSING

    def layer_sizes(self) -> list[tuple[int, int]]:
        """(weights, outputs per image) of each layer with weights but for the readout, biases left out."""
        return []


@dataclass
class SoftmaxConfig(ModelConfig):
    kind: Literal["softmax"] = "softmax"


@dataclass
class MlpConfig(ModelConfig):
    kind: Literal["mlp"] = "mlp"
    hidden_units: list[int] = field(default_factory=lambda: [512])
    dropout: float = 0.0

    def __post_init__(self) -> None:
        _check_widths("model.hidden_units", self.hidden_units)
        _check_range("model.dropout", self.dropout, low=0, below=1)

    def layer_sizes(self) -> list[tuple[int, int]]:
        return [(before * units, units) for before, units in pairwise([784, *self.hidden_units])]


@dataclass
class ConvNetConfig(ModelConfig):
    """`dropout` is the fraction dropped before the readout: 1 - keep_prob of the tutorial."""

    kind: Literal["convnet"] = "convnet"
    filters: list[int] = field(default_factory=lambda: [32, 64])
    kernel_size: int = 3
    conv_bias: bool = True
    dense_units: int | None = None
    dropout: float = 0.0

    def __post_init__(self) -> None:
        _check_widths("model.filters", self.filters)
        _check_range("model.kernel_size", self.kernel_size, low=1, high=28)
        _check_range("model.dense_units", self.dense_units, low=1, high=_MAX_WIDTH)
        _check_range("model.dropout", self.dropout, low=0, below=1)

    def layer_sizes(self) -> list[tuple[int, int]]:
        sizes, side = [], 28
        for before, filters in pairwise([1, *self.filters]):
            sizes.append((self.kernel_size**2 * before * filters, side**2 * filters))
            side = -(-side // 2)
        if self.dense_units is not None:
            sizes.append((side**2 * self.filters[-1] * self.dense_units, self.dense_units))
        return sizes


Distribution = Literal[
    "zeros", "constant", "normal", "truncated_normal", "glorot_uniform", "he_normal"
]


@dataclass
class InitializerConfig:
    """`value` belongs to constant, `stddev` to normal and truncated_normal, and to no other distribution."""

    distribution: Distribution = MISSING
    value: float | None = None
    stddev: float | None = None

    def check(self, key: str) -> None:
        takes = {"constant": "value", "normal": "stddev", "truncated_normal": "stddev"}.get(
            self.distribution
        )
        for name in ("value", "stddev"):
            given = getattr(self, name)
            if name == takes and given is None:
                raise ConfigError(
                    f"{key}.{name}: expected a number for distribution={self.distribution}, found null"
                )
            if name != takes and given is not None:
                raise ConfigError(
                    f"{key}.{name}={given}: has no effect with distribution={self.distribution}; expected null"
                )
        _check_range(f"{key}.value", self.value)
        _check_range(f"{key}.stddev", self.stddev, low=0)


@dataclass
class InitConfig:
    """Initial values by role; `readout` is the last dense layer, `bias` those of all other layers."""

    conv_kernel: InitializerConfig = MISSING
    dense_kernel: InitializerConfig = MISSING
    readout_kernel: InitializerConfig = MISSING
    bias: InitializerConfig = MISSING
    readout_bias: InitializerConfig = MISSING

    def __post_init__(self) -> None:
        for role in ("conv_kernel", "dense_kernel", "readout_kernel", "bias", "readout_bias"):
            getattr(self, role).check(f"init.{role}")


@dataclass
class LossConfig:
    """`from_probabilities` computes log(softmax(logits)) literally, as the notebook did: it may give NaN."""

    kind: Literal["cross_entropy", "self_entropy"] = MISSING
    reduction: Literal["mean", "sum"] = MISSING
    from_probabilities: bool = False


@dataclass
class OptimizerConfig:
    """`learning_rate` is the constant rate, or the largest rate of a schedule that changes it."""

    kind: str = MISSING
    learning_rate: float = MISSING

    def __post_init__(self) -> None:
        _check_range("optimizer.learning_rate", self.learning_rate, above=0)


@dataclass
class SgdConfig(OptimizerConfig):
    kind: Literal["sgd"] = "sgd"
    learning_rate: float = 0.01


@dataclass
class MomentumConfig(OptimizerConfig):
    kind: Literal["momentum"] = "momentum"
    learning_rate: float = 0.01
    momentum: float = 0.9
    nesterov: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_range("optimizer.momentum", self.momentum, low=0, below=1)


@dataclass
class AdamConfig(OptimizerConfig):
    """`epsilon` 1e-8 is TensorFlow 1's default, which the tutorials used; Keras' is 1e-7."""

    kind: Literal["adam"] = "adam"
    learning_rate: float = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_range("optimizer.beta_1", self.beta_1, low=0, below=1)
        _check_range("optimizer.beta_2", self.beta_2, low=0, below=1)
        _check_range("optimizer.epsilon", self.epsilon, above=0)


@dataclass
class AdamwConfig(AdamConfig):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019): w -= learning_rate * weight_decay * w."""

    kind: Literal["adamw"] = "adamw"  # type: ignore[assignment]
    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_range("optimizer.weight_decay", self.weight_decay, low=0)


@dataclass
class RmspropConfig(OptimizerConfig):
    kind: Literal["rmsprop"] = "rmsprop"
    learning_rate: float = 0.001
    rho: float = 0.9
    momentum: float = 0.0
    epsilon: float = 1e-7

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_range("optimizer.rho", self.rho, low=0, below=1)
        _check_range("optimizer.momentum", self.momentum, low=0, below=1)
        _check_range("optimizer.epsilon", self.epsilon, above=0)


@dataclass
class AdagradConfig(OptimizerConfig):
    kind: Literal["adagrad"] = "adagrad"
    learning_rate: float = 0.01
    initial_accumulator: float = 0.1
    epsilon: float = 1e-7

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_range("optimizer.initial_accumulator", self.initial_accumulator, low=0)
        _check_range("optimizer.epsilon", self.epsilon, above=0)


@dataclass
class ScheduleConfig:
    """How long to train, on what batches, and how the learning rate changes.

    With both `epochs` and `max_steps` set, training ends at whichever comes first.
    `train_accuracy_every` scores the next training batch, dropout off, before every N-th step (null = never).
    `stop_at_accuracy` ends training after an epoch whose val/accuracy is at least this fraction (null = never).
    """

    kind: Literal["constant", "cosine", "one_cycle"] = MISSING
    epochs: int | None = None
    max_steps: int | None = None
    batch_size: int = 100
    train_accuracy_every: int | None = None
    stop_at_accuracy: float | None = None

    def __post_init__(self) -> None:
        if self.epochs is None and self.max_steps is None:
            raise ConfigError(
                "schedule: expected schedule.epochs or schedule.max_steps, found neither"
            )
        for name in ("epochs", "max_steps", "batch_size", "train_accuracy_every"):
            _check_range(f"schedule.{name}", getattr(self, name), low=1, high=_MAX_COUNT)
        _check_range("schedule.stop_at_accuracy", self.stop_at_accuracy, low=0, high=1)

    def steps_per_epoch(self, num_train: int) -> int:
        """The last batch is smaller if the batch size does not divide the number of examples."""
        return -(-num_train // self.batch_size)

    def total_steps(self, num_train: int) -> int:
        """Training steps of a whole run: the smaller of `epochs` and `max_steps`."""
        whole = None if self.epochs is None else self.epochs * self.steps_per_epoch(num_train)
        return min(limit for limit in (self.max_steps, whole) if limit is not None)


@dataclass
class CosineScheduleConfig(ScheduleConfig):
    """Half a cosine from the learning rate down to `final_fraction` of it at the last step."""

    kind: Literal["cosine"] = "cosine"
    final_fraction: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_range("schedule.final_fraction", self.final_fraction, low=0, high=1)


@dataclass
class OneCycleScheduleConfig(ScheduleConfig):
    """Up from `initial_fraction` of the learning rate, then down to `final_fraction`, both along half a cosine.

    Smith and Topin 2018, arXiv:1708.07120; the defaults are those of PyTorch's OneCycleLR.
    """

    kind: Literal["one_cycle"] = "one_cycle"
    warmup_fraction: float = 0.3
    initial_fraction: float = 0.04
    final_fraction: float = 4e-6

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_range("schedule.warmup_fraction", self.warmup_fraction, low=0, high=1)
        _check_range("schedule.initial_fraction", self.initial_fraction, low=0, high=1)
        _check_range("schedule.final_fraction", self.final_fraction, low=0, high=1)


@dataclass
class TrackingConfig:
    """`uri` null is MLFLOW_TRACKING_URI, and without it MLflow's own default: mlflow.db in the current folder.

    `code` is what is recorded of a git checkout: its commit and every change, the commit alone, or nothing.
    """

    experiment: str = "mnist_exp"
    uri: str | None = None
    code: Literal["diff", "commit", "off"] = "diff"

    def __post_init__(self) -> None:
        if not self.experiment.strip():
            raise ConfigError("tracking.experiment: expected a name, found an empty string")
        _check_length("tracking.experiment", self.experiment)


@dataclass
class CheckpointConfig:
    """A checkpoint is written at every epoch's end, and inside an epoch after this many seconds without one."""

    every_seconds: float = 60.0

    def __post_init__(self) -> None:
        _check_range("checkpoint.every_seconds", self.every_seconds, above=0)


@dataclass
class ReferenceConfig:
    """What a tutorial reports for its run. Cost is per epoch, from epoch 1; batch accuracy from step 0."""

    source: str = MISSING
    test_accuracy: float | None = None
    cost: list[float] = field(default_factory=list)
    batch_accuracy: list[float] = field(default_factory=list)
    batch_accuracy_every: int = 100

    def cost_of(self, epoch: int) -> float | None:
        """The cost reported for a (1-based) epoch, None where nothing is reported."""
        return self.cost[epoch - 1] if epoch <= len(self.cost) else None


@dataclass
class BridgeConfig:
    """The size of `sweeps=bridge`: images a run trains on, in epochs, and seeds of each of its configurations."""

    epochs: float = 3.0
    seeds: int = 3

    def __post_init__(self) -> None:
        _check_range("bridge.epochs", self.epochs, above=0)
        _check_range("bridge.seeds", self.seeds, low=1)


# What a run can return to a sweep: the last epoch's scores, and the seconds of training without evaluation.
OBJECTIVES = ("val/accuracy", "val/cost", "test/accuracy", "time/training_seconds")


@dataclass
class Config:
    data: DataConfig = MISSING
    model: ModelConfig = MISSING
    init: InitConfig = MISSING
    loss: LossConfig = MISSING
    optimizer: OptimizerConfig = MISSING
    schedule: ScheduleConfig = MISSING
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    checkpoint: CheckpointConfig = field(default_factory=CheckpointConfig)
    resume: str | None = None
    best_of: str | None = None
    preflight: Literal["off", "warn", "error"] = "warn"
    deterministic: bool = True
    threads: int | None = None
    objective: list[str] = field(default_factory=lambda: ["val/accuracy"])
    bridge: BridgeConfig = field(default_factory=BridgeConfig)
    seed: int = 0
    variant: str | None = None
    run_name: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    reference: ReferenceConfig | None = None

    def __post_init__(self) -> None:
        _check_length("run_name", self.run_name or "")
        _check_range("seed", self.seed, low=0, high=2**63 - 1)
        _check_range("threads", self.threads, low=1, high=_MAX_WIDTH)
        for name in self.objective:
            if name not in OBJECTIVES:
                raise ConfigError(
                    f"objective={name}: expected one or more of {', '.join(OBJECTIVES)}"
                )
        for group in ("model", "optimizer", "schedule"):
            _check_kind(group, getattr(self, group))

    def memory_needed(self, num_train: int) -> int:
        """Bytes, roughly and at the least: weights with gradient and Adam's two slots, and one batch's activations."""
        sizes = self.model.layer_sizes()
        batch = min(self.schedule.batch_size, num_train)
        return sum(4 * 4 * weights + 2 * 4 * batch * outputs for weights, outputs in sizes)

    def to_dict(self) -> dict[str, Any]:
        """Plain nested dict of every setting."""
        return asdict(self)

    def hash(self) -> str:
        """12 hex digits over the settings that decide the result, but for the seed."""
        settings = self.to_dict()
        for key in ("seed", *NEUTRAL):
            del settings[key]
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


_SCHEMAS: dict[str, dict[str, type]] = {
    "model": {"softmax": SoftmaxConfig, "mlp": MlpConfig, "convnet": ConvNetConfig},
    "optimizer": {
        "sgd": SgdConfig,
        "momentum": MomentumConfig,
        "adam": AdamConfig,
        "adamw": AdamwConfig,
        "rmsprop": RmspropConfig,
        "adagrad": AdagradConfig,
    },
    "schedule": {
        "constant": ScheduleConfig,
        "cosine": CosineScheduleConfig,
        "one_cycle": OneCycleScheduleConfig,
    },
    "data": {"data": DataConfig},
    "init": {"init": InitConfig},
    "loss": {"loss": LossConfig},
}


_MAX_WIDTH = 65536


_MAX_NAME = 250  # characters; MLflow's databases have no room for longer names of runs


_MAX_COUNT = 10**9


def _check_kind(group: str, config: Any) -> None:
    """`kind` names the schema of a choice; it cannot be set to that of another."""
    expected = next(name for name, schema in _SCHEMAS[group].items() if schema is type(config))
    if config.kind != expected:
        raise ConfigError(
            f"{group}.kind={config.kind}: expected {expected}; {group}=OPTION chooses another kind"
        )


def _check_widths(key: str, widths: list[int]) -> None:
    if not widths:
        raise ConfigError(f"{key}=[]: expected at least one layer width, found none")
    for width in widths:
        _check_range(key, width, low=1, high=_MAX_WIDTH)


def refuse_password(key: str, text: str) -> None:
    """Raise ConfigError for an address with a password, or a token, in a setting: all of them are recorded."""
    if masked(text) != text:
        raise ConfigError(
            f"{key}={masked(text)}: holds a password, and settings are recorded with the run; leave it out"
        )


def refuse_passwords(config: Config) -> None:
    """As `refuse_password`, for all settings that are a user's own words."""
    tags = {f"tags.{name}": text for name, text in config.tags.items()}
    for key, text in {
        "run_name": config.run_name or "",
        "tracking.experiment": config.tracking.experiment,
        **tags,
    }.items():
        refuse_password(key, text)


def _check_length(key: str, name: str) -> None:
    """Raise ConfigError for a name that MLflow refuses, or cuts, so that nobody finds it again."""
    if len(name) > _MAX_NAME:
        raise ConfigError(
            f"{key}={name[:40]}...: expected at most {_MAX_NAME} characters, found {len(name)}"
        )


def _check_range(
    key: str,
    value: float | None,
    *,
    low: float | None = None,
    above: float | None = None,
    high: float | None = None,
    below: float | None = None,
) -> None:
    """Raise ConfigError unless value is None, or finite and within the bounds given."""
    if value is None:
        return
    bounds = [
        (low, low is None or value >= low, ">="),
        (above, above is None or value > above, ">"),
        (high, high is None or value <= high, "<="),
        (below, below is None or value < below, "<"),
    ]
    if not math.isfinite(value) or not all(holds for _, holds, _ in bounds):
        expected = " and ".join(f"{sign} {bound}" for bound, _, sign in bounds if bound is not None)
        raise ConfigError(
            f"{key}={value}: expected a {f'number {expected}' if expected else 'finite number'}"
        )
