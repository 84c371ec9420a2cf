"""The source of a function or class that a Python session holds, with all that it refers to there.

A function of a notebook uses what other cells have defined. The text that is recorded has those
functions, classes, values and imports, too, so that it is a start for a module.
"""

import functools
import inspect
import itertools
import keyword
import logging
import os
import random
import re
import sys
import warnings
from collections.abc import Iterator
from importlib.machinery import PathFinder
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from mnist_exp.own_code import session_functions, session_values
from mnist_exp.own_code.finding import is_of_others
from mnist_exp.own_code.folders import look_again
from mnist_exp.own_code.session_values import LONGEST, attribute, digest, kind

_DEEPEST = 50  # values inside values that are looked at


def source_text(thing: Any) -> str:
    """Return a Python text for a function, a class, or another object that can be called.

    Two texts are equal if the source is, and the values that it refers to. Where Python does not
    know the source, a digest of the compiled code stands for it; a comment has what cannot stand at
    the top of a module, such as a lambda or a function with `nonlocal`.
    """
    record = _Record(_home(thing))
    record.label(thing.__name__ if isinstance(thing, FunctionType | type) else "given", thing)
    return "\n\n".join(record.parts.values()) + "\n"


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
    look_again()
    is_found = _is_found(module.partition(".")[0])
    return file is not None and os.path.isfile(file) and is_found and name.isidentifier()


def _is_found(top: str) -> bool:
    """Return whether Python would find a module at the top that it has not imported.

    Packages that were installed with `pip install -e` may have a finder of their own.
    """
    if PathFinder.find_spec(top, [os.getcwd(), *sys.path]) is not None:
        return True
    others = (one for one in sys.meta_path if one is not PathFinder and hasattr(one, "find_spec"))
    return any(finder.find_spec(top, None) is not None for finder in others)


def _home(thing: Any) -> str:
    """Return the module whose functions and classes are written out, and not imported."""
    innermost = session_functions.innermost(thing)
    owner = innermost if isinstance(innermost, FunctionType | type) else type(innermost)
    return str(owner.__module__)


