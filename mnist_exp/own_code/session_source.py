"""The source of a function or class that a Python session holds, with all that it refers to there.

A function of a notebook uses what other cells have defined. The text that is recorded has those
functions, classes, plain values and imports, too, so that it can be pasted into a module.
"""

import ast
import builtins
import dis
import hashlib
import inspect
import linecache
import os
import sys
import textwrap
import warnings
from collections.abc import Iterator, Mapping
from importlib.machinery import PathFinder
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from mnist_exp.own_code.folders import look_again

_PLAIN = (int, float, complex, str, bytes, bool, type(None))
_LONGEST = 2000  # characters of a value that is written out


def source_text(thing: Any) -> str:
    """Return a Python text for a function, a class, or another object that can be called.

    Two texts are equal if the source is, and the values that it refers to. Where Python does not
    know the source, a digest of the compiled code stands for it. What is no Python when it stands
    at the top of a module, such as a function with `nonlocal`, is given as one string.
    """
    parts: dict[tuple[str, int], str] = {}
    _visit(_name(thing), thing, _home(thing), parts)
    text = "\n\n".join(parts.values()) + "\n"
    return text if _is_python(text) else f"source = {text!r}\n"


def _is_python(text: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "session", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError):
        return False
    return True


def is_in_module(function: FunctionType) -> bool:
    """Return whether a function stands at the top of a module that can be imported anew.

    A module of the session itself cannot, nor one that Python found in a folder where it looks no
    more.
    """
    name, module = function.__name__, function.__module__
    if module in (None, "__main__") or getattr(sys.modules.get(module), name, None) is not function:
        return False
    try:
        file = inspect.getsourcefile(function)
    except TypeError:
        return False
    top = module.partition(".")[0]
    look_again()
    found = PathFinder.find_spec(top, [os.getcwd(), *sys.path])
    return file is not None and os.path.isfile(file) and found is not None and name.isidentifier()


def _name(thing: Any) -> str:
    return str(getattr(thing, "__name__", type(thing).__name__))


def _home(thing: Any) -> str:
    """Return the module whose functions and classes are written out, and not imported."""
    while hasattr(thing, "func"):  # functools.partial
        thing = thing.func
    kind = thing if isinstance(thing, FunctionType | type) else type(thing)
    return str(kind.__module__)


def _visit(name: str, value: Any, home: str, parts: dict[tuple[str, int], str]) -> None:
    """Add what `name` stands for, once, after what it refers to itself."""
    key = name, id(value)
    if key in parts:
        return
    parts[key] = ""  # it may refer to itself
    for other, needed in _referred_to(value, home):
        _visit(other, needed, home, parts)
    parts.pop(key)
    parts[key] = _text(name, value, home)


def _text(name: str, value: Any, home: str) -> str:
    """Return the statements that define the name."""
    if isinstance(value, ModuleType):
        return f"import {value.__name__} as {name}"
    if isinstance(value, BuiltinFunctionType):
        return _imported(name, value)
    if isinstance(value, FunctionType | type):
        return _imported(name, value) if _is_elsewhere(value, home) else _definition(name, value)
    if _is_plain(value):
        return f"{name} = {value!r}"
    if hasattr(value, "func") and hasattr(value, "keywords"):  # functools.partial
        given = [*map(_shown, value.args), *(f"{k}={_shown(v)}" for k, v in value.keywords.items())]
        return f"{name} = functools.partial({', '.join([_name(value.func), *given])})"
    return f"{name} = {_shown(value)}"


def _imported(name: str, value: Any) -> str:
    """Return an import of a function or class; of one inside another, its module's and its name."""
    module, inside = value.__module__, value.__qualname__
    if module is None:  # a method of an object that is written in C
        return f"{name} = {inside!r}"
    if "." in inside:
        return f"import {module}\n{name} = {f'{module}.{inside}'!r}"
    return f"from {module} import {inside} as {name}"


def _is_elsewhere(value: Any, home: str) -> bool:
    """Return whether a function or class belongs to a module that can be imported."""
    return value.__module__ not in (home, "__main__") and "<" not in value.__qualname__


