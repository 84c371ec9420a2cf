"""Dataclass schema of the whole config tree, its registration with Hydra, and where `conf/` is.

The schemas fix names and types; `__post_init__` checks ranges when a composed config becomes a `Config` object.
Choices of a group that take different settings (a softmax model has no kernel size) have a schema each.
"""

import errno
import hashlib
import json
import math
import re
import shlex
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import hydra
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.conf import HydraConf
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import setup_globals
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import MISSING, DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from mnist_exp.config import bridge, sweeps_source
from mnist_exp.config.sweeps_source import SWEEPS_DIR, TREE_DIR
from mnist_exp.config.typed_text import ANY_KEY, as_typed, in_yaml, is_converted, text_settings
from mnist_exp.errors import ConfigError, first_line
from mnist_exp.outside.uris import masked

CONF_DIR = TREE_DIR / "conf"

# Targets that a config or command line may instantiate: what a sweep and conf/config.yaml name. All else is built
# from the schemas.
EXECUTION_WHITELIST = (
    "mnist_exp.config.earlier_files.EarlierFiles",
    "mnist_exp.studies.hooks.*",
    "mnist_exp.studies.search_spaces.*",
)

# Top-level settings that change nothing that is trained or scored. The seed does, but is no part of a config's identity.
NEUTRAL = (
    "variant",
    "run_name",
    "tags",
    "tracking",
    "checkpoint",
    "resume",
    "best_of",
    "preflight",
    "threads",
    "objective",
    "bridge",
    "reference",
)


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


def _register() -> None:
    """Make the schemas known to Hydra as `schema/GROUP/NAME`, and the resolvers that `conf/` uses.

    Done on import, so that a sweep's worker has them as soon as it unpickles its task.
    """
    sweeps_source.register()
    store = ConfigStore.instance()
    store.store("config", Config, group="schema", replace=True)
    for group, schemas in _SCHEMAS.items():
        for name, schema in schemas.items():
            store.store(name, schema, group=f"schema/{group}", replace=True)
    # ${unless:KEY,VALUE}: VALUE while the setting KEY is null, otherwise null.
    OmegaConf.register_resolver(
        "unless", lambda other, value: value if other is None else None, replace=True
    )
    OmegaConf.register_resolver("twice", lambda value: 2 * value, replace=True)
    OmegaConf.register_resolver("config_groups", _describe_groups, replace=True)
    OmegaConf.register_resolver("bridge_space", bridge.search_space, replace=True)
    OmegaConf.register_resolver("bridge_configurations", bridge.configurations, replace=True)
    OmegaConf.register_resolver("study_name", _study_name, replace=True)


def from_composed(composed: DictConfig) -> Config:
    """The checked `Config` of what Hydra composed. Raises ConfigError, or an OmegaConfBaseException for a bad type."""
    _refuse_additions(composed)
    config = OmegaConf.to_object(composed)
    assert isinstance(config, Config)
    return config


def from_dict(plain: Mapping[str, Any]) -> Config:
    """The checked `Config` that `Config.to_dict` gave, read back from a file perhaps; `kind` chooses a group's schema.

    A setting that is not in `plain` has its default. Raises as `from_composed` does, and ConfigError for a group or
    a kind that does not exist.
    """
    composed = OmegaConf.structured(Config)
    for group, schemas in _SCHEMAS.items():
        settings = plain.get(group)
        if not isinstance(settings, Mapping):
            raise ConfigError(f"{group}: expected settings, found {settings}")
        kind = str(settings.get("kind")) if len(schemas) > 1 else group
        if kind not in schemas:
            raise ConfigError(f"{group}.kind={kind}: expected one of {', '.join(sorted(schemas))}")
        composed[group] = OmegaConf.structured(schemas[kind])
    composed = OmegaConf.merge(composed, _literal(plain))
    assert isinstance(composed, DictConfig)
    return from_composed(composed)


def _literal(value: Any) -> Any:
    """Plain values whose texts OmegaConf takes as they are: `${` in one of them is no interpolation."""
    if isinstance(value, Mapping):
        return {key: _literal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_literal(item) for item in value]
    return re.sub(r"(\\*)\$\{", r"\1\1\\${", value) if isinstance(value, str) else value


def _refuse_additions(node: DictConfig, path: str = "") -> None:
    """Raise ConfigError for a key that its schema does not have: `+key=value` adds one without asking."""
    schema = OmegaConf.get_type(node)
    if not is_dataclass(schema):
        return
    known = {entry.name for entry in fields(schema)}
    for key in map(str, node):
        if key not in known:
            raise ConfigError(f"{path}{key}: no such setting\nSettings: {', '.join(sorted(known))}")
        if not OmegaConf.is_missing(node, key) and isinstance(node[key], DictConfig):
            _refuse_additions(node[key], f"{path}{key}.")


