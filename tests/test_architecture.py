"""Who may import whom, checked from the imports themselves."""

from pathlib import Path

import pytest
from imports import imports

PACKAGE = Path(__file__).parent.parent / "mnist_exp"
# Top to bottom; a module imports only from those above it.
ORDER = [
    "uris",
    "errors",
    "plot_style",
    "startup_noise",
    "routes",
    "moments",
    "sweeps_source",
    "typed_text",
    "keras_state",
    "earlier_files",
    "results",
    "seeds",
    "bridge",
    "sweeper",
    "interrupts",
    "foreign_files",
    "printing",
    "templates",
    "config",
    "machine",
    "messages",
    "recorded",
    "search_spaces",
    "data",
    "command",
    "checkpoint",
    "resume",
    "reporting",
    "description",
    "initializers",
    "models",
    "losses",
    "optimizers",
    "preflight",
    "training",
    "credentials",
    "environment",
    "unsent",
    "moved_store",
    "mlflow_settings",
    "compare",
    "picture_files",
    "preprocessing",
    "judgement",
    "served_model",
    "calibration",
    "model_package",
    "foreign_models",
    "same_data",
    "model_registry",
    "delivery",
    "tracking",
    "figures",
    "study_figures",
    "study_report",
    "study_tracking",
    "experiment",
    "__init__",
    "__main__",
    "sync",
    "rerun",
    "explain",
    "reproduce",
    "trained_models",
    "drawing",
    "predict",
]
LIBRARIES = {
    "keras_state": {"keras", "tensorflow"},
    "earlier_files": {"hydra", "omegaconf"},
    "errors": set(),
    "plot_style": {"matplotlib"},
    "startup_noise": set(),
    "uris": set(),
    "routes": set(),
    "moments": set(),
    "sweeps_source": {"hydra"},
    "typed_text": {"hydra", "omegaconf", "yaml"},
    "interrupts": set(),
    "results": {"numpy"},
    "seeds": {"numpy"},
    "bridge": set(),
    "foreign_files": {"numpy", "yaml"},
    "printing": {"rich"},
    "templates": {"jinja2"},
    "recorded": set(),
    "search_spaces": set(),
    "config": {"hydra", "omegaconf"},
    "machine": {"psutil"},
    "messages": {"hydra", "omegaconf"},
    "data": {"numpy"},
    "checkpoint": {"numpy", "filelock"},
    "resume": set(),
    "reporting": {"rich"},
    "description": set(),
    "initializers": {"keras"},
    "models": {"keras"},
    "losses": {"tensorflow"},
    "optimizers": {"keras", "tensorflow"},
    "training": {"keras", "tensorflow", "numpy"},
    "credentials": set(),
    "environment": set(),
    "unsent": {"filelock"},
    "moved_store": set(),
    "mlflow_settings": {"mlflow", "sqlalchemy"},
    "command": set(),
    "delivery": {"mlflow", "numpy"},
    "tracking": {"mlflow", "numpy", "yaml"},
    "figures": {"matplotlib", "numpy"},
    "study_figures": {"matplotlib", "optuna", "plotly"},
    "study_report": set(),
    "study_tracking": {"mlflow", "omegaconf"},
    "experiment": {"numpy", "tensorflow"},
    "__init__": set(),
    "__main__": {"hydra", "omegaconf"},
    "sync": set(),
    "rerun": {"mlflow", "yaml"},
    "explain": {"numpy", "pandas", "rich"},
    "picture_files": {"numpy", "PIL", "pillow_heif"},
    "preprocessing": {"numpy", "PIL"},
    "served_model": {"keras", "mlflow", "numpy", "pandas", "PIL"},
    "model_package": {"mlflow", "numpy", "pandas"},
    "judgement": {"numpy"},
    "calibration": {"keras", "numpy"},
    "same_data": {"mlflow"},
    "foreign_models": {"mlflow", "numpy"},
    "model_registry": {"mlflow"},
    "trained_models": {"mlflow", "numpy", "pandas"},
    "drawing": set(),
    "predict": {"numpy", "PIL", "rich"},
}


def test_every_module_has_its_place() -> None:
    found = [path.stem for path in PACKAGE.glob("*.py")] + [
        path.parent.name for path in PACKAGE.glob("*/__init__.py")
    ]
    assert sorted(found) == sorted(ORDER)


PACKAGES = ("preflight", "sweeper", "compare", "reproduce")  # each has a test of its own
MODULES = [module for module in ORDER if module not in PACKAGES]


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_up(module: str) -> None:
    assert imports(PACKAGE / f"{module}.py", "mnist_exp").own <= set(ORDER[: ORDER.index(module)])


@pytest.mark.parametrize("module", MODULES)
def test_libraries_stay_in_their_modules(module: str) -> None:
    assert imports(PACKAGE / f"{module}.py", "mnist_exp").libraries <= LIBRARIES[module]
