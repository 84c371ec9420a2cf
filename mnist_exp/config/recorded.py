"""The settings that a run takes over from the record of another run.

Whoever can write to the store can write a record. Its text is therefore only text: the value of an
override comes from the record's resolved config, where an interpolation has the value that it had
then, on that machine. None is resolved here. Where results go, and what Hydra does, is not taken
over.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mnist_exp.config.groups import CONFIG_DIR_FLAG, group_names, group_options
from mnist_exp.errors import ConfigError
from mnist_exp.sweeper import quoting
from mnist_exp.sweeper.foreign_text import clean

_OVERRIDE = re.compile(r"(?P<sign>~|\+{0,2})(?P<key>[\w./-]+)(?:=(?P<value>.*))?", re.DOTALL)
# Settings that a run does not take over from a record.
_NOT_TAKEN = ("hydra", "tracking", "resume", "best_of", "sweeps", "trust_code")


def overrides(
    recorded: object, resolved: Mapping[str, Any], where: str, *, are_composed: bool = True
) -> list[str]:
    """Return overrides for all settings that the recorded overrides set, with resolved values.

    `recorded` is the record's list of overrides, `resolved` its config. data.dir is left out; the
    caller decides about it. Raises ConfigError, which begins with `where`, for a record of another
    shape, and if the overrides are to be composed for an option that is not here.
    """
    if not isinstance(recorded, Sequence) or isinstance(recorded, str | bytes):
        raise ConfigError(
            f"{where}: expected a list of overrides in its record, found {clean(recorded, 50)}"
        )
    taken = []
    for text in recorded:
        match = _OVERRIDE.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise ConfigError(
                f"{where}: its record has {clean(text, 100)} for an override KEY=VALUE"
            )
        sign, key, value = match["sign"], match["key"], match["value"]
        if re.split(r"[./]", key)[0] in _NOT_TAKEN or key == "data.dir":
            continue
        if key in group_names():
            taken.append(f"{sign}{key}={_option(key, value, where, are_composed)}")
        elif sign == "~":
            taken.append(f"~{key}")
        else:
            taken.append(f"{sign}{_override(key, resolved, where)}")
    return taken


def recorded_sweep(recorded: Sequence[str], where: str) -> str | None:
    """Return the option of `sweeps` that recorded overrides name, or None.

    Raises ConfigError, which begins with `where`, if it is not an option here.
    """
    named = [text.partition("=")[2] for text in recorded if text.startswith("sweeps=")]
    return _option("sweeps", named[-1], where, is_composed=True) if named else None


def _option(group: str, name: str | None, where: str, is_composed: bool) -> str:
    """Return the option's name. Raises ConfigError unless it is one of the group's options.

    Hydra would read a file of any path. What is not composed may be an option that is not here.
    """
    is_name = name is not None and re.fullmatch(r"[\w-]{1,100}", name) is not None
    is_known = name == "null" or name in group_options(group)
    if name is None or not (is_known or (is_name and not is_composed)):
        raise ConfigError(
            f"{where}: its record has {group}={clean(name, 100)}, which is not an option here"
            + (f"\n{CONFIG_DIR_FLAG} FOLDER names the folder that has it" if is_name else "")
        )
    return name


def _override(key: str, resolved: Mapping[str, Any], where: str) -> str:
    """Return `KEY=VALUE` with the value in `resolved`. Raises ConfigError if there is none."""
    value: Any = resolved
    for part in key.split("."):
        if not isinstance(value, Mapping) or part not in value:
            raise ConfigError(
                f"{where}: its record sets {clean(key, 100)}, and its config has no value for it"
            )
        value = value[part]
    try:
        return quoting.override(key, value)
    except ValueError as error:
        raise ConfigError(
            f"{where}: {clean(key, 100)} of its record cannot be used: {clean(error)}"
        ) from error