def _definition(name: str, value: Any) -> str:
    """Return the source of a function or class, or a digest of its code where that is unknown."""
    word, source = name.strip("<>"), _lines(value)
    if value.__name__ == "<lambda>" and source:
        # Python knows the lines around it, in which several may be.
        source = f"{word}_source = {source!r}\n{word}_code = {_digest(value)!r}"
    defaults = [*(getattr(value, "__defaults__", ()) or ())]
    defaults += (getattr(value, "__kwdefaults__", {}) or {}).values()
    known = f"\n{word}_defaults = [{', '.join(map(_shown, defaults))}]" if defaults else ""
    return (source or f"{word}_code = {_digest(value)!r}") + known


def _lines(value: Any) -> str:
    """Return the source of a function or class, or "" where Python does not know it."""
    try:
        if isinstance(value, type):
            return _class_source(value)
        return textwrap.dedent(inspect.getsource(value)).strip()
    except (OSError, TypeError, SyntaxError):
        return ""


def _class_source(value: type) -> str:
    """Return the source of a class: of one in a notebook Python knows only the methods' lines."""
    for function in _functions(value):
        text = "".join(linecache.getlines(function.__code__.co_filename))
        line = function.__code__.co_firstlineno
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.ClassDef) or node.name != value.__name__:
                continue
            if node.lineno <= line <= (node.end_lineno or 0):
                return textwrap.dedent(ast.get_source_segment(text, node, padded=True) or "")
    return ""


def _functions(value: Any) -> Iterator[FunctionType]:
    """Yield a function itself, and of a class its methods."""
    members = vars(value).values() if isinstance(value, type) else [value]
    for member in members:
        function = getattr(member, "__func__", member)
        if isinstance(function, FunctionType):
            yield function


def _digest(value: Any) -> str:
    """Return 16 hex digits over compiled code, wherever it was compiled, and a class's values."""
    codes = [_shape(function.__code__) for function in _functions(value)]
    values = [pair for pair in vars(value).items() if _is_plain(pair[1]) and pair[0][:2] != "__"]
    return hashlib.sha256(repr((codes, values)).encode()).hexdigest()[:16]


def _shape(code: CodeType) -> tuple[Any, ...]:
    constants = [_shape(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return code.co_code.hex(), code.co_names, code.co_varnames, constants


def _referred_to(value: Any, home: str) -> Iterator[tuple[str, Any]]:
    """Yield the global names, closed-over names and defaults that a value of the session uses."""
    if hasattr(value, "func") and hasattr(value, "keywords"):
        yield _name(value.func), value.func
    elif isinstance(value, FunctionType | type):
        if _is_elsewhere(value, home):
            return
        for base in getattr(value, "__bases__", ()):
            if base is not object:
                yield base.__name__, base
        for function in _functions(value):
            yield from _names_of(function)
    elif isinstance(value, MethodType):
        yield "self", value.__self__
        yield value.__name__, value.__func__
    elif callable(value) and not isinstance(value, BuiltinFunctionType):
        yield type(value).__name__, type(value)


def _names_of(function: FunctionType) -> Iterator[tuple[str, Any]]:
    namespace: Mapping[str, Any] = function.__globals__
    for name in dict.fromkeys(_all_names(function.__code__)):
        if name in namespace and not hasattr(builtins, name):
            yield name, namespace[name]
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    for name, cell in cells:
        if name == "__class__":  # of `super()`: the class whose method this is
            continue
        try:
            yield name, cell.cell_contents
        except ValueError:  # not assigned yet
            continue


def _all_names(code: CodeType) -> Iterator[str]:
    """Yield the global names that compiled code reads, that of functions inside included."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield str(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _all_names(constant)


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value)) and len(repr(value)) <= _LONGEST
    if isinstance(value, dict):
        return all(_is_plain(part) for pair in value.items() for part in pair)
    return isinstance(value, _PLAIN) and len(repr(value)) <= _LONGEST


def _shown(value: Any) -> str:
    """Return a value as Python writes it; else its type, and what is known of its content."""
    if _is_plain(value):
        return repr(value)
    kind = f"a {type(value).__module__}.{type(value).__qualname__}"
    if hasattr(value, "tobytes"):
        digest = hashlib.sha256(value.tobytes()).hexdigest()[:16]
        return repr(f"{kind}, SHA-256 {digest}")
    fields = getattr(value, "__dict__", {})
    plain = {key: part for key, part in fields.items() if _is_plain(part)}
    return repr(f"{kind} with {plain}" if plain else kind)
