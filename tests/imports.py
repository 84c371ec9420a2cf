"""What a module imports, read from its source."""

import ast
import sys
from pathlib import Path
from typing import NamedTuple


class Imports(NamedTuple):
    own: set[str]  # modules of the same package
    harness: set[str]  # other modules and packages of mnist_exp
    libraries: set[str]  # top-level packages, without Python's own


def imports(file: Path, package: str) -> Imports:
    """All that a module of `package` imports anywhere, but for type checking."""
    found = Imports(set(), set(), set())
    depth = package.count(".") + 1
    tree = ast.parse(file.read_text())
    tree.body = [
        node for node in tree.body if ast.unparse(node).split(":")[0] != "if TYPE_CHECKING"
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.libraries.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module, names = node.module or "", {alias.name for alias in node.names}
            if node.level:
                module = f"{package}.{module}".rstrip(".")
            if module == package:
                found.own.update(names)
            elif module.startswith(f"{package}."):
                found.own.add(module.split(".")[depth])
            elif module == "mnist_exp":
                found.harness.update(names)
            elif module.startswith("mnist_exp."):
                found.harness.add(module.split(".")[1])
            else:
                found.libraries.add(module.split(".")[0])
    return found._replace(libraries=found.libraries - set(sys.stdlib_module_names))
