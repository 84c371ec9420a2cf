"""Find the source of the modules that the settings name, without running any of it."""

import ast
import functools
import importlib.util
import os
import sys
import sysconfig
import warnings
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

from mnist_exp.errors import did_you_mean
from mnist_exp.own_code.code import OwnCode
from mnist_exp.own_code.failures import OwnCodeError, shown_file
from mnist_exp.own_code.folders import look_again
from mnist_exp.own_code.functions import check
from mnist_exp.own_code.imports import imported, imports_by_name
from mnist_exp.own_code.names import Named
from mnist_exp.sweeper.foreign_text import clean

MOST_FILES = 500
MOST_BYTES = 2**20  # of one file
_OURS = "mnist_exp"
_INSTALLED = ("site-packages", "dist-packages")  # folders that hold packages of others


class ModuleNotHere(OwnCodeError):
    """A module that the settings name is nowhere."""


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where a module is: `root` is the folder of `sys.path` that has it or its package."""

    name: str
    path: str  # relative to the root
    file: str
    root: str
    source: bytes


def find(functions: Sequence[Named], folder: Path | None = None) -> OwnCode | None:
    """Return the source of the functions' modules, and of the modules beside them that they import.

    They are looked for in the current folder (or `folder`), then where Python finds modules. None
    if there are no functions. Raises OwnCodeError if a module or function is not there, if a source
    is no Python, or for options that the function does not take.
    """
    if not functions:
        return None
    search = _Search(str(folder or Path.cwd()))
    for function in functions:
        place = search.named(function)
        search.collect(place, function)
        check(function, search.trees[place.name], shown_file(place.file))
    return OwnCode(
        sources={place.path: place.source for place in search.places.values()},
        folder=search.folder,
        files={
            place.path: place.file
            for place in search.places.values()
            if place.file != f"{search.folder}/{place.path}"
        },
    )


def with_imports(path: str, source: bytes, function: Named) -> dict[str, bytes]:
    """Return a source that is in no file, and those of the modules here that it imports, by path.

    `function` is what the source is of, for messages. Raises OwnCodeError as `find` does.
    """
    search = _Search(str(Path.cwd()))
    name = path.removesuffix(".py").replace("/", "_")
    search.collect(_Place(name=name, path=path, file=path, root="", source=source), function)
    return {place.path: place.source for place in search.places.values()}


class _Search:
    """What was found so far: the places of the modules by their names, and their syntax trees."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.places: dict[str, _Place] = {}
        self.trees: dict[str, ast.Module] = {}
        here = (folder if entry in ("", ".") else entry for entry in sys.path)
        self._path = list(dict.fromkeys([folder, *here]))
        self._specs: dict[str, ModuleSpec | None] = {}
        self._installed_in = functools.cache(_installed_in)  # many modules have the same root
        look_again()

    def named(self, function: Named) -> _Place:
        """Return where the function's module is. Raises OwnCodeError."""
        if function.module.partition(".")[0] == _OURS:
            raise OwnCodeError(f"{function}: {_OURS} is no module of your own")
        spec = self._spec(function.module)
        if spec is None:
            raise ModuleNotHere(self._not_found(function))
        if spec.origin is None and spec.submodule_search_locations is not None:
            folder = shown_file(next(iter(spec.submodule_search_locations)))
            inside = _modules_in(spec.submodule_search_locations)
            names = ", ".join(f"{function.module}.{name}" for name in inside[:10])
            raise OwnCodeError(
                f"{function}: {folder} is a folder, without __init__.py\n"
                f"Its modules: {names or 'none'}"
            )
        place = self._place(function.module, spec, function)
        if place is not None and _is_of_python(place.root):
            raise OwnCodeError(
                f"{function}: {place.file} is a part of Python; expected a module of your own"
            )
        if place is None:
            where = spec.origin or "Python itself"
            raise OwnCodeError(
                f"{function}: {clean(where, 300)} has no source that can be recorded"
            )
        return place

    def collect(self, place: _Place, function: Named) -> None:
        """Note the module, its packages and what they import that lies beside them."""
        waiting = [place]
        while waiting:
            place = waiting.pop()
            if place.name in self.places:
                continue
            self.places[place.name] = place
            if len(self.places) > MOST_FILES:
                raise OwnCodeError(
                    f"{function}: imports more than {MOST_FILES} modules beside it\n"
                    "A function of a large package can be called in one of your own"
                )
            tree = self.trees[place.name] = _parsed(place, function)
            is_package = place.path.endswith("/__init__.py")
            names = [place.name, *imported(tree, place.name, is_package)]
            if is_package and imports_by_name(tree):
                inside = _modules_in([str(Path(place.file).parent)])
                names += [f"{place.name}.{name}" for name in inside]
            for name in dict.fromkeys(name for whole in names for name in _with_parents(whole)):
                if name not in self.places and (beside := self._beside(name, place, function)):
                    waiting.append(beside)

    def _beside(self, name: str, importer: _Place, function: Named) -> _Place | None:
        """Return where an imported module is, if it is the user's own, too."""
        top = name.partition(".")[0]
        if top == _OURS or any(
            finder.find_spec(top) is not None for finder in (BuiltinImporter, FrozenImporter)
        ):
            return None
        spec = self._spec(name)
        if spec is None or not (spec.origin or "").endswith(".py"):
            return None
        root = _root(name, spec)
        same_package = top == importer.name.partition(".")[0]
        if not same_package and _is_installed(top, root, self._installed_in):
            return None
        return self._place(name, spec, function)

    def _spec(self, name: str) -> ModuleSpec | None:
        """Return how Python would import the module, as if the folder came first; None if not."""
        if name not in self._specs:
            self._specs[name] = self._found(name)
        return self._specs[name]

    def _found(self, name: str) -> ModuleSpec | None:
        parent, _, last = name.rpartition(".")
        try:
            if parent:
                above = self._spec(parent)
                locations = None if above is None else above.submodule_search_locations
                # By its last part: for the whole name of a folder, its parent would be imported.
                return None if locations is None else PathFinder.find_spec(last, [*locations])
            return PathFinder.find_spec(name, self._path) or importlib.util.find_spec(name)
        except (ImportError, ValueError, OSError, AttributeError):
            return None

    def _place(self, name: str, spec: ModuleSpec, function: Named) -> _Place | None:
        """Return where the module's source is, with its bytes; None if it has no source."""
        file = spec.origin or ""
        if not file.endswith(".py"):
            return None
        try:
            loader: Any = spec.loader
            source = loader.get_data(file)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise OwnCodeError(f"{function}: {shown_file(file)}: {reason}") from error
        if len(source) > MOST_BYTES:
            raise OwnCodeError(
                f"{function}: {shown_file(file)}: expected at most {MOST_BYTES:,} bytes of source, "
                f"found {len(source):,}"
            )
        ending = "/__init__.py" if spec.submodule_search_locations is not None else ".py"
        path = name.replace(".", "/") + ending
        return _Place(name=name, path=path, file=file, root=_root(name, spec), source=source)

    def _not_found(self, function: Named) -> str:
        """Return what was looked for where, with a module that may be meant."""
        parent, _, last = function.module.rpartition(".")
        above = self._spec(parent) if parent else None
        if above is not None and above.submodule_search_locations is not None:
            inside = _modules_in(above.submodule_search_locations)
            near = did_you_mean(last, inside)
            where = ", ".join(map(shown_file, above.submodule_search_locations))
            return f"{function}: no module {last} in {where}{near}\nModules: {_listed(inside)}"
        inside = _modules_in([self.folder])
        near = did_you_mean(function.module.partition(".")[0], inside)
        return (
            f"{function}: no module {function.module.partition('.')[0]}{near}\n"
            f"Looked in {clean(self.folder, 300)} (modules: {_listed(inside)}) and in the packages "
            f"that are installed for {clean(sys.executable, 300)}"
        )


