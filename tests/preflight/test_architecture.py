"""Preflight stands alone: it judges programs that the harness did not build."""

import ast
import sys
from pathlib import Path

import mnist_exp.preflight

ADAPTERS = ("__main__.py", "harness.py")  # they check the harness's own programs


def test_package_imports_nothing_of_the_harness() -> None:
    imported = set()
    for path in Path(mnist_exp.preflight.__file__).parent.glob("*.py"):
        if path.name in ADAPTERS:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path.name}: a relative import"
                imported.add(node.module or "")
            elif isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
    ours = {name for name in imported if name.startswith("mnist_exp")}
    assert all(f"{name}.".startswith("mnist_exp.preflight.") for name in ours), ours
    libraries = {name.split(".")[0] for name in imported - ours} - sys.stdlib_module_names
    assert libraries == {"keras", "numpy", "tensorflow"}
