r"""Write a value as a Hydra override, from which Hydra reads the same value of the same type.

Hydra reads unquoted text by a grammar of its own: `1e3` is a number, `a,b` are two values, `#`
cannot be read at all. OmegaConf then resolves `${...}` and takes `???` for a missing value; a
backslash before either keeps it as text.
"""

import numbers
import re
from collections.abc import Mapping
from typing import Any

from omegaconf import ListConfig

# Text that needs no quotes, unless it is a word that Hydra reads as a number, a bool or null.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-/]*")
_WORDS = ("null", "true", "false", "inf", "nan")
# Hydra has no quotes for the keys of a dict, only escapes; other characters cannot be written.
_DICT_KEY = re.compile(r"[A-Za-z0-9_./$%*@?|+\-\\()\[\]{}:=, \t]+")
_NUMBER = re.compile(r"[+-]?([0-9._]+(e[+-]?[0-9_]+)?|inf|nan)", re.IGNORECASE)


def override(key: str, value: Any) -> str:
    """Return `KEY=VALUE`, which sets this value. Raises ValueError if no override can set it."""
    return f"{key}={literal(value)}"


def literal(value: Any) -> str:
    """Return the part of an override after `=`, which keeps the value and its type.

    `${` and `???` in a text stay text. Raises ValueError for a value that no override can set.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return quoted(escaped(value))
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, numbers.Real):
        return str(float(value))
    if isinstance(value, list | tuple | ListConfig):
        return f"[{','.join(map(literal, value))}]"
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{_dict_key(key)}:{literal(item)}' for key, item in value.items())}}}"
    raise ValueError(f"{value!r} is a {type(value).__name__}, which no override of Hydra can set")


def quoted(text: str) -> str:
    """Return text for Hydra, in quotes if it needs them. Hydra will resolve `${...}` in it."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    inside = re.sub(r"(\\+)(?='|\Z)", r"\1\1", text).replace("'", r"\'")
    return f"'{inside}'"


def escaped(value: Any) -> Any:
    """Return what a config of OmegaConf must hold to give this value.

    Texts are escaped, also in lists and dicts.
    """
    if isinstance(value, list):
        return [escaped(item) for item in value]
    if isinstance(value, Mapping):
        return {key: escaped(item) for key, item in value.items()}
    if not isinstance(value, str):
        return value
    if re.fullmatch(r"\\*\?\?\?", value):
        return "\\" + value
    return re.sub(r"(\\*)\$\{", r"\1\1\\${", value)


def _dict_key(key: Any) -> str:
    """Return a key of a dict with escapes."""
    if not isinstance(key, str):
        return literal(key)
    if not _DICT_KEY.fullmatch(key) or key.lower() in _WORDS or _NUMBER.fullmatch(key):
        raise ValueError(f"{key!r} is a key of a dict that no override of Hydra can set")
    return re.sub(r"([\\()\[\]{}:=, \t])", r"\\\1", key)
