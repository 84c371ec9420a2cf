"""Preflight stands alone: it judges programs that the harness did not build."""

import ast
import sys
from pathlib import Path

import mnist_exp.preflight


def test_package_imports_nothing_of_the_harness() -> None:
    found = set()
    for path in Path(mnist_exp.preflight.__file__).parent.glob("[!_]*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                found.add((node.module or "").split(".")[0])
            elif isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
    assert found - sys.stdlib_module_names <= {"keras", "numpy", "tensorflow"}
