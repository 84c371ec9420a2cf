"""The settings that name code, and the options that are passed on to it: what they can be."""

import math
import re
from collections.abc import Mapping
from typing import Any

from mnist_exp.config import keras_names
from mnist_exp.errors import ConfigError
from mnist_exp.own_code import session
from mnist_exp.own_code.names import parse

_KEY = re.compile(r"[\w-]+")  # within the value of an option
_LONGEST = 100  # characters of a value that a message shows


def check_function(setting: str, value: str) -> None:
    """Raise OwnCodeError unless the value is MODULE:FUNCTION, or stands for an object of Python."""
    if not session.is_session(value):
        parse(setting, value)


def check_options(key: str, options: Mapping[str, Any]) -> None:
    """Raise ConfigError for an option that cannot be passed on or recorded.

    `key` is the setting that holds the options.
    """
    for name, value in options.items():
        if not name.isidentifier():
            raise ConfigError(
                f"{key}: {name!r} is no name of an argument; expected letters, digits and _"
            )
        _check_value(f"{key}.{name}", value)


def _check_value(key: str, value: Any) -> None:
    """Raise ConfigError for a value that a record cannot give back as it was."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if not isinstance(name, str) or not _KEY.fullmatch(name):
                raise ConfigError(
                    f"{key}: {name!r} cannot be recorded as a name; expected a text of letters, "
                    "digits, _ and -, or a list in place of {}"
                )
            _check_value(f"{key}.{name}", item)
    elif isinstance(value, list):
        for item in value:
            _check_value(key, item)
    elif isinstance(value, float) and math.isnan(value):
        raise ConfigError(f"{key}=nan: expected a number, found none")
    elif not isinstance(value, bool | int | float | str | None):
        raise ConfigError(
            f"{key}={_shown(value)}: expected a number, a text, true, false, null, or lists and "
            f"{{NAME: VALUE}} of them, found {type(value).__name__}"
        )


def check_class(setting: str, value: str) -> None:
    """Raise ConfigError unless Keras has a class of this name."""
    group = setting.partition(".")[0]
    if value in keras_names.classes(group):
        return
    known = keras_names.usable(group)
    meant = [f"{setting}={name}" for name in keras_names.meant(value, known)]
    near = f"; did you mean {' or '.join(meant)}?" if meant else ""
    raise ConfigError(
        f"{setting}={value[:_LONGEST]}: Keras has no such class{near}\nKnown: {', '.join(known)}"
    )


def _shown(value: object) -> str:
    return str(value)[:_LONGEST]
