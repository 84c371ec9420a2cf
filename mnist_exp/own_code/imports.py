"""Which modules a source imports, anywhere in it."""

import ast
from collections.abc import Iterator

# Names by which a package imports those of its modules that no import statement names.
_BY_NAME = {"import_module", "iter_modules", "walk_packages", "__import__", "__all__"}


def imported(tree: ast.Module, module: str, is_package: bool) -> Iterator[str]:
    """Yield the whole names that the module may import; some may be no modules but functions."""
    parents = module.split(".") if is_package else module.split(".")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = parents[: len(parents) + 1 - node.level] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            if source:
                yield source
            names = (alias.name for alias in node.names if alias.name != "*")
            yield from (f"{source}.{name}" if source else name for name in names)


def imports_by_name(tree: ast.Module) -> bool:
    """Return whether the source may import modules by names that are known when it runs."""
    named = (
        getattr(node, "attr", None) or getattr(node, "id", None) or getattr(node, "name", None)
        for node in ast.walk(tree)
    )
    return any(name in _BY_NAME for name in named)
