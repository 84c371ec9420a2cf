"""Whether a source has the function that a setting names, and what options it takes.

All that can be known without running the source is refused here.
"""

import ast
from collections.abc import Iterable

from mnist_exp.errors import did_you_mean
from mnist_exp.own_code.failures import OwnCodeError
from mnist_exp.own_code.names import ARGUMENTS, Named, misplaced
from mnist_exp.sweeper.foreign_text import clean

_BINDS_NAMES = ("exec", "eval", "globals", "vars", "setattr", "__getattr__")


def check(function: Named, tree: ast.Module, file: str) -> None:
    """Raise OwnCodeError if the source cannot have the function, or it takes no such options.

    A name that the source binds in a way which only running it shows is left for `load` to judge.
    """
    bound = _bound(tree.body)
    found = bound.get(function.function)
    if found is None:
        if not _binds_unseen(tree):
            raise missing(function, _functions(bound), file)
        return
    if isinstance(found, ast.FunctionDef):
        if not found.decorator_list:
            _check_options(function, found.args, file)
    elif what := _no_function(found):
        raise other_kind(function, what, f"{file}, line {found.lineno}")


def missing(function: Named, functions: Iterable[str], file: str) -> OwnCodeError:
    """Return the error for a module without the function, with what it has."""
    names = [*functions]
    listed = ", ".join(names[:10]) or "none"
    near = did_you_mean(function.function, names)
    return OwnCodeError(
        f"{function}: {file} has no function {function.function}{near}\nFunctions: {listed}"
    )


def other_kind(function: Named, what: str, place: str) -> OwnCodeError:
    """Return the error for a name that is no function but `what`, such as `a class`."""
    arguments = ", ".join(ARGUMENTS.get(function.setting, ()))
    return OwnCodeError(
        f"{function}: {function.function} is {what}; expected a function "
        f"def {function.function}({arguments}, **options)\n{place}"
    )


def _no_function(node: ast.stmt) -> str:
    """Return what a statement binds a name to, if that is no function: `a class`; "" if unknown."""
    match node:
        case ast.ClassDef():
            return "a class"
        case ast.AsyncFunctionDef():
            return "an async function"
        case ast.Assign(value=ast.Lambda()) | ast.AnnAssign(value=ast.Lambda()):
            return "a lambda"
        case (
            ast.Assign(value=ast.Constant() as value) | ast.AnnAssign(value=ast.Constant() as value)
        ):
            return f"the constant {clean(repr(value.value), 60)}"
        case ast.Assign(value=ast.List() | ast.Tuple() | ast.Dict() | ast.Set() as value):
            return f"a {type(value).__name__.lower()}"
    return ""


def _bound(body: Iterable[ast.stmt]) -> dict[str, ast.stmt]:
    """Return the names that statements bind at the top of a module, with the last that binds it."""
    bound: dict[str, ast.stmt] = {}
    for node in body:
        match node:
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
                bound[name] = node
                continue
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                for alias in names:
                    bound[alias.asname or alias.name.partition(".")[0]] = node
                continue
        stored = (
            part.id
            for part in ast.walk(node)
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
        )
        bound |= dict.fromkeys(stored, node)
        for part in ast.iter_child_nodes(node):  # of `if`, `try`, `with` and so on
            inner = getattr(part, "body", None)
            bound |= _bound(inner) if isinstance(inner, list) else {}
        for name in ("body", "orelse", "finalbody"):
            inner = getattr(node, name, None)
            bound |= _bound(inner) if isinstance(inner, list) else {}
    return bound


def _functions(bound: dict[str, ast.stmt]) -> list[str]:
    return [name for name, node in bound.items() if isinstance(node, ast.FunctionDef)]


def _binds_unseen(tree: ast.Module) -> bool:
    """Return whether running the source may bind names that no statement at its top shows."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            return True
        if isinstance(node, ast.Global):
            return True
        named = getattr(node, "id", None) or getattr(node, "name", None)
        if named in _BINDS_NAMES:
            return True
    return False


def _check_options(function: Named, arguments: ast.arguments, file: str) -> None:
    """Raise OwnCodeError for options that a function with these arguments does not take."""
    given = ARGUMENTS.get(function.setting, ())
    positional = [*arguments.posonlyargs, *arguments.args]
    expected = f"{function.function}({', '.join(given)}, **options)"
    if len(positional) < len(given) and arguments.vararg is None:
        taken = ", ".join(argument.arg for argument in positional)
        raise OwnCodeError(
            f"{function}: expected {expected}, found {function.function}({taken})\n{file}"
        )
    if wrong := misplaced(function.setting, [argument.arg for argument in positional]):
        raise OwnCodeError(f"{function}: {function.function} of {file}: {wrong}")
    free = positional[len(given) :]
    without_default = free[: max(len(free) - len(arguments.defaults), 0)]
    needed = [argument.arg for argument in without_default]
    needed += [
        argument.arg
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    ]
    taken_first = {argument.arg for argument in positional[: len(given)]}
    known = [argument.arg for argument in [*free, *arguments.kwonlyargs]]
    known = [name for name in known if name not in {a.arg for a in arguments.posonlyargs}]
    for name, value in function.options.items():
        takes = name in known or (arguments.kwarg is not None and name not in taken_first)
        if not takes:
            setting = f"{function.options_setting}.{clean(name, 60)}={clean(value, 60)}"
            raise OwnCodeError(
                f"{setting}: {function.function} of {file} takes no such option"
                f"{did_you_mean(str(name), known)}\nOptions: {', '.join(known) or 'none'}"
            )
    if left_out := [name for name in needed if name not in function.options]:
        name = left_out[0]
        raise OwnCodeError(
            f"{function}: {function.function} of {file} needs the option {name}\n"
            f"+{function.options_setting}.{name}=VALUE sets it"
        )
