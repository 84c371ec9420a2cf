"""The sweeper stands alone: it could be published without the rest of the project."""

import ast
import sys
from pathlib import Path

import mnist_exp.sweeper

LIBRARIES = {
    "hydra",
    "omegaconf",
    "optuna",
    "rich",
    "filelock",
    "psutil",
    "sqlalchemy",
    "numpy",
    "joblib",
}


def test_package_imports_nothing_of_the_harness() -> None:
    found = set()
    for path in Path(mnist_exp.sweeper.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0
                module = node.module or ""
                if module.split(".")[:2] != ["mnist_exp", "sweeper"]:
                    found.add(module.split(".")[0])
            elif isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
    assert found - sys.stdlib_module_names == LIBRARIES


def test_starting_hydra_does_not_import_optuna() -> None:
    """Hydra imports every plugin, whatever the command."""
    import subprocess

    code = "import sys, mnist_exp.sweeper.plugin; sys.exit('optuna' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
