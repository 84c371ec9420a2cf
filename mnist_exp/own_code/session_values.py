"""What can be known of the value of an object: what two objects of equal content have in common.

An object's address, what it has counted and what Keras numbers are no part of that: a program would
be another one each time it is started.
"""

import hashlib
from collections.abc import Mapping
from types import FunctionType, MemberDescriptorType
from typing import Any

LONGEST = 2000  # characters of a value that are written out
_PLAIN: tuple[Any, ...] = (int, float, complex, str, bytes)
# What Keras sets on layers and models besides what their author does, and changes in their use.
_OF_KERAS = {"name", "built", "build", "quantize", "compiled", "loss"}
_OF_KERAS |= {"train_function", "test_function", "predict_function"}


def digest(content: bytes) -> str:
    """Return the first 16 hex digits of a SHA-256."""
    return hashlib.sha256(content).hexdigest()[:16]


def kind(value: Any) -> str:
    """Return what an object is, in words."""
    return f"a {type(value).__module__}.{type(value).__qualname__}"


def is_plain(value: Any) -> bool:
    """Return whether Python writes all of a value as it is typed, and it holds no others."""
    return type(value) in _PLAIN or value is None or isinstance(value, bool)


def base(value: Any) -> Any:
    """Return what an object of a class that extends `list`, `int` or the like holds as such.

    None if its class extends none of these.
    """
    for extended in (list, tuple, set, frozenset, dict, *_PLAIN):
        if isinstance(value, extended) and type(value) is not extended:
            return extended(value)
    return None


def attribute(value: Any, name: str) -> Any:
    """Return an attribute; None if there is none, or looking for it raises."""
    try:
        return getattr(value, name, None)
    except Exception:  # noqa: BLE001  # of somebody else's property
        return None


def asked(value: Any, method: str) -> Any:
    """Return what a method without arguments answers; None if there is none, or it raises."""
    try:
        return getattr(value, method)()
    except Exception:  # noqa: BLE001  # of somebody else's method
        return None


def wrapped(value: Any) -> Any:
    """Return the function that a cached function, a `tf.function` or the like calls, or None."""
    is_of_tensorflow = hasattr(type(value), "python_function")
    return attribute(value, "python_function" if is_of_tensorflow else "__wrapped__")


def is_of_keras(value: Any) -> bool:
    """Return whether an object is a layer or a model of Keras, of a class of one's own too."""
    return hasattr(type(value), "get_config") and hasattr(type(value), "get_weights")


def config(value: Any) -> Any:
    """Return the configuration of an object of Keras; None if it has none.

    It is the same for a new object of the same code, and after the first use: the numbers in names
    of layers and the shapes that were seen are left out.
    """
    return _lasting(asked(value, "get_config")) if hasattr(type(value), "get_config") else None


def _lasting(part: Any) -> Any:
    if isinstance(part, Mapping):
        changing = {"build_config", "build_input_shape", *(["name"] if "trainable" in part else [])}
        return {key: _lasting(inner) for key, inner in part.items() if key not in changing}
    if isinstance(part, list | tuple):
        return [
            _lasting(inner)
            for inner in part
            if not (isinstance(inner, Mapping) and inner.get("class_name") == "InputLayer")
        ]
    return part


def array(value: Any) -> Any:
    """Return an array or a tensor as an array of numpy; None for other objects."""
    found = value if _is_array(value) else asked(value, "__array__")
    return found if _is_array(found) else None


def _is_array(value: Any) -> bool:
    return hasattr(type(value), "dtype") and hasattr(type(value), "tobytes")


def fields(value: Any) -> dict[str, Any]:
    """Return the attributes that an object itself has."""
    found = dict(attribute(value, "__dict__") or {})
    for extended in type(value).__mro__:
        slots = [name for name, one in vars(extended).items() if type(one) is MemberDescriptorType]
        found |= {name: getattr(value, name) for name in slots if hasattr(value, name)}
    return found


def fields_of_keras(value: Any) -> dict[str, Any]:
    """Return the attributes that the author of a layer has set, as far as can be told."""
    return {
        name: one
        for name, one in fields(value).items()
        if not name.startswith("_") and name not in _OF_KERAS
    }


def public_fields(value: Any) -> dict[str, Any]:
    """Return those public attributes of an object that are plain, functions or arrays."""
    found = attribute(value, "__dict__") or {}
    return {
        name: one
        for name, one in found.items()
        if name[:1] != "_"
        and (isinstance(one, FunctionType) or _is_array(one) or _is_all_plain(one))
    }


def _is_all_plain(value: Any, levels: int = 10) -> bool:
    """Return whether a value is plain, or a list or the like of such values."""
    if type(value) is dict:
        value = [*value.keys(), *value.values()]
    if type(value) in (list, tuple, set, frozenset):
        return levels > 0 and all(_is_all_plain(part, levels - 1) for part in value)
    return is_plain(value)


def own_words(value: Any) -> str:
    """Return how an object describes itself; "" if that has an address or raises."""
    text = asked(value, "__repr__")
    is_lasting = isinstance(text, str) and " at 0x" not in text and "object at" not in text
    return text if is_lasting else ""
