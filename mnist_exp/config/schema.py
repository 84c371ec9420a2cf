"""All settings of a run; those of the groups in conf/ are in `group_schemas`."""

from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal

from omegaconf import MISSING

from mnist_exp.config.group_schemas import (
    DataConfig,
    LossConfig,
    ModelConfig,
    ScheduleConfig,
    check_kind,
)
from mnist_exp.config.identity import BEFORE, NEUTRAL, digest_of
from mnist_exp.config.init_schema import InitConfig
from mnist_exp.config.optimizer_schemas import OptimizerConfig
from mnist_exp.config.ranges import Checked, setting
from mnist_exp.errors import ConfigError
from mnist_exp.outside.uris import masked

MAX_THREADS = 65536
_MAX_NAME = 250  # characters; MLflow's databases refuse or cut a longer name of a run

# What a run can return to a sweep: scores of the last epoch, and the seconds of training without
# evaluation.
OBJECTIVES = ("val/accuracy", "val/cost", "test/accuracy", "time/training_seconds")


@dataclass(kw_only=True)
class TrackingConfig(Checked):
    """Where and what MLflow records.

    experiment: the name of the list of runs in MLflow, which calls such a list an experiment
    uri: the store, which is MLflow's server or database; null is the variable
        MLFLOW_TRACKING_URI, or mlflow.db in the current folder
    code: what is recorded of a git checkout: diff is its commit and all changes
    """

    prefix: ClassVar[str] = "tracking."
    experiment: str = setting("mnist_exp", max_length=_MAX_NAME)
    uri: str | None = None
    code: Literal["diff", "commit", "off"] = "diff"

    def check(self) -> None:
        """Raise ConfigError for an experiment without a name."""
        if not self.experiment.strip():
            raise ConfigError("tracking.experiment: expected a name, found an empty string")


@dataclass(kw_only=True)
class CheckpointConfig(Checked):
    """When a checkpoint is written: at the end of every epoch, and within an epoch.

    every_seconds: the seconds between two checkpoints within an epoch
    """

    prefix: ClassVar[str] = "checkpoint."
    every_seconds: float = setting(60.0, above=0)


@dataclass(kw_only=True)
class EvaluateConfig(Checked):
    """When the images that training does not see are scored; those of validation every epoch.

    test: when the test images are scored: every_epoch, or end, which is after the last epoch; null
        is every_epoch, in a sweep end
    """

    prefix: ClassVar[str] = "evaluate."
    test: Literal["every_epoch", "end"] | None = None


@dataclass(kw_only=True)
class ReferenceConfig(Checked):
    """What a tutorial reports for its run; the four presets of the tutorials set it.

    source: the tutorial whose numbers stand beside the results; presets set it
    test_accuracy: the test accuracy after training, as a fraction; null is not reported
    cost: the mean cost of each epoch, from epoch 1
    batch_accuracy: the accuracies on the next batch, from step 0
    batch_accuracy_every: the steps between two of these accuracies
    """

    prefix: ClassVar[str] = "reference."
    source: str = MISSING
    test_accuracy: float | None = setting(None, low=0, high=1)
    cost: list[float] = setting([], can_be_empty=True)
    batch_accuracy: list[float] = setting([], low=0, high=1, can_be_empty=True)
    batch_accuracy_every: int = setting(100, low=1)

    def cost_of(self, epoch: int) -> float | None:
        """Return the cost reported for a (1-based) epoch, None if nothing is reported."""
        return self.cost[epoch - 1] if epoch <= len(self.cost) else None


@dataclass(kw_only=True)
class BridgeConfig(Checked):
    """The size of the study sweeps=bridge.

    epochs: the passes over the training images of each run of sweeps=bridge, perhaps a fraction
    seeds: the runs of each configuration of sweeps=bridge, each with its own seed
    """

    prefix: ClassVar[str] = "bridge."
    epochs: float = setting(3.0, above=0)
    seeds: int = setting(3, low=1)


