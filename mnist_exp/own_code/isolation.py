"""Run the source of some modules apart from all others of the process.

Each set of modules has a package of its own in `sys.modules`, such as `own_code_1`, so that two
versions of `my_models` can be in use at once, and none hides an installed module of its name. What
an import in these modules names is first looked for among themselves.

A logged model has a copy of this file: it imports nothing but the standard library.
"""

import builtins
import importlib
import importlib.abc
import importlib.util
import itertools
import linecache
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

_PREFIX = f"{__name__.replace('.', '_')}_"  # each copy of this file has other names
_numbers = itertools.count(1)
_in_use: dict[str, "Modules"] = {}  # by the name of their package


class Modules:
    """Modules that run once, when they are first imported.

    `sources` are their bytes by their path, as `nets/block.py` or `nets/__init__.py`; `files` is
    where each path was read, for `__file__` and tracebacks.
    """

    def __init__(self, sources: Mapping[str, bytes], files: Mapping[str, str]) -> None:
        self._sources, self._files = dict(sources), dict(files)
        self._left: dict[str, ModuleType] = {}  # what was in `sys.modules` before `release`
        self.package = f"{_PREFIX}{next(_numbers)}"
        self._builtins = {**vars(builtins), "__import__": self._import}

    def import_module(self, name: str) -> ModuleType:
        """Return the module with this name, such as `nets.block`. Raises what its code raises."""
        if self.package not in _in_use:
            root = ModuleType(self.package)
            root.__path__ = []
            self._use({self.package: root})
        return importlib.import_module(f"{self.package}.{name}")

    def _use(self, modules: Mapping[str, ModuleType]) -> None:
        """Let Python find these modules, and those that they import."""
        _in_use[self.package] = self
        sys.modules.update(modules)
        if _FINDER not in sys.meta_path:
            sys.meta_path.insert(0, _FINDER)

    def release(self) -> None:
        """Forget the modules; what is still used of them goes on to work, and to import others."""
        if _in_use.pop(self.package, None) is None:
            return
        own = (self.package, f"{self.package}.")
        names = [name for name in [*sys.modules] if name == own[0] or name.startswith(own[1])]
        self._left = {name: sys.modules.pop(name) for name in names}
        for file in self._files.values():
            linecache.cache.pop(file, None)

    def path_of(self, name: str) -> str | None:
        """Return the path of a module's source; None if it has none."""
        base = name.replace(".", "/")
        paths = (f"{base}/__init__.py", f"{base}.py")
        return next((path for path in paths if path in self._sources), None)

    def has(self, name: str) -> bool:
        """Return whether a module or a folder of modules has this name."""
        folder = name.replace(".", "/") + "/"
        return self.path_of(name) is not None or any(p.startswith(folder) for p in self._sources)

    def spec(self, full_name: str, name: str) -> ModuleSpec:
        """Return how the module is imported. Raises ModuleNotFoundError."""
        if not self.has(name):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        path = self.path_of(name)
        if path is None:  # a folder without __init__.py
            spec = ModuleSpec(full_name, None, is_package=True)
            spec.submodule_search_locations = []
            return spec
        file = self._files[path]
        loader = _Loader(self._sources[path], file, self._builtins)
        is_package = path.endswith("/__init__.py")
        spec = ModuleSpec(full_name, loader, origin=file, is_package=is_package)
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations = [str(Path(file).parent)]
        return spec

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """Stand for `__import__` in the modules: their own ones come first."""
        is_own = level > 0 or self.has(name)
        if is_own and self.package not in _in_use:  # a function that is called after `release`
            self._use(self._left)
        if level or not is_own:
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        imported = builtins.__import__(f"{self.package}.{name}", globals, locals, fromlist or (), 0)
        return imported if fromlist else sys.modules[f"{self.package}.{name.partition('.')[0]}"]


class _Loader(importlib.abc.InspectLoader):
    """Runs one source, whatever its file holds by now."""

    def __init__(self, source: bytes, file: str, names: dict[str, Any]) -> None:
        self._source, self._file, self._builtins = source, file, names

    def exec_module(self, module: ModuleType) -> None:
        text = importlib.util.decode_source(self._source)
        lines = [f"{line}\n" for line in text.split("\n")]
        # Without a time the entry is not compared with the file, which may be another one by now.
        linecache.cache[self._file] = (len(self._source), None, lines, self._file)
        code = compile(self._source, self._file, "exec", dont_inherit=True)
        vars(module)["__builtins__"] = self._builtins
        exec(code, vars(module))  # noqa: S102  # as every import does

    def get_source(self, fullname: str) -> str:
        return importlib.util.decode_source(self._source)


class _Finder(importlib.abc.MetaPathFinder):
    """Finds the modules that are in use, by their names in `sys.modules`."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, name = fullname.partition(".")
        modules = _in_use.get(package)
        return modules.spec(fullname, name) if modules is not None and name else None


_FINDER = _Finder()


def is_of_modules(name: object) -> bool:
    """Return whether a module with this `__name__` runs here."""
    return str(name).partition(".")[0] in _in_use


def plain(text: str) -> str:
    """Return the text with the modules' names as their authors know them."""
    for package in _in_use:
        text = text.replace(f"{package}.", "")
    return text
