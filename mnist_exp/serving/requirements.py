"""Name the packages that a logged model needs, in the versions that are installed here."""

import ast
import importlib.metadata
import sys
from collections.abc import Mapping

# What `mlflow models serve` installs to load any model of this package.
_ALWAYS = ("tensorflow", "keras", "numpy", "pandas", "pillow")


def requirements(sources: Mapping[str, bytes]) -> list[str]:
    """Return such as `keras==3.15.1` for each package.

    `sources` are the modules of the user's own that are packed with the model, {relative path:
    content}. What they import is named too, as far as it is installed as a package.
    """
    packed = {path.partition("/")[0].removesuffix(".py") for path in sources}
    modules = {name for source in sources.values() for name in _imported(source)}
    installed = importlib.metadata.packages_distributions() if sources else {}
    own = {
        name.lower()
        for module in modules - packed - sys.stdlib_module_names
        for name in installed.get(module, [])
    }
    names = [*_ALWAYS, *sorted(own.difference(_ALWAYS))]
    return [f"{name}=={importlib.metadata.version(name)}" for name in names]


def _imported(source: bytes) -> set[str]:
    """Return the first part of the name of each module that is imported anywhere in the source."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names
