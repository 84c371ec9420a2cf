"""Names of a run's metrics whose place in MLflow's lists matters, and what they were called before.

MLflow shows metrics in the order of their names. Nothing here comes before `test/accuracy`.
"""

BEST_ACCURACY, BEST_EPOCH = "val/best_accuracy", "val/best_epoch"
"""The highest validation accuracy and its epoch: one value a run, not one an epoch."""
TUTORIAL_ACCURACY, TUTORIAL_COST = "tutorial/test_accuracy", "tutorial/cost"
"""What the tutorial reports."""
PREFLIGHT_ERRORS, PREFLIGHT_WARNINGS = "trouble/preflight_errors", "trouble/preflight_warnings"
"""How many mistakes preflight found; preflight.json has them, with all its numbers."""

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
