"""The settings of a recorded run, taken over by another run: a record was written by whoever could write to the store.

Its text is only text. What an override set comes from the record's resolved config, so that an interpolation has the value
it had then, on that machine, and none is resolved here. Where results go and what Hydra does is the reader's own choice.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mnist_exp.config.groups import group_names, group_options
from mnist_exp.errors import ConfigError
from mnist_exp.sweeper import quoting
from mnist_exp.sweeper.foreign_text import clean

_OVERRIDE = re.compile(r"(?P<sign>~|\+{0,2})(?P<key>[\w./-]+)(?:=(?P<value>.*))?", re.DOTALL)
# What a run does not take over from another one's record.
_OWN = ("hydra", "tracking", "resume", "best_of", "sweeps")


def overrides(recorded: object, resolved: Mapping[str, Any], where: str) -> list[str]:
    """Overrides that set, to what it is in `resolved`, each setting that the recorded overrides set.

    Without data.dir, which the caller decides about. Raises ConfigError, which begins with `where`, for a record of
    another shape.
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
        if re.split(r"[./]", key)[0] in _OWN or key == "data.dir":
            continue
        if key in group_names():
            taken.append(f"{sign}{key}={_option(key, value, where)}")
        elif sign == "~":
            taken.append(f"~{key}")
        else:
            taken.append(f"{sign}{_literal(key, resolved, where)}")
    return taken


def _option(group: str, name: str | None, where: str) -> str:
    """One of the group's own options: Hydra takes any path for the name of a file."""
    if name != "null" and name not in group_options(group):
        raise ConfigError(
            f"{where}: its record has {group}={clean(name, 100)}, which is no option here"
        )
    return name


def _literal(key: str, resolved: Mapping[str, Any], where: str) -> str:
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
