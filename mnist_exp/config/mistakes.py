"""A user's mistake as one or two lines, whoever raised it: Hydra, OmegaConf or this project."""

import errno
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import hydra
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    MissingMandatoryValue,
    OmegaConfBaseException,
)

from mnist_exp.config.groups import group_names, group_options
from mnist_exp.config.schema import Config
from mnist_exp.config.sweeps_source import TREE_DIR
from mnist_exp.errors import ConfigError, UserError, did_you_mean, first_line
from mnist_exp.outside.uris import masked
from mnist_exp.sweeper.foreign_text import printable

USER_ERRORS = (UserError, HydraException, OmegaConfBaseException)
_KINDS = {"Integer": "a whole number", "Float": "a number", "Boolean": "true or false"}
_LONGEST = 500  # characters of a line
_MOST_NAMES = 3  # of settings in other groups


def explain(error: BaseException) -> str:
    """Return one or two lines: the setting or file, its value, and what was expected."""
    lines = [_printable(line) for line in masked(_message(error)).split("\n") if line.strip()]
    return "\n".join(lines[:2]) or type(error).__name__


def composition_error(error: Exception) -> ConfigError:
    """Return a mistake for an exception of Python's own that Hydra raises while it composes."""
    file = str(getattr(error, "filename", None) or "")
    sources = (TREE_DIR, Path(hydra.__file__).parent)
    if isinstance(error, OSError) and file and not any(map(Path(file).is_relative_to, sources)):
        # Hydra makes the output folder before it calls this project's code.
        shown = file if len(file) <= 100 else f"{file[:100]}..."
        return ConfigError(
            f"the output folder {shown} cannot be made ({error.strerror})\n"
            "hydra.run.dir=FOLDER names another one, with -m hydra.sweep.dir=FOLDER"
        )
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return ConfigError(
            "a name on the command line is too long: Hydra looks for a file of that name"
        )
    return ConfigError(f"the settings cannot be composed: {first_line(error)}")


def _printable(line: str) -> str:
    shown = printable(line)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]} ..."


def _message(error: BaseException) -> str:
    """Return what is wrong, in lines of any number and length."""
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, MissingConfigException):
        return _missing_option(error)
    if isinstance(error, OverrideParseException):
        return _unreadable(error)
    cause = _omegaconf_cause(error)
    if isinstance(cause, ConfigAttributeError | ConfigKeyError):
        return _unknown_key(cause)
    if cause is not None:
        return _wrong_value(cause)
    return (
        _hidden_setting(error)
        or _needs_multirun(error)
        or "\n".join(line.strip() for line in str(error).splitlines())
    )


def _missing_option(error: MissingConfigException) -> str:
    group, _, option = (error.missing_cfg_file or "").rpartition("/")
    if group not in group_names():
        return str(error).splitlines()[0]
    options = group_options(group)
    near = did_you_mean(option, options)
    return f"{group}={option}: no such option{near}\nOptions: {', '.join(options)}"


def _unreadable(error: OverrideParseException) -> str:
    message = f"{error.override}: cannot be read as KEY=VALUE"
    if (error.override or "").startswith("#"):
        return f"{message}; the shell takes no comment here, write it on a line of its own"
    own = ("See ", "Error ", "LexerNoViableAltException", " ")  # of Hydra, or a mark below the text
    lines = [line for line in error.message.splitlines() if not line.startswith(own)]
    return f"{message} ({' '.join(lines)})" if lines else message


def _unknown_key(cause: OmegaConfBaseException) -> str:
    parent, key = cause.parent_node, str(cause.key)
    names: list[str] = []
    path = ""
    elsewhere: list[str] = []
    if isinstance(parent, DictConfig):
        path = parent._get_full_key(None)
        if path == "tags":
            return f"tags.{key}: no such tag yet; +tags.{key}=VALUE adds it"
        names = sorted(str(name) for name in parent if name != "hydra")
        whole = parent._get_root()
        elsewhere = [name for name in _settings_of(whole) if name.endswith(f".{key}")]
    if not path:
        names = sorted({*names, *group_names()})
    near = did_you_mean(key, names)
    if 0 < len(elsewhere) <= _MOST_NAMES:
        near = f"; did you mean {' or '.join(elsewhere)}?"
    return (
        f"{cause.full_key or key}: no such setting{near}\n"
        f"Settings{f' in {path}' if path else ''}: {', '.join(names)}"
    )


def _settings_of(node: Any, prefix: str = "") -> Iterator[str]:
    """Yield the full names of all settings in a node of a config, without Hydra's own."""
    if not isinstance(node, DictConfig):
        yield prefix.removesuffix(".")
        return
    for key in (key for key in map(str, node) if prefix or key != "hydra"):
        yield from _settings_of(node._get_node(key), f"{prefix}{key}.")


def _wrong_value(cause: OmegaConfBaseException) -> str:
    message = (cause.msg or str(cause)).splitlines()[0]
    if wrong_type := re.fullmatch(
        r"Value '(.*)' of type '.*' could not be converted to (\w+)", message
    ):
        value, kind = wrong_type.groups()
        return f"{cause.full_key}={value}: expected {_KINDS.get(kind, kind)}"
    if not_a_choice := re.fullmatch(r"Invalid value '(.*)', expected one of \[(.*)\]", message):
        value, choices = not_a_choice[1], not_a_choice[2].replace("'", "")
        hint = "; in a YAML file off, on, yes and no need quotes"
        return (
            f"{cause.full_key}={value}: expected one of {choices}"
            f"{hint if value in ('True', 'False') else ''}"
        )
    if isinstance(cause, MissingMandatoryValue):
        return f"{cause.full_key}: expected a value, found none"
    if re.fullmatch(r"field '.*' is not Optional", message):
        return f"{cause.full_key}=null: expected a value"
    return f"{cause.full_key}: {message}" if cause.full_key else message


def _hidden_setting(error: BaseException) -> str | None:
    """Return what is wrong if Hydra takes the name of a setting for that of a group."""
    match = re.match(r"Could not override '(.*?)'\. No match in the defaults list", str(error))
    if match is None or match[1] not in {entry.name for entry in fields(Config)}:
        return None
    return (
        f"{match[1]}: a folder of that name in --config-dir or hydra.searchpath hides the setting; "
        "rename the folder"
    )


def _needs_multirun(error: BaseException) -> str | None:
    """Return what is wrong if a setting of a single run has several values."""
    match = re.match(r"(?:Ambiguous value for argument|Sweep parameters) '(.*?)'", str(error))
    if match is None:
        return None
    return f"{match[1]}: several values need -m, which runs each; a list is written KEY=[A,B]"


def _omegaconf_cause(error: BaseException | None) -> OmegaConfBaseException | None:
    """Return the error of OmegaConf that led to this one, if there is one."""
    while error is not None:
        if isinstance(error, OmegaConfBaseException):
            return error
        error = error.__cause__
    return None
