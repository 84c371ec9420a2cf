"""Names of a run's metrics: those of an epoch, and what others were called before.

MLflow shows metrics in the order of their names. Nothing here comes before `test/accuracy`.
"""

from mnist_exp.config.schema import ReferenceConfig
from mnist_exp.training.results import EpochResult

BEST_ACCURACY, BEST_EPOCH = "val/best_accuracy", "val/best_epoch"
"""The highest validation accuracy and its epoch: one value a run, not one an epoch."""
TUTORIAL_ACCURACY, TUTORIAL_COST = "tutorial/test_accuracy", "tutorial/cost"
"""What the tutorial reports."""
PREFLIGHT_ERRORS, PREFLIGHT_WARNINGS = "trouble/preflight_errors", "trouble/preflight_warnings"
"""How many mistakes preflight found; preflight.json has them, with all its numbers."""
STEP_CURVES = ("train/step_cost", "train/step_accuracy")
"""Curves over the training steps, whose points are means since the point before."""
PROCESSOR_SECONDS = "time/processor_seconds"
"""What an epoch took of the processor, all cores together, with evaluation and tracking."""

_EARLIER = {
    "best/val_accuracy": BEST_ACCURACY,
    "best/epoch": BEST_EPOCH,
    "reference/test_accuracy": TUTORIAL_ACCURACY,
    "reference/cost": TUTORIAL_COST,
    "preflight/errors": PREFLIGHT_ERRORS,
    "preflight/warnings": PREFLIGHT_WARNINGS,
}


def present(name: str) -> str:
    """Return what a metric that a run of any version has is called now."""
    return _EARLIER.get(name, name)


def of_epoch(result: EpochResult, reference: ReferenceConfig | None) -> dict[str, float]:
    """Return an epoch's metrics by name, with the cost that the tutorial reports for it, if any."""
    test = result.test
    values = {
        **({} if test is None else {"test/accuracy": test.accuracy, "test/cost": test.cost}),
        "val/accuracy": result.val.accuracy,
        "val/cost": result.val.cost,
        "train/cost": result.cost,
        "train/accuracy": result.train_accuracy,
        "time/epoch_seconds": result.seconds,
        "time/images_per_second": result.images_per_second,
    }
    claim = None if reference is None else reference.cost_of(result.epoch)
    return values if claim is None else {**values, TUTORIAL_COST: claim}
