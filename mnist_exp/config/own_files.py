"""What is wrong in an option's file of a user's own folder: which file and line, what to write."""

import re
from collections.abc import Sequence
from dataclasses import Field, dataclass, fields
from functools import cached_property
from pathlib import Path

from yaml import MarkedYAMLError

from mnist_exp.config import lookup
from mnist_exp.config.group_schemas import SCHEMAS
from mnist_exp.config.groups import group_names, group_options, own_folders
from mnist_exp.errors import did_you_mean

_GLOBAL = "# @package _global_"  # the first line of a file whose settings are of all groups
_HYDRAS = re.compile(r"In '([^']+)': (?:\w+ raised while composing config:\s*)?(.*)", re.DOTALL)
_TYPES = {"Integer": "a whole number", "Float": "a number", "Boolean": "true or false"}


@dataclass(frozen=True)
class _OwnFile:
    """An option's file: `name` is GROUP/OPTION, `path` how the user names it."""

    name: str
    path: Path

    @cached_property
    def lines(self) -> list[str]:
        return self.path.read_text(encoding="utf-8", errors="replace").splitlines()

    @property
    def group(self) -> str:
        return self.name.rpartition("/")[0]

    def matching(self, pattern: str) -> tuple[str, str]:
        """Return `FILE, line N` of the first line that holds the pattern, and what comes after."""
        for number, line in enumerate(self.lines, 1):
            text = line.partition(" #")[0]
            if found := re.search(pattern, text):
                return f"{self.path}, line {number}", text[found.end() :].strip(" ,}")
        return str(self.path), ""


def explained(error: BaseException) -> str | None:
    """Return two lines on a mistake in a file of --config-dir; None if Hydra's error names none."""
    found = _HYDRAS.match(str(error))
    file = _file(found[1]) if found else None
    if found is None or file is None:
        return None
    problem = " ".join(found[2].split())
    return (
        _without_package(file, problem)
        or _unknown_group(file, problem)
        or _group_as_setting(file, problem)
        or _unknown_setting(file, problem)
        or _wrong_value(file, problem)
        or f"{file.path}: {problem}"
    )


def yaml_error(error: MarkedYAMLError) -> str:
    """Return one line, or two, on a file that is not YAML."""
    mark = error.problem_mark or error.context_mark
    where = f"{mark.name}, line {mark.line + 1}" if mark is not None else "a settings file"
    if mark is not None and "\t" in _line(Path(mark.name), mark.line):
        return f"{where}: begins with a tab\nYAML takes spaces only: write two spaces in its place"
    return f"{where}: cannot be read as YAML ({error.problem or error.context})"


def _line(path: Path, number: int) -> str:
    """Return the line of this number, from 0, of a file; an empty text if it has none."""
    lines = (
        path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    )
    return lines[number] if number < len(lines) else ""


def _file(name: str) -> _OwnFile | None:
    """Return the file of GROUP/OPTION in the folders of the user's own options, if any."""
    paths = (folder / f"{name}.yaml" for folder in own_folders())
    return next((_OwnFile(name, path) for path in paths if path.is_file()), None)


def _without_package(file: _OwnFile, problem: str) -> str | None:
    """Answer for a preset without its first line, whose settings Hydra takes for its group's."""
    keys = re.match(
        rf"Key '{file.group}' not in 'Config'|.*'\w+@{file.group}\.\w+' exists", problem
    )
    if keys is None or any(line.startswith(_GLOBAL) for line in file.lines):
        return None
    return (
        f"{file.path}: its first line is missing, without which its settings change nothing\n"
        f"Write as the first line: {_GLOBAL}"
    )


def _unknown_group(file: _OwnFile, problem: str) -> str | None:
    if not (wrong := re.match(r"Invalid Defaults List override '/?([^:']+): ?([^']*)'", problem)):
        return None
    group, option = wrong.groups()
    where, _ = file.matching(rf"override /?{re.escape(group)}:")
    if group in group_names():
        return f"{where}: expected `- override /{group}: {option}`, with the sign /"
    near = did_you_mean(group, group_names())
    return f"{where}: {group}: no such group{near}\nGroups: {', '.join(group_names())}"


def _group_as_setting(file: _OwnFile, problem: str) -> str | None:
    """Answer for `model: mlp` outside of the defaults list."""
    if not re.match(r"Merge error: \w+ is not a subclass of", problem):
        return None
    for group in group_names():
        where, option = file.matching(rf"^{group}:\s*(?=[\w\"'])")
        if option:
            return (
                f"{where}: {group}: {option} is a choice, which the list `defaults:` makes\n"
                f"Write above the settings: defaults: [override /{group}: {option}]"
            )
    return None


def _unknown_setting(file: _OwnFile, problem: str) -> str | None:
    if not (wrong := re.match(r"Key '(.*?)' not in '(\w+)'", problem)):
        return None
    key, schema = wrong.groups()
    where, value = file.matching(rf"(?<![\w.]){re.escape(key)}['\"]?\s*:")
    if schema == f"{file.group.capitalize()}Config" and not any(
        line.startswith("defaults:") for line in file.lines
    ):
        meant = lookup.setting(f"{file.group}.{key}")
        bases = list(meant.values) if meant is not None else group_options(file.group)
        return (
            f"{where}: {key}: the file does not say which {file.group} it starts from\n"
            f"Write as the first line: defaults: [{bases[0]}] (possible: {', '.join(bases)})"
        )
    prefix = f"{file.group}." if file.group in SCHEMAS else ""
    known = [field.name for field in _fields(schema)] if prefix else []
    found = lookup.meant_keys(f"{prefix}{key}")
    if prefix:
        found = [one for one in found if one.removeprefix(prefix) in known]
    near = f"; did you mean {_in_yaml(found[0], prefix, value)}?" if found else ""
    listed = f"Settings: {', '.join(known)}" if known else "python -m mnist_exp --help lists them"
    return f"{where}: {key}: no such setting{near}\n{listed}"


def _fields(schema: str) -> Sequence[Field[object]]:
    """Return the fields of the schema with this name."""
    options = (option for schemas in SCHEMAS.values() for option in schemas.values())
    return next((fields(option) for option in options if option.__name__ == schema), ())


def _in_yaml(key: str, prefix: str, value: str) -> str:
    """Return `GROUP: {SETTING: VALUE}`, or `SETTING: VALUE` in a file of the group itself."""
    shown = value or "VALUE"
    if key in group_names():
        return f"defaults: [override /{key}: {shown}]"
    if prefix and key.startswith(prefix):
        return f"{key.removeprefix(prefix)}: {shown}"
    group, _, last = key.rpartition(".")
    return f"{group}: {{{last}: {shown}}}" if group else f"{last}: {shown}"


def _wrong_value(file: _OwnFile, problem: str) -> str | None:
    wrong = re.match(r"Value '(.*)' of type '.*' could not be converted to (\w+)", problem)
    if wrong is None:
        return None
    value, kind = wrong.groups()
    number = lookup.number_meant(value, whole=kind == "Integer")
    near = f"; did you mean {number}?" if number is not None else ""
    where, _ = file.matching(rf":\s*['\"]?{re.escape(value)}")
    return f"{where}: {value}: expected {_TYPES.get(kind, kind)}{near}"
