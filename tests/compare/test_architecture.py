"""Who may import whom in the package, and that the command stays without Hydra and TensorFlow."""

import subprocess
import sys
from pathlib import Path

import pytest
from imports import imports

import mnist_exp.compare

PACKAGE = Path(mnist_exp.compare.__file__).parent
# Top to bottom; a module imports only from those above it, and of the harness only what is named.
ORDER = [
    "statistics",
    "runs",
    "groups",
    "comparison",
    "words",
    "table",
    "svg",
    "figures",
    "page",
    "__main__",
]
HARNESS = {
    "foreign_files",
    "printing",
    "sweeper",
    "uris",
    "routes",
    "command",
    "errors",
    "messages",
    "mlflow_settings",
    "data",
}
LIBRARIES = {
    "statistics": {"numpy", "scipy"},
    "runs": {"mlflow", "numpy", "pandas"},
    "groups": {"numpy", "pandas"},
    "comparison": {"numpy", "pandas"},
    "words": set(),
    "table": {"pandas", "rich"},
    "svg": set(),
    "figures": {"numpy"},
    "page": {"numpy"},
    "__main__": {"rich"},
}


def test_every_module_has_its_place() -> None:
    assert sorted(path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__") == sorted(
        ORDER
    )


@pytest.mark.parametrize("module", ORDER)
def test_imports_point_up_and_libraries_stay_in_their_modules(module: str) -> None:
    found = imports(PACKAGE / f"{module}.py", "mnist_exp.compare")
    assert found.own <= set(ORDER[: ORDER.index(module)])
    assert found.harness <= HARNESS
    assert found.libraries <= LIBRARIES[module]


def test_a_comparison_loads_neither_hydra_nor_tensorflow() -> None:
    code = (
        "import sys, mnist_exp.compare.__main__, mnist_exp.compare.page, mnist_exp.compare.table\n"
        "print([name for name in ('tensorflow', 'keras', 'hydra', 'matplotlib.pyplot') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
