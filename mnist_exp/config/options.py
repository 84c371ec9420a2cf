"""What is in an option's file: the schema that it starts from, and its settings."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from mnist_exp.config.group_schemas import EARLIER_SCHEMAS, SCHEMAS
from mnist_exp.config.groups import option_files, own_folders

_SCHEMA = re.compile(r"/?schema/\w+/(\w+)@_here_")  # in a file's list `defaults`


def read_option(group: str, name: str) -> tuple[type, dict[str, Any]] | None:
    """Return the schema of a group's option and its settings, interpolations as they are.

    An option may start from another one, whose settings it then has, too. None is returned for a
    file of the user's own that cannot be read so; Hydra answers where it is chosen.
    """
    return _option(group, name, own_folders())


@cache
def _option(
    group: str, name: str, _folders: tuple[Path, ...]
) -> tuple[type, dict[str, Any]] | None:
    """Return what `read_option` does, while these are the user's own folders.

    The files of other options, which the answer may need, are not read: each takes some
    milliseconds.
    """
    files = {file.stem: file for file in option_files(group)}
    return _read(group, name, files) if name in files else None


def _read(group: str, name: str, files: Mapping[str, Path]) -> tuple[type, dict[str, Any]] | None:
    try:
        content: Any = OmegaConf.to_container(OmegaConf.load(files[name]))
        others = {other: file for other, file in files.items() if other != name}
        schema, merged = None, OmegaConf.create()
        for entry in content.pop("defaults", []):
            if isinstance(entry, str) and (named := _SCHEMA.fullmatch(entry)):
                schema = (SCHEMAS[group] | EARLIER_SCHEMAS.get(group, {}))[named[1]]
            elif entry in others and (base := _read(group, entry, others)):
                schema, merged = base[0], OmegaConf.create(base[1])
        settings: Any = OmegaConf.to_container(OmegaConf.merge(merged, content))
    except (OSError, ValueError, KeyError, AttributeError, TypeError, YAMLError):
        return None
    except OmegaConfBaseException:
        return None
    return None if schema is None else (schema, settings)