class _Record:
    """The parts of a text: the statements for each name, after those that they refer to."""

    def __init__(self, home: str) -> None:
        self.parts: dict[str, str] = {}  # by label: a name that is used once
        self._homes = {"__main__", *([] if is_of_others(home) else [home])}
        self._labels: dict[tuple[str, object], str] = {}  # by name, and the value or its id
        self._defined: dict[int, str] = {}  # the first label of what has a name itself, by id
        self._contents: dict[int, str] = {}  # the expressions of other values, by id
        self._kept: list[Any] = []  # an id stands for an object as long as that lives
        self._depth = 0

    def label(self, name: str, value: Any) -> str:
        """Return what stands for a value with this name; its part is added if it is new."""
        key = name, repr(value) if session_values.is_plain(value) else id(value)
        if key not in self._labels:
            self._kept.append(value)
            label = self._labels[key] = self._free(name)
            self.parts[label] = ""  # it may refer to itself
            text = self._part(label, value)
            del self.parts[label]
            self.parts[label] = text if _is_python(text) else f"{label} = {text!r}"
        return self._labels[key]

    def _free(self, name: str) -> str:
        word = re.sub(r"\W", "", name)
        if not word.isidentifier() or keyword.iskeyword(word):
            word = f"a_{word}"
        label, numbers = word, itertools.count(2)
        while label in self.parts:
            label = f"{word}_{next(numbers)}"
        return label

    def _part(self, label: str, value: Any) -> str:
        """Return the statements that define a label."""
        if not self._has_name(value):
            return f"{label} = {self._expression(value)}"
        first = self._defined.setdefault(id(value), label)
        if first != label:
            return f"{label} = {first}"
        if isinstance(value, ModuleType):
            return f"import {value.__name__} as {label}"
        if self._is_of_session(value):
            return self._definition(label, value)
        return _imported(label, value)

    def _has_name(self, value: Any) -> bool:
        """Return whether a value is defined or imported under a name, and not assigned."""
        if isinstance(value, ModuleType | FunctionType | type):
            return True
        module, name = attribute(value, "__module__"), attribute(value, "__name__")
        if not isinstance(module, str) or not isinstance(name, str) or module in self._homes:
            return False
        return attribute(sys.modules.get(module), name) is value

    def _is_of_session(self, value: Any) -> bool:
        """Return whether a function or class belongs to no module that can be imported."""
        module = value.__module__
        return module is None or module in self._homes or "<" in value.__qualname__

    def _is_own(self, module: str) -> bool:
        """Return whether the user wrote a module, or it is the session itself."""
        return module in self._homes or not is_of_others(module)

    def _definition(self, label: str, value: Any) -> str:
        """Return the source of a function or class, and what the source does not show."""
        names = {name: self.label(name, needed) for name, needed in self._referred_to(value)}
        renamed = {name: found for name, found in names.items() if name != found}
        source, code = session_functions.source_of(value), session_functions.compiled(value)
        defined = value.__name__ if isinstance(value, type) else value.__code__.co_name
        # Of a lambda Python knows the lines around it, in which several may be.
        if source and defined != "<lambda>" and _is_python(source):
            lines = [source, *([f"{label} = {defined}"] if defined != label else [])]
        else:
            lines = [*_commented(source), f"{label}_code = {code!r}"]
        hidden = {
            "defaults": session_functions.defaults(value),
            "attributes": session_functions.attributes(value),
        }
        lines += [
            f"{label}_{word} = {self._expression(one)}" for word, one in hidden.items() if one
        ]
        return "\n".join([*lines, *([f"{label}_names = {renamed}"] if renamed else [])])

    def _referred_to(self, value: Any) -> Iterator[tuple[str, Any]]:
        """Yield the names that a function or class of the session uses."""
        for extended in getattr(value, "__bases__", ()):
            if extended is not object:
                yield extended.__name__, extended
        for function in session_functions.functions(value):
            # A decorator of a library gives a function whose globals are the library's.
            is_own = self._is_own(str(function.__globals__.get("__name__")))
            yield from session_functions.names_of(function, with_globals=is_own)

    def _expression(self, value: Any) -> str:
        """Return a value as Python writes it; what it cannot write, as a text."""
        if session_values.is_plain(value):
            return _short(repr(value), value)
        if self._has_name(value):
            return self.label(value.__name__, value)
        if self._depth == _DEEPEST:
            return repr(kind(value))
        if id(value) not in self._contents:
            self._kept.append(value)
            self._contents[id(value)] = repr(kind(value))  # it may hold itself
            self._depth += 1
            self._contents[id(value)] = _short(self._content(value), value)
            self._depth -= 1
        return self._contents[id(value)]

    def _content(self, value: Any) -> str:
        """Return the expression of a value that holds others."""
        if type(value) in (list, tuple):
            inner = "".join(f"{self._expression(one)}, " for one in value)
            return f"[{inner[:-2]}]" if type(value) is list else f"({inner.rstrip()})"
        if type(value) in (set, frozenset):
            inner = ", ".join(sorted(map(self._expression, sorted(value, key=_order))))
            return f"{type(value).__name__}([{inner}])"
        if type(value) is dict:
            pairs = (f"{self._expression(key)}: {self._expression(value[key])}" for key in value)
            return f"{{{', '.join(pairs)}}}"
        if isinstance(value, functools.partial):
            given = [self._expression(one) for one in (value.func, *value.args)]
            given += [f"{name}={self._expression(one)}" for name, one in value.keywords.items()]
            return f"functools.partial({', '.join(given)})"
        return repr(" ".join([kind(value), *filter(None, self._known(value))]))

    def _known(self, value: Any) -> Iterator[str]:
        """Yield what is known of any other object, in words."""
        if isinstance(value, MethodType | BuiltinFunctionType):
            function = attribute(value, "__func__")
            yield value.__qualname__ if function is None else self._expression(function)
            yield f"of {self._expression(value.__self__)}"
        elif isinstance(value, logging.Logger):
            yield value.name  # its level and handlers are other ones after other libraries load
        elif self._is_own(type(value).__module__):
            yield from self._known_of_own(value)
        else:
            yield from self._known_of_others(value)

    def _known_of_own(self, value: Any) -> Iterator[str]:
        """Yield what is known of an object whose class the user wrote, which becomes a part."""
        self._expression(type(value))
        if (held := session_values.base(value)) is not None:
            yield self._expression(held)
        if not session_values.is_of_keras(value):
            yield f"with {self._expression(session_values.fields(value))}"
            return
        config = session_values.config(value)
        known = session_values.fields_of_keras(value) if config is None else config
        yield f"with {self._expression([known, session_values.asked(value, 'get_weights')])}"

    def _known_of_others(self, value: Any) -> Iterator[str]:
        """Yield what is known of an object of a library, of whose inside not much is."""
        if (wrapped := session_values.wrapped(value)) is not None:
            yield f"of {self._expression(wrapped)}"
        elif (held := session_values.base(value)) is not None:
            yield self._expression(held)
        elif (config := session_values.config(value)) is not None:
            weights = session_values.asked(value, "get_weights")
            yield f"with {self._expression([config, weights])}"
        elif (array := session_values.array(value)) is not None:
            is_of_objects = array.dtype.hasobject  # their bytes would be addresses
            content = self._expression(array.tolist()) if is_of_objects else digest(array.tobytes())
            yield f"of {array.dtype} {array.shape}, SHA-256 {content}"
        elif not isinstance(value, random.Random):  # what it has drawn is no part of a program
            if isinstance(content := session_values.asked(value, "tobytes"), bytes):
                yield f"SHA-256 {digest(content)}"
            yield session_values.own_words(value)
            if public := session_values.public_fields(value):
                yield f"with {self._expression(public)}"


def _order(value: Any) -> tuple[str, str]:
    """Return what sorts the members of a set; their own order is another one each time."""
    is_plain = session_values.is_plain(value)
    return kind(value), repr(value) if is_plain else str(attribute(value, "__qualname__"))


def _short(text: str, value: Any) -> str:
    """Return an expression; a digest in place of a long one."""
    if len(text) <= LONGEST:
        return text
    return repr(f"{kind(value)}, SHA-256 {digest(text.encode())}")


def _commented(source: str) -> list[str]:
    """Return a source as a comment, followed by the imports in it: their files are recorded."""
    return [*(f"# {line}" for line in source.splitlines()), *session_functions.imports_in(source)]


def _imported(label: str, value: Any) -> str:
    """Return an import; of a function or class inside another one its module's, and its name."""
    module, inside = value.__module__, value.__qualname__
    if isinstance(value, FunctionType | type) and "." in inside:
        return f"import {module}\n{label} = {f'{module}.{inside}'!r}"
    return f"from {module} import {value.__name__} as {label}"