@dataclass(frozen=True)
class Settings:
    """A checked config, the option chosen in each group (`model: cnn3x3`), and the overrides that led there."""

    config: Config
    choices: dict[str, str]
    overrides: tuple[str, ...]

    @staticmethod
    def from_hydra(composed: DictConfig, hydra_config: Any) -> "Settings":
        """From what @hydra.main passes to its function and HydraConfig.get()."""
        _keep_text_of_yaml(composed, hydra_config)
        choices = {
            group: option
            for group, option in hydra_config.runtime.choices.items()
            if option is not None and "/" not in group and group != "sweeps"
        }
        return Settings(from_composed(composed), choices, tuple(hydra_config.overrides.task))

    def with_config(self, **settings: Any) -> "Settings":
        """The same but for some top-level settings of the config."""
        return replace(self, config=replace(self.config, **settings))

    def overrides_key(self, key: str) -> bool:
        """True if an override sets this top-level setting."""
        return any(_top_key(override) == key for override in self.overrides)

    @property
    def changes(self) -> list[str]:
        """The overrides that make the result differ from the chosen preset's, but for the seed."""
        neutral = {"experiment", "sweeps", "seed", *NEUTRAL}
        return [override for override in self.overrides if _top_key(override) not in neutral]


def _top_key(override: str) -> str:
    """`tags` of `+tags.course=ml`."""
    return re.split(r"[.=]", override.lstrip("+~"), maxsplit=1)[0]


def refuse_sweep(overrides: Sequence[str]) -> None:
    """Raise ConfigError for an override that only a sweep obeys: a run would have other settings and no sweep."""
    for override in overrides:
        key, _, value = override.lstrip("+").partition("=")
        of_sweeper = re.match(r"hydra[./]sweeper\b", key) is not None
        if of_sweeper or (key == "sweeps" and value not in ("null", "")):
            command = f"python -m mnist_exp -m {shlex.quote(override)}"
            raise ConfigError(f"{override}: `-m` is missing; {command} starts a sweep")


_COMPOSING = threading.RLock()  # Hydra's parser and loader are not made for threads


def compose(overrides: Sequence[str]) -> Settings:
    """Settings from overrides as on the command line, from this project's files alone, whatever application runs."""
    try:
        with _COMPOSING:
            composed = _loader().load_configuration(
                "config", as_meant(overrides), RunMode.RUN, from_shell=False
            )
    except (HydraException, OmegaConfBaseException):
        raise
    except Exception as error:
        raise composition_error(error) from error
    hydra_config = composed.hydra
    with open_dict(composed):
        del composed["hydra"]
    return Settings.from_hydra(composed, hydra_config)


def _loader() -> ConfigLoader:
    """The loader of our own command, which knows its --config-dir, if that is what runs; otherwise one of our own.

    It is Hydra's own class rather than `hydra.initialize`, which works in one thread and outside of another
    Hydra application only: both need the process's one GlobalHydra.
    """
    active = GlobalHydra.instance().hydra
    if active is not None:
        sources = active.config_loader.get_search_path().get_path()
        if any(source.provider == "main" and source.path == str(CONF_DIR) for source in sources):
            return active.config_loader
    return _own_loader()


@cache
def _own_loader() -> ConfigLoader:
    setup_globals()  # Hydra's resolvers
    return ConfigLoaderImpl(create_config_search_path(str(CONF_DIR)))


def as_meant(arguments: Sequence[str]) -> list[str]:
    """The overrides among a command's arguments as their authors mean them, other arguments unchanged.

    Text settings hold the text as typed, and `hydra.searchpath=[...]` adds folders to this project's.
    """
    groups = set(group_names())
    typed = [as_typed(argument, _texts(), groups) for argument in arguments]
    return [_SEARCHPATH.sub(r"\1mnist_exp://sweeps,", argument) for argument in typed]


_SEARCHPATH = re.compile(r"^(\+{0,2}hydra\.searchpath=\[)(?!.*mnist_exp://sweeps)")


@cache
def _texts() -> set[str]:
    """The keys of all settings that are text, ours and Hydra's."""
    schemas = [(group, schema) for group, kinds in _SCHEMAS.items() for schema in kinds.values()]
    of_groups = [text_settings(schema, f"{group}.") for group, schema in schemas]
    of_hydra = text_settings(HydraConf, "hydra.") | {"hydra.sweeper.study_name"}
    return text_settings(Config).union(of_hydra, *of_groups)


