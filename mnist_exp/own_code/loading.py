"""Functions of a user's own, by the names in the settings."""

from collections.abc import Callable
from typing import Any

from mnist_exp.own_code.code import OwnCode
from mnist_exp.own_code.failures import OwnCodeError, calling, shown_file
from mnist_exp.own_code.finding import find
from mnist_exp.own_code.functions import missing, other_kind
from mnist_exp.own_code.names import parse

__all__ = ["OwnCodeError", "calling", "load"]


def load(name: str, setting: str, code: OwnCode | None) -> Callable[..., Any]:
    """Return the function MODULE:FUNCTION that a setting names, from the collected source.

    The source is what was read when it was collected, whatever its file holds by now. Modules run
    once for each OwnCode. Without one the source is collected now. Raises OwnCodeError.
    """
    function = parse(setting, name)
    if code is None:
        code = find([function])
        assert code is not None
    with calling(name, setting):
        module = code.modules.import_module(function.module)
    path = code.modules.path_of(function.module)
    file = function.module if path is None else shown_file(code.file(path))
    if not hasattr(module, function.function):
        own = [
            key
            for key, value in vars(module).items()
            if callable(value) and getattr(value, "__module__", "") == module.__name__
        ]
        raise missing(function, own, file)
    found: Any = getattr(module, function.function)
    if isinstance(found, type):
        raise other_kind(function, "a class", file)
    if not callable(found):
        kind = type(found).__name__
        raise other_kind(function, f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}", file)
    if getattr(found, "__name__", "") == "<lambda>":
        raise other_kind(function, "a lambda", file)
    result: Callable[..., Any] = found
    return result
