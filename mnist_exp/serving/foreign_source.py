"""The packed source of a network of the user's own: is it the source that the user has here?"""

import contextlib
import io
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from mnist_exp.errors import UserError
from mnist_exp.outside import foreign_files
from mnist_exp.own_code.code import OwnCode
from mnist_exp.serving.foreign_networks import MOST_BYTES
from mnist_exp.serving.own_source import FOLDER, RECIPE, WEIGHTS
from mnist_exp.sweeper.foreign_text import clean

MOST_CODE_BYTES = 2**20  # of a file of source
_MOST_FILES = 1000


def read(content: Callable[[str, int], bytes | None]) -> dict[str, bytes]:
    """Return the recipe, the source and the weights of a network, {relative path: content}.

    `content` reads a file of at most so many bytes, None if there is none. Without a recipe the
    result is empty. Raises ValueError for files that are none of a network, and UserError for
    source that is not here.
    """
    text = content(RECIPE, foreign_files.MAX_TEXT_BYTES)
    if text is None:
        return {}
    recipe = foreign_files.read_json(text, dict)
    build, names = _checked(recipe)
    sources = {name: content(f"{FOLDER}/{name}", MOST_CODE_BYTES) for name in names}
    weights = content(WEIGHTS, MOST_BYTES)
    whole = {name: source for name, source in sources.items() if source is not None}
    if weights is None or len(whole) < len(sources):
        raise ValueError(f"not all files that its {RECIPE} names are there")
    _require_here(build, whole)
    _check_weights(weights)
    packed = {f"{FOLDER}/{name}": source for name, source in whole.items()}
    return {RECIPE: text, WEIGHTS: weights, **packed}


def _checked(recipe: dict[str, Any]) -> tuple[str, list[str]]:
    """Return the function that builds the network and the paths of its source.

    Raises ValueError for a recipe of another form, and for a path that leads out of the folder.
    """
    build: Any = recipe.get("build")
    names: Any = recipe.get("files")
    is_whole = isinstance(build, str) and isinstance(recipe.get("options"), dict)
    if not (is_whole and isinstance(names, list)):
        raise ValueError(f"{RECIPE}: expected a text build, a mapping options and a list files")
    for name in names[:_MOST_FILES]:
        parts = name.split("/") if isinstance(name, str) else [""]
        if {"", ".", ".."} & set(parts) or "\\" in name or not name.endswith(".py"):
            raise ValueError(f"{RECIPE}: expected paths of Python files, found {clean(name, 100)}")
    return build, names[:_MOST_FILES]


def _require_here(build: str, sources: Mapping[str, bytes]) -> None:
    """Raise UserError unless the source is what Python imports here.

    Comments and layout do not count. Without the module of the function itself, another one of
    that name would be called, whatever it does.
    """
    module = build.partition(":")[0].replace(".", "/")
    file = next((name for name in (f"{module}.py", f"{module}/__init__.py") if name in sources), "")
    trained = OwnCode(sources=sources, folder="").digest
    if file and _digest(sources) == trained:
        return
    is_other = any((folder / file).is_file() for folder in _folders()) if file else False
    why = "differs from the one here" if is_other else "is not here"
    raise UserError(
        f"{clean(build, 100)} builds its network, and its source {why}\n"
        "--trust runs the Python code that is stored in the model, with all you may do"
    )


def _folders() -> list[Path]:
    """Return the folders from which Python imports, the current one first."""
    return [Path.cwd(), *(Path(entry) for entry in sys.path if entry)]


def _digest(sources: Mapping[str, bytes]) -> str | None:
    """Return the digest of these files, each from the first folder that has it.

    None if one is absent. Code may lie in several folders from which Python imports.
    """
    here: dict[str, bytes] = {}
    for path in sources:
        for folder in _folders():
            with contextlib.suppress(OSError):
                here[path] = (folder / PurePosixPath(path)).read_bytes()
                break
        else:
            return None
    return OwnCode(sources=here, folder="").digest


def _check_weights(weights: bytes) -> None:
    """Raise ValueError unless these are arrays of numbers, as `own_source.save_weights` writes."""
    try:
        with zipfile.ZipFile(io.BytesIO(weights)) as archive:
            count = len(archive.namelist())
    except zipfile.BadZipFile as error:
        raise ValueError(f"its {WEIGHTS} is damaged ({clean(error, 100)})") from error
    arrays: dict[str, tuple[str, int | None]] = {f"arr_{i}": ("fiub", None) for i in range(count)}
    foreign_files.read_npz(weights, arrays, MOST_BYTES)
