"""Who may import whom in the package, and that a mistake is answered without TensorFlow."""

import subprocess
import sys
from pathlib import Path

import pytest
from imports import imports

import mnist_exp.reproduce

PACKAGE = Path(mnist_exp.reproduce.__file__).parent
# Top to bottom; a module imports only from those above it, and of the harness only what is named.
ORDER = ["presets", "claims", "runs", "bug", "results", "figures", "page", "table", "__main__"]
HARNESS = {
    "checkpoint",
    "command",
    "compare",
    "config",
    "data",
    "environment",
    "errors",
    "experiment",
    "losses",
    "messages",
    "plot_style",
    "printing",
    "sweeper",
    "templates",
    "tracking",
    "training",
}
LIBRARIES = {
    "presets": set(),
    "claims": {"numpy", "scipy"},
    "runs": set(),
    "bug": {"numpy", "tensorflow"},
    "results": {"numpy"},
    "figures": {"matplotlib", "numpy"},
    "page": set(),
    "table": {"pandas"},
    "__main__": {"rich"},
}


def test_every_module_has_its_place() -> None:
    assert sorted(path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__") == sorted(
        ORDER
    )


@pytest.mark.parametrize("module", ORDER)
def test_imports_point_up_and_libraries_stay_in_their_modules(module: str) -> None:
    found = imports(PACKAGE / f"{module}.py", "mnist_exp.reproduce")
    assert found.own <= set(ORDER[: ORDER.index(module)])
    assert found.harness <= HARNESS
    assert found.libraries <= LIBRARIES[module]


def test_the_command_starts_without_heavy_libraries() -> None:
    code = (
        "import sys, mnist_exp.reproduce.__main__\n"
        "heavy = ('tensorflow', 'keras', 'mlflow', 'pandas', 'matplotlib')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