@dataclass(kw_only=True)
class Config(Checked):
    """All settings of a run.

    seed: the number from which all random numbers are made: weights, order of images, dropout
    preflight: the checks before training: warn reports mistakes, error stops at one, off skips them
    resume: a RUN_ID to go on with, or auto for the newest unfinished one of these settings; null is
        a new run
    best_of: the study whose best trial is trained in full; null is not used
    deterministic: whether the same settings give the same numbers on this machine, to the last bit
    precision: what the layers compute in while they train; weights, loss and evaluation are float32
    trust_code: whether code of one's own that only a record names may run, not the command
    threads: the threads of one operation; null is the number of cores, in a sweep a worker's share
    objective: the metrics that a sweep optimises
    variant: the name of the program; null is a name that follows from the settings, such as
        cnn7x7-adam; a preset that is not changed keeps its own
    run_name: the run's name in MLflow; null is the variant and the seed
    tags: more tags for the run in MLflow, each added as +tags.NAME=TEXT
    """

    data: DataConfig = MISSING
    model: ModelConfig = MISSING
    init: InitConfig = MISSING
    loss: LossConfig = MISSING
    optimizer: OptimizerConfig = MISSING
    schedule: ScheduleConfig = MISSING
    tracking: TrackingConfig = field(default_factory=TrackingConfig)
    checkpoint: CheckpointConfig = field(default_factory=CheckpointConfig)
    evaluate: EvaluateConfig = field(default_factory=EvaluateConfig)
    resume: str | None = None
    best_of: str | None = None
    preflight: Literal["off", "warn", "error"] = "warn"
    deterministic: bool = True
    precision: Literal["float32", "bfloat16"] = "float32"
    trust_code: bool = False
    threads: int | None = setting(None, low=1, high=MAX_THREADS)
    objective: list[str] = field(default_factory=lambda: ["val/accuracy"])
    bridge: BridgeConfig = field(default_factory=BridgeConfig)
    seed: int = setting(0, low=0, high=2**63 - 1)
    variant: str | None = None
    run_name: str | None = setting(None, max_length=_MAX_NAME)
    tags: dict[str, str] = field(default_factory=dict)
    reference: ReferenceConfig | None = None

    def check(self) -> None:
        """Raise ConfigError for an unknown objective, or a `kind` of another option's schema."""
        for name in self.objective:
            if name not in OBJECTIVES:
                raise ConfigError(
                    f"objective={name}: expected one or more of {', '.join(OBJECTIVES)}"
                )
        for group in ("model", "loss", "optimizer", "schedule"):
            check_kind(group, getattr(self, group))

    def to_dict(self) -> dict[str, Any]:
        """Return every setting as plain nested dicts."""
        return asdict(self)

    def program(self) -> dict[str, Any]:
        """Return the settings that decide the result, without the seed, as plain nested dicts.

        Names of classes and the precision are among them only if they are set: a run from before
        there were these settings is the same program.
        """
        settings = self.to_dict()
        for key, value in BEFORE.items():
            if settings[key] == value:
                del settings[key]
        if self.data.class_names is None:
            del settings["data"]["class_names"]
        return {key: value for key, value in settings.items() if key not in ("seed", *NEUTRAL)}

    def hash(self) -> str:
        """Return 12 hex digits over the settings that decide the result, without the seed."""
        return digest_of(self.program())


def refuse_password(key: str, text: str) -> None:
    """Raise ConfigError for an address with a password or token: all settings are recorded."""
    if masked(text) != text:
        raise ConfigError(
            f"{key}={masked(text)}: holds a password, and settings are recorded with the run; "
            "leave it out"
        )


def refuse_passwords(config: Config) -> None:
    """Raise ConfigError for a password in a setting that is the user's own words."""
    refuse_password("run_name", config.run_name or "")
    refuse_password("tracking.experiment", config.tracking.experiment)
    for name, text in config.tags.items():
        refuse_password(f"tags.{name}", text)
