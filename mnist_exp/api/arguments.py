"""What Python names settings with, as the overrides of the command line."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mnist_exp.config.groups import group_names
from mnist_exp.errors import ConfigError
from mnist_exp.sweeper import quoting
from mnist_exp.sweeper.foreign_text import clean

OBJECTS = ("model", "loss", "data")  # settings whose place an object of the session can take


def overrides_of(
    overrides: Sequence[str] | Mapping[str, Any], settings: Mapping[str, Any]
) -> tuple[list[str], dict[str, Any]]:
    """Return the overrides as texts, and the objects that no text can name.

    `settings` come after `overrides`, so that they count if both name a setting. Raises ConfigError
    for what is neither a list of texts nor {setting: value}, and for a value that no override sets.
    """
    given = {name: value for name, value in settings.items() if not _is_absent(name, value)}
    if isinstance(overrides, Mapping):
        given, overrides = {**overrides, **given}, ()
    if not isinstance(overrides, Iterable):
        overrides = [overrides]
    if not isinstance(overrides, str):
        overrides = list(overrides)  # of a generator, too, which can be read once
    others = [one for one in overrides if not isinstance(one, str)]
    if isinstance(overrides, str) or others:
        found = repr(overrides) if isinstance(overrides, str) else f"a {type(others[0]).__name__}"
        raise ConfigError(
            f"run: expected a list of texts, such as ['optimizer=adam'], found {clean(found, 100)}"
        )
    if flags := [one for one in overrides if one.startswith("-")]:
        raise ConfigError(
            f"{clean(flags[0], 100)}: expected SETTING=VALUE; flags are the command's\n"
            "sweep(...) trains several runs, as -m does"
        )
    objects = {name: given.get(name) for name in OBJECTS if not _is_option(given.get(name))}
    named = {name: value for name, value in given.items() if name not in objects}
    return [*overrides, *(override(name, value) for name, value in named.items())], objects


def override(name: str, value: Any) -> str:
    """Return the override that sets a setting, or chooses a group's option.

    Raises ConfigError for a value that no override can set.
    """
    if not isinstance(name, str):
        raise ConfigError(f"{clean(repr(name), 100)}: expected the name of a setting, a text")
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if name in group_names() and isinstance(value, str):
        return f"{name}={value}"
    try:
        return quoting.override(name, value)
    except ValueError as error:
        raise ConfigError(
            f"{name}: expected a number, a text, True, False, None or a list of these, found "
            f"{clean(repr(value), 100)}"
        ) from error


def _is_absent(name: str, value: Any) -> bool:
    """Return whether this is the argument of an object that was not given."""
    return name in OBJECTS and value is None


def _is_option(value: Any) -> bool:
    """Return whether this is the name of an option: a text that is no MODULE:FUNCTION."""
    return isinstance(value, str) and ":" not in value
