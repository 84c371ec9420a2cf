"""MNIST experiments: every difference between two TensorFlow tutorials as a setting, each run tracked."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mnist_exp.experiment.runner import RunResult, run

__all__ = ["RunResult", "run"]


def __getattr__(name: str) -> Any:
    """Import on first use: `import mnist_exp` stays fast, and config errors need no TensorFlow."""
    if name in __all__:
        from mnist_exp.experiment import runner as experiment

        return getattr(experiment, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