def _keep_text_of_yaml(composed: DictConfig, hydra_config: Any) -> None:
    """Give each text setting that is a number in its YAML file, as in `variant: 1.10`, the text that stands there."""
    typed = {override.lstrip("+").partition("=")[0] for override in hydra_config.overrides.task}
    for key in _texts():
        parent, _, name = key.rpartition(".")
        node = OmegaConf.select(composed, parent) if parent else composed
        if not isinstance(node, DictConfig):
            continue
        for entry in list(node) if name == ANY_KEY else [name]:
            value = None if OmegaConf.is_missing(node, entry) else node.get(entry)
            path = [*filter(None, parent.split(".")), str(entry)]
            if isinstance(value, str) and is_converted(value) and ".".join(path) not in typed:
                node[entry] = next(_written(path, value, hydra_config), value)


def _written(path: list[str], converted: str, hydra_config: Any) -> Iterator[str]:
    """The texts that became `converted` in the YAML files of the composed config, that of the last file first."""
    runtime = hydra_config.runtime
    folders = [Path(source.path) for source in runtime.config_sources if source.schema == "file"]
    choices = {"": hydra_config.job.config_name, **runtime.choices}
    for group, option in reversed(choices.items()):
        roots = [TREE_DIR] if group == "sweeps" else folders
        files = [root / group / f"{option}.yaml" for root in roots]
        inner = (
            path[1:] if path[0] == group else path
        )  # a group's file starts below the group's name
        for file in filter(Path.is_file, files):
            if (text := in_yaml(file, inner, converted)) is not None:
                yield text


def composition_error(error: Exception) -> ConfigError:
    """What Hydra raises, as Python's own exceptions, for some settings it cannot compose."""
    file = str(getattr(error, "filename", None) or "")
    sources = (TREE_DIR, Path(hydra.__file__).parent)
    if file and not any(Path(file).is_relative_to(source) for source in sources):
        # Hydra makes the output folder before it calls us.
        shown = file if len(file) <= 100 else f"{file[:100]}..."
        return ConfigError(
            f"the output folder {shown} cannot be made ({error.strerror})\n"  # type: ignore[attr-defined]
            "hydra.run.dir=FOLDER names another one, with -m hydra.sweep.dir=FOLDER"
        )
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return ConfigError(
            "a name on the command line is too long: Hydra looks for a file of that name"
        )
    return ConfigError(f"the settings cannot be composed: {first_line(error)}")


def find_preset(config: Config) -> Config | None:
    """The preset in `conf/experiment` with the same settings as `config` but for the seed, if there is one."""
    settings = config.to_dict()
    # Composing a preset takes 0.1 s, reading its file 3 ms: those that cannot be it are not composed.
    names = (
        name for name in group_options("experiment") if not _differs(settings, _preset_file(name))
    )
    return next((preset for preset in map(_preset, names) if preset.hash() == config.hash()), None)


@cache
def _preset(name: str) -> Config:
    return compose([f"experiment={name}"]).config


@cache
def _preset_file(name: str) -> dict[str, Any]:
    """What decides the result and is set in the file itself."""
    content: Any = OmegaConf.to_container(OmegaConf.load(CONF_DIR / "experiment" / f"{name}.yaml"))
    return {key: value for key, value in content.items() if key not in ("seed", *NEUTRAL)}


def _differs(settings: Mapping[str, Any], some: Mapping[str, Any]) -> bool:
    """Whether a number in `some` is another one in the settings; all else may be an expression."""
    return any(
        _differs(settings[key], value)
        if isinstance(value, Mapping) and isinstance(settings[key], Mapping)
        else isinstance(value, int | float) and settings[key] != value
        for key, value in some.items()
        if key in settings
    )


def group_options(group: str) -> list[str]:
    """The option names of a group, sorted."""
    return sorted(path.stem for path in _group_folders()[group].glob("*.yaml"))


def group_names() -> list[str]:
    return sorted(_group_folders())


def _group_folders() -> dict[str, Path]:
    folders = [
        path for path in [*CONF_DIR.iterdir(), SWEEPS_DIR] if path.is_dir() and path.name != "hydra"
    ]
    return {path.name: path for path in folders}


def _study_name(name: str, overrides: Sequence[str]) -> str:
    """${study_name:NAME,${hydra.overrides.task}}: the sweep's name, and what the command line changed in it."""
    changed = [override for override in overrides if not override.startswith("sweeps=")]
    return " ".join([name, *changed])


def _describe_groups() -> str:
    return "\n".join(f"  {group}: {', '.join(group_options(group))}" for group in group_names())


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


_register()
