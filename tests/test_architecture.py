"""Who may import whom, checked from the imports themselves."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "mnist_exp"
# Top to bottom; a module imports only from those above it.
ORDER = [
    "errors", "interrupts", "results", "seeds", "bridge", "config", "messages", "sweeper", "search_spaces", "data",
    "command", "checkpoint", "resume", "reporting", "description", "initializers", "models", "losses", "optimizers",
    "preflight", "training", "environment", "unsent", "mlflow_settings", "compare", "preprocessing", "served_model",
    "model_package", "model_registry", "tracking", "figures", "study_figures", "study_report", "study_tracking",
    "experiment", "__init__", "__main__", "sync", "rerun", "explain", "reproduce", "trained_models", "drawing",
    "predict",
]  # fmt: skip
LIBRARIES = {
    "errors": set(), "interrupts": set(), "results": set(), "seeds": {"numpy"}, "bridge": set(),
    "search_spaces": set(), "config": {"hydra", "omegaconf"},
    "messages": {"hydra", "omegaconf"}, "data": {"numpy"}, "checkpoint": {"numpy", "filelock"}, "resume": set(),
    "reporting": {"rich"}, "description": set(), "initializers": {"keras"}, "models": {"keras"}, "losses": {"tensorflow"},
    "optimizers": {"keras", "tensorflow"}, "training": {"keras", "tensorflow", "numpy"}, "environment": set(),
    "unsent": {"filelock"}, "mlflow_settings": {"mlflow"}, "command": set(),
    "tracking": {"mlflow", "filelock", "numpy", "psutil", "yaml"},
    "figures": {"matplotlib", "numpy"}, "study_figures": {"matplotlib", "optuna", "plotly"},
    "study_report": set(),
    "study_tracking": {"mlflow", "yaml"}, "experiment": {"numpy", "psutil", "tensorflow"}, "__init__": set(),
    "__main__": {"hydra", "omegaconf"}, "sync": set(), "rerun": {"mlflow", "yaml"},
    "explain": {"numpy", "pandas", "rich"}, "preprocessing": {"numpy", "PIL"},
    "served_model": {"keras", "mlflow", "numpy", "pandas", "PIL"}, "model_package": {"mlflow", "numpy", "pandas"},
    "model_registry": {"mlflow"}, "trained_models": {"mlflow", "numpy", "pandas"}, "drawing": set(),
    "predict": {"numpy", "PIL", "rich"},
}  # fmt: skip


def imports(module: str) -> tuple[set[str], set[str]]:
    """(mnist_exp modules, other top-level packages) that a module imports anywhere, but for type checking."""
    import sys

    ours, others = set(), set()
    tree = ast.parse((PACKAGE / f"{module}.py").read_text())
    tree.body = [node for node in tree.body if ast.unparse(node).split(":")[0] != "if TYPE_CHECKING"]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            ours.add((node.module or "").split(".")[0])
        elif isinstance(node, ast.ImportFrom) and node.module == "mnist_exp":
            ours |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("mnist_exp."):
            ours.add(node.module.split(".")[1])
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
            others |= {name.split(".")[0] for name in names} - sys.stdlib_module_names
    return ours, others


def test_every_module_has_its_place() -> None:
    found = [path.stem for path in PACKAGE.glob("*.py")] + [
        path.parent.name for path in PACKAGE.glob("*/__init__.py")
    ]
    assert sorted(found) == sorted(ORDER)


PACKAGES = ("preflight", "sweeper", "compare", "reproduce")  # each has a test of its own
MODULES = [module for module in ORDER if module not in PACKAGES]


@pytest.mark.parametrize("module", MODULES)
def test_imports_point_up(module: str) -> None:
    ours, _ = imports(module)
    assert ours <= set(ORDER[: ORDER.index(module)])


@pytest.mark.parametrize("module", MODULES)
def test_libraries_stay_in_their_modules(module: str) -> None:
    _, others = imports(module)
    assert others <= LIBRARIES[module]
