"""MNIST experiments: each difference between two TensorFlow tutorials is a setting."""

import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mnist_exp.api.models import load_model
    from mnist_exp.api.sweeping import sweep
    from mnist_exp.api.tables import history, runs
    from mnist_exp.api.training import run
    from mnist_exp.compare.results import compare_runs
    from mnist_exp.experiment.run_result import RunResult
    from mnist_exp.explain.results import explain_study

__all__ = [
    "RunResult",
    "compare_runs",
    "explain_study",
    "history",
    "load_model",
    "run",
    "runs",
    "sweep",
]

# Where each name is. None is that of a package or a module here: to import that would replace it.
_PLACES = {
    "RunResult": "experiment.run_result",
    "compare_runs": "compare.results",
    "explain_study": "explain.results",
    "history": "api.tables",
    "load_model": "api.models",
    "run": "api.training",
    "runs": "api.tables",
    "sweep": "api.sweeping",
}


def __getattr__(name: str) -> Any:
    """Import on first use: `import mnist_exp` stays fast, and config errors need no TensorFlow.

    Hydra looks up `_target_` here, too: earlier module names lead to the present modules.
    """
    if name in _PLACES:
        # In a notebook tqdm, which MLflow loads, asks for a package that nothing here needs.
        warnings.filterwarnings("ignore", message="IProgress not found")
        return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
    from mnist_exp.config.earlier_names import module_now

    if module := module_now(name):
        return import_module(module)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
