"""The groups of `conf/` and `sweeps/` and of folders of the user's own, and their options."""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from mnist_exp.config.sweeps_source import SWEEPS_DIR, TREE_DIR
from mnist_exp.errors import ConfigError

CONF_DIR = TREE_DIR / "conf"
CONFIG_DIR_FLAG = "--config-dir"
_SEARCHPATH = re.compile(r"\+{0,2}hydra\.searchpath=\[(.*)\]")

_own_folders: tuple[Path, ...] = ()


def use_folders(folders: Iterable[Path | str]) -> None:
    """Let the options in these folders count from here on, beside this project's.

    They are those that the command names by --config-dir or hydra.searchpath. The list is of the
    process: a command has one, and so has each worker of a sweep.
    """
    global _own_folders
    _own_folders = tuple(Path(folder).absolute() for folder in folders)


def use_config_dir(folder: str | None) -> None:
    """Let the options in the folder of --config-dir count. Raises ConfigError if there is none."""
    if folder is not None and not Path(folder).is_dir():
        raise ConfigError(f"{CONFIG_DIR_FLAG} {folder}: no such folder")
    use_folders([] if folder is None else [folder])


def own_folders() -> tuple[Path, ...]:
    """Return the folders of the user's own options; an option of the first one counts."""
    return _own_folders


def own_folder_flags() -> list[str]:
    """Return the arguments that name the folders of the user's own options in another command."""
    first, others = _own_folders[:1], _own_folders[1:]
    flags = [part for folder in first for part in (CONFIG_DIR_FLAG, os.path.relpath(folder))]
    listed = ",".join(f"file://{folder}" for folder in others)
    return [*flags, f"hydra.searchpath=[{listed}]"] if others else flags


def folders_in(arguments: Sequence[str]) -> list[str]:
    """Return the folders that a command line names by --config-dir and hydra.searchpath."""
    folders: list[str] = []
    for text, following in pairwise([*arguments, ""]):
        flag, equals, value = text.partition("=")
        if flag in (CONFIG_DIR_FLAG, "-cd"):
            folders.append(value if equals else following)
        elif listed := _SEARCHPATH.fullmatch(text):
            paths = (path.strip("'\" ").removeprefix("file://") for path in listed[1].split(","))
            folders += [path for path in paths if path and "://" not in path]
    return folders


def group_names() -> list[str]:
    """Return the names of all groups, sorted."""
    own = (path.name for folder in _own_folders for path in folder.glob("*") if path.is_dir())
    return sorted({*_shipped_folders(), *own} - {"hydra"})


def group_options(group: str) -> list[str]:
    """Return the names of a group's options, the user's own among them, sorted."""
    return [path.stem for path in option_files(group)]


def shipped_options(group: str) -> list[str]:
    """Return the names of the options that this project has for a group, sorted."""
    return [path.stem for path in _shipped_files(group)]


def option_files(group: str) -> list[Path]:
    """Return the files of a group's options, sorted by name; none if there is no such group.

    Of two with the same name it is the one that Hydra reads: this project's, else that of the first
    folder.
    """
    files = {path.stem: path for path in reversed([*_shipped_files(group), *own_files(group)])}
    return [files[name] for name in sorted(files)]


def own_files(group: str) -> list[Path]:
    """Return the files of a group in the folders of the user's own options."""
    return [path for folder in _own_folders for path in sorted(folder.glob(f"{group}/*.yaml"))]


def refuse_hidden(choices: Mapping[str, str | None]) -> None:
    """Raise ConfigError for a chosen option of the user's own that is called like this project's.

    Hydra would read the other one. `choices` are {group: option}.
    """
    for group, name in choices.items():
        for file in own_files(group):
            if file.stem == name and name in shipped_options(group):
                raise ConfigError(
                    f"{os.path.relpath(file)}: {group}={name} is an option of this project, which "
                    "is read in its place\nGive the file another name"
                )


def _shipped_files(group: str) -> list[Path]:
    folder = _shipped_folders().get(group)
    return sorted(folder.glob("*.yaml")) if folder is not None else []


def _shipped_folders() -> dict[str, Path]:
    folders = [path for path in CONF_DIR.iterdir() if path.is_dir()]
    return {path.name: path for path in [*folders, SWEEPS_DIR] if path.name != "hydra"}