def _with_parents(name: str) -> Iterable[str]:
    """Return `nets`, then `nets.block`: importing a module imports its packages first."""
    parts = name.split(".")
    return (".".join(parts[: i + 1]) for i in range(len(parts)))


def _root(name: str, spec: ModuleSpec) -> str:
    """Return the folder of `sys.path` in which the module, or its topmost package, is."""
    is_package = spec.submodule_search_locations is not None
    levels = len(name.split(".")) + is_package
    root = spec.origin or ""
    for _ in range(levels):
        root = os.path.dirname(root)
    return root


def is_of_others(module: str) -> bool:
    """Return whether a module of this process belongs to Python, or to a package of others."""
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names or top == _OURS:
        return True
    spec = getattr(sys.modules.get(module) or sys.modules.get(top), "__spec__", None)
    if spec is None:
        return False
    root = _root(spec.name, spec)
    return _is_installed(top, root, _installed_in)


def _is_installed(top: str, root: str, installed_in: Callable[[str], set[str]]) -> bool:
    """Return whether a module below this folder is of a package of others, or Python's own.

    The lists of what was installed are read only of folders whose names do not tell.
    """
    known = os.path.basename(root) in _INSTALLED or _is_of_python(root)
    return known or top in installed_in(root)


def _installed_in(root: str) -> set[str]:
    """Return the modules that an installer has put into a folder with any name.

    For example with `pip install --target`. Of a package that was installed with `-e` the installer
    lists other files: the package is where its author writes it.
    """
    lists = [
        *Path(root).glob("*.dist-info/RECORD"),
        *Path(root).glob("*.egg-info/installed-files.txt"),
    ]
    found = set()
    for file in lists:
        with suppress(OSError):
            for line in file.read_text(errors="replace").splitlines():
                path = line.partition(",")[0].removeprefix("../")
                found.add(path.partition("/")[0].removesuffix(".py"))
    return found


def _is_of_python(root: str) -> bool:
    """Return whether the folder holds Python's own modules."""
    paths = sysconfig.get_paths()
    below = any(Path(root).is_relative_to(paths[name]) for name in ("stdlib", "platstdlib"))
    return below and not any(name in Path(root).parts for name in _INSTALLED)


def _modules_in(folders: Iterable[str]) -> list[str]:
    """Return the names of the modules and packages in the folders, sorted."""
    names = set()
    for folder in folders:
        try:
            entries = [*os.scandir(folder)]
        except OSError:
            continue
        for entry in entries:
            stem, dot, ending = entry.name.partition(".")
            is_module = entry.is_file() and dot and ending == "py"
            is_package = entry.is_dir() and os.path.isfile(f"{entry.path}/__init__.py")
            if (is_module and stem != "__init__") or is_package:
                names.add(stem)
    return sorted(names)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(clean(name, 60) for name in names[:8])
    return f"{shown} and {len(names) - 8} more" if len(names) > 8 else shown or "none"


def _parsed(place: _Place, function: Named) -> ast.Module:
    """Return the syntax tree of a source. Raises OwnCodeError, with the line, if it has none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(place.source, place.file, "exec", dont_inherit=True)
            return ast.parse(place.source, place.file)
    except SyntaxError as error:
        line = f", line {error.lineno}" if error.lineno else ""
        text = f": {clean(error.text, 200)}" if error.text and error.text.strip() else ""
        raise OwnCodeError(
            f"{function}: {clean(error.msg, 200)}\n{shown_file(place.file)}{line}{text}"
        ) from error
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        raise OwnCodeError(
            f"{function}: {shown_file(place.file)} cannot be read as Python ({clean(error, 200)})"
        ) from error
