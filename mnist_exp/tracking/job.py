"""What a run is before it has begun: one value for all that trains, records or shows the run."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mnist_exp.config.group_schemas import OwnModelConfig
from mnist_exp.config.schema import ReferenceConfig
from mnist_exp.config.settings import Settings
from mnist_exp.data import Dataset
from mnist_exp.own_code import session
from mnist_exp.own_code.code import NOTHING_OWN, Own, OwnCode
from mnist_exp.own_code.names import Named, parse
from mnist_exp.training.checkpoint import RunState


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a run comes from. This class is a run by itself; `studies.trial` has a trial's."""

    name_prefix: str = ""
    """What the run's name begins with, if no setting names the run."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of the run in MLflow, added to those from the settings."""
    resume_id: str | None = None
    """The run that an earlier try of the same trial began."""
    threads: int | None = None
    """The threads of TensorFlow where the settings name no number; None for all cores."""
    is_retried: bool = False
    """True for a trial: the study resumes it.

    So its length is not checked and no command is printed.
    """
    tests_at_end: bool = False
    """True if test images are scored only after the last epoch, unless a setting says otherwise."""
    keeps_model: bool = True
    """True if the run logs its model and its figures."""
    codes: Mapping[str, OwnCode] = field(default_factory=dict)
    """Code of the user's own that was read before, by what the settings name of it."""

    def remember(self, run_id: str) -> None:
        """Note which run this is, for a later try."""

    def report(self, value: float, epoch: int) -> None:
        """Report the objective after an epoch. Raises optuna.TrialPruned to end the run here."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """One run, with all that is known of it before TensorFlow loads."""

    settings: Settings
    """The checked settings; `settings.config.variant` is `variant`."""
    run_name: str
    variant: str
    """The name of the preset, or of the model and the optimizer."""
    reference: ReferenceConfig | None
    """What the tutorial claims about this variant."""
    changes: tuple[str, ...]
    """The overrides by which the run differs from its preset, or from the defaults without one."""
    dataset: Dataset
    own: Own = NOTHING_OWN
    state: RunState | None = None
    """The checkpoint to go on from; None for a new run."""
    origin: Origin = Origin()

    @property
    def run_id(self) -> str | None:
        """The id of the run to go on with; None for a new run."""
        return None if self.state is None else str(self.state.record["run_id"])

    @property
    def network_source(self) -> tuple[Named, Mapping[str, bytes]] | None:
        """The user's own function that has built the network, and the source of its modules.

        None for a network of this package, and for one that Python gave to the run.
        """
        config, own = self.settings.config.model, self.own
        if not isinstance(config, OwnModelConfig) or own.code is None or own.model is not None:
            return None
        return parse("model.build", config.build, config.options), session.lasting(own.code)

    @property
    def is_scored_on_train(self) -> bool:
        """Whether the run's own training images are its validation and test images, too."""
        return self.settings.config.data.eval_on_train

    @property
    def tests_every_epoch(self) -> bool:
        """Whether test images are scored after each epoch: always if a study looks at the score."""
        default = "end" if self.origin.tests_at_end else "every_epoch"
        config = self.settings.config
        chosen = config.evaluate.test or default
        return chosen == "every_epoch" or "test/accuracy" in config.objective

    @property
    def total_steps(self) -> int:
        """The training steps of the whole run, those before a resumption included."""
        return self.settings.config.schedule.total_steps(len(self.dataset.train))
