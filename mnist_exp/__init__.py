"""MNIST experiments: each difference between two TensorFlow tutorials is a setting."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mnist_exp.experiment.outcome import RunResult
    from mnist_exp.experiment.runner import run

__all__ = ["RunResult", "run"]


def __getattr__(name: str) -> Any:
    """Import on first use: `import mnist_exp` stays fast, and config errors need no TensorFlow.

    Hydra looks up `_target_` here, too: earlier module names lead to the present modules.
    """
    if name in __all__:
        from mnist_exp.experiment import runner

        return getattr(runner, name)
    from mnist_exp.config.earlier_names import module_now

    if module := module_now(name):
        return import_module(module)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
