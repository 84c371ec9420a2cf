"""Build a network from source of the user's own, which is packed beside its weights.

A copy of this file is part of every logged model, so its imports are relative.

The packed modules are executed under names of their own, and find one another by an `__import__` of
their own. So two models with different versions of one module load in the same process, and neither
takes the place of a module of the program that loads them.
"""

import builtins
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from .form import Form

RECIPE = "own.json"  # which function builds the network, and its options
WEIGHTS = "weights.npz"
FOLDER = "own_code"  # of the packed source


def save(folder: Path, build: str, options: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    """Write the recipe and the source, {relative path: content}, into the folder of a model."""
    recipe = {"build": build, "options": dict(options), "files": sorted(files)}
    (folder / RECIPE).write_text(json.dumps(recipe), encoding="utf-8")
    for path, source in files.items():
        file = folder / FOLDER / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(source)


def save_weights(network: Any, folder: Path) -> None:
    """Write all weights of the network, those that are not trained included, in their order.

    Formats that NumPy has not, such as bfloat16, are written as float32, which holds all of their
    values.
    """
    values = [np.asarray(weight) for weight in network.weights]
    values = [value.astype(np.float32) if value.dtype.kind == "V" else value for value in values]
    np.savez(folder / WEIGHTS, *values)


def sources(folder: Path) -> dict[str, bytes]:
    """Return the packed source, {relative path: content}; empty for a network without."""
    return {
        path.relative_to(folder / FOLDER).as_posix(): path.read_bytes()
        for path in sorted((folder / FOLDER).rglob("*"))
        if path.is_file()
    }


def build(folder: Path, form: Form) -> Any:
    """Return the network in the folder of a model, with its weights.

    Its own code runs as it did for training: on float32 and channels last.
    """
    recipe = json.loads((folder / RECIPE).read_text(encoding="utf-8"))
    module, _, function = recipe["build"].partition(":")
    with _usual_settings():
        make = getattr(_Modules(folder).load(module), function)
        network = make(form.image_shape, len(form.class_names), **recipe["options"])
        network(np.zeros((1, *form.image_shape), np.float32), training=False)  # makes all weights
    with np.load(folder / WEIGHTS, allow_pickle=False) as file:
        network.set_weights([file[f"arr_{number}"] for number in range(len(file.files))])
    return network


@contextmanager
def _usual_settings() -> Iterator[None]:
    """Set what Keras' layers take from its global settings, and put that back after the block."""
    from keras import config

    before = config.floatx(), config.epsilon(), config.image_data_format(), config.dtype_policy()
    _set("float32", 1e-7, "channels_last", "float32")
    try:
        yield
    finally:
        _set(*before)


def _set(floatx: str, epsilon: float, data_format: str, policy: Any) -> None:
    from keras import config

    config.set_floatx(floatx)
    config.set_epsilon(epsilon)
    config.set_image_data_format(data_format)
    config.set_dtype_policy(policy)


class _Modules:
    """The packed modules, executed under names that begin with a digest of all of them."""

    def __init__(self, folder: Path) -> None:
        files = sources(folder)
        self._files = {_name(path): (folder / FOLDER / path, files[path]) for path in files}
        digest = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()
        self._prefix = f"own_code_{digest[:12]}"
        self._tops = {name.partition(".")[0] for name in self._files}

    def load(self, name: str) -> ModuleType:
        """Return the module of this name; one that is not packed is imported as usual."""
        if name.partition(".")[0] not in self._tops:
            return __import__(name, fromlist=["_"])
        full = f"{self._prefix}.{name}"
        if full not in sys.modules:
            self._execute(name, full)
        return sys.modules[full]

    def _execute(self, name: str, full: str) -> None:
        """Run the module's file. A folder without __init__.py is an empty module."""
        parent, _, last = name.rpartition(".")
        above = self.load(parent) if parent else None
        if full in sys.modules:  # its package has imported it
            return
        path, source = self._files.get(name, (None, b""))
        if path is None and not any(other.startswith(f"{name}.") for other in self._files):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        module = ModuleType(full)
        is_package = path is None or path.name == "__init__.py"
        module.__package__ = full if is_package else full.rpartition(".")[0]
        module.__dict__["__builtins__"] = {**vars(builtins), "__import__": self._import}
        sys.modules[full] = module
        module.__file__ = str(path)
        try:
            exec(compile(source, module.__file__, "exec"), module.__dict__)  # noqa: S102  # it is that of whom loads it
        except BaseException:
            del sys.modules[full]
            raise
        if above is not None:
            setattr(above, last, module)

    def _import(
        self,
        name: str,
        globals: Mapping[str, Any] | None = None,
        locals: Mapping[str, Any] | None = None,
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """Import as `__import__` does, which has these arguments; packed modules come first."""
        if level and globals is not None:
            package = str(globals["__package__"]).split(".")[1:]
            name = ".".join([*package[: len(package) + 1 - level], *filter(None, [name])])
        if name.partition(".")[0] not in self._tops:
            return __import__(name, globals, locals, fromlist or (), 0)
        module = self.load(name)
        for item in fromlist or ():
            if not hasattr(module, item) and f"{name}.{item}" in self._files:
                self.load(f"{name}.{item}")
        return module if fromlist else self.load(name.partition(".")[0])


def _name(path: str) -> str:
    """Return the name of the module in the file of this relative path."""
    parts = path.removesuffix(".py").split("/")
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
