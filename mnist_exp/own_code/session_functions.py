"""What Python knows of the functions and classes of a session: their source and what they use."""

import ast
import builtins
import dis
import functools
import inspect
import linecache
import textwrap
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import Any

from mnist_exp.own_code.session_values import attribute, digest, wrapped

_NOTHING = object()


def source_of(value: Any) -> str:
    """Return the source of a function or class, or "" where Python does not know it."""
    try:
        if isinstance(value, type):
            return _class_source(value)
        # Of the code: of the function itself, Python would give the one that it wraps.
        return textwrap.dedent(inspect.getsource(value.__code__)).strip()
    except (OSError, TypeError, SyntaxError):
        return ""


def imports_in(source: str) -> list[str]:
    """Return the import statements of a source that Python can read, without relative ones."""
    try:
        nodes = [*ast.walk(ast.parse(source))]
    except (SyntaxError, ValueError):
        return []
    found = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    return [ast.unparse(node) for node in found if not getattr(node, "level", 0)]


def compiled(value: Any) -> str:
    """Return a digest of the compiled code of a function, or of a class's methods."""
    return digest(repr([_shape(function.__code__) for function in functions(value)]).encode())


def functions(value: Any) -> Iterator[FunctionType]:
    """Yield a function itself, and of a class its methods."""
    members = vars(value).values() if isinstance(value, type) else [value]
    for member in members:
        is_property = isinstance(member, property)
        parts = [member.fget, member.fset, member.fdel] if is_property else [innermost(member)]
        yield from (part for part in parts if isinstance(part, FunctionType))


def innermost(value: Any) -> Any:
    """Return the function that a method, a partial or cached function calls; else the value."""
    while not isinstance(value, FunctionType | type):
        if isinstance(
            value, functools.partial | functools.partialmethod | functools.cached_property
        ):
            value = value.func
        elif (inner := attribute(value, "__func__") or wrapped(value)) is not None:
            value = inner
        else:
            break
    return value


def defaults(value: Any) -> list[Any]:
    """Return the values of parameters that need not be given."""
    found: list[Any] = []
    for function in functions(value):
        found += [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    return found


def attributes(value: Any) -> dict[str, Any]:
    """Return what was set on a function, and of a class the values that are no methods."""
    methods = (FunctionType, property, MemberDescriptorType, GetSetDescriptorType)
    return {
        name: member
        for name, member in vars(value).items()
        if name[:2] != "__"
        and not (isinstance(value, type) and isinstance(innermost(member), methods))
    }


def names_of(function: FunctionType, *, with_globals: bool = True) -> Iterator[tuple[str, Any]]:
    """Yield the global and closed-over names that a function uses, with their values."""
    namespace: Mapping[str, Any] = function.__globals__ if with_globals else {}
    for name in dict.fromkeys(_all_names(function.__code__)):
        if name in namespace and namespace[name] is not getattr(builtins, name, _NOTHING):
            yield name, namespace[name]
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    for name, cell in cells:
        if name == "__class__":  # of `super()`: the class whose method this is
            continue
        try:
            yield name, cell.cell_contents
        except ValueError:  # not assigned yet
            continue


def _class_source(value: type) -> str:
    """Return the source of a class: of one in a notebook Python knows only the methods' lines."""
    for function in functions(value):
        text = "".join(linecache.getlines(function.__code__.co_filename))
        line = function.__code__.co_firstlineno
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.ClassDef) or node.name != value.__name__:
                continue
            if node.lineno <= line <= (node.end_lineno or 0):
                return textwrap.dedent(ast.get_source_segment(text, node, padded=True) or "")
    return ""


def _shape(code: CodeType) -> tuple[Any, ...]:
    return code.co_code.hex(), code.co_names, code.co_varnames, [*map(_constant, code.co_consts)]


def _constant(value: Any) -> Any:
    if isinstance(value, CodeType):
        return _shape(value)
    return sorted(map(repr, value)) if isinstance(value, frozenset) else repr(value)


def _all_names(code: CodeType) -> Iterator[str]:
    """Yield the global names that compiled code reads, that of functions inside included."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield str(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _all_names(constant)
