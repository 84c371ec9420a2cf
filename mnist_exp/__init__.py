"""MNIST experiments: each difference between two TensorFlow tutorials is a setting."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mnist_exp.api.tables import history, runs
    from mnist_exp.api.training import run
    from mnist_exp.experiment.run_result import RunResult

__all__ = ["RunResult", "history", "run", "runs"]

# Where each name is. None is that of a package or a module here: to import that would replace it.
_PLACES = {
    "RunResult": "experiment.run_result",
    "history": "api.tables",
    "run": "api.training",
    "runs": "api.tables",
}


def __getattr__(name: str) -> Any:
    """Import on first use: `import mnist_exp` stays fast, and config errors need no TensorFlow.

    Hydra looks up `_target_` here, too: earlier module names lead to the present modules.
    """
    if name in _PLACES:
        return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    from mnist_exp.config.earlier_names import module_now

    if module := module_now(name):
        return import_module(module)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
