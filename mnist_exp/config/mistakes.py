"""A user's mistake as one or two lines, whoever raised it: Hydra, OmegaConf or this project."""

import errno
import re
import shlex
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

import hydra
from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    MissingMandatoryValue,
    OmegaConfBaseException,
)
from yaml import MarkedYAMLError

from mnist_exp.config import command_line, keras_names, lookup, own_files
from mnist_exp.config.groups import group_names
from mnist_exp.config.schema import Config
from mnist_exp.config.sweeps_source import TREE_DIR
from mnist_exp.errors import ConfigError, UnknownSetting, UserError, did_you_mean, first_line
from mnist_exp.outside.uris import masked
from mnist_exp.sweeper.foreign_text import printable
from mnist_exp.sweeper.unreadable import reason

FOREIGN_ERRORS = (HydraException, OmegaConfBaseException)
USER_ERRORS = (UserError, *FOREIGN_ERRORS)
_KINDS = {"Integer": "a whole number", "Float": "a number", "Boolean": "true or false"}
_LONGEST = 500  # characters of a line
# What Hydra says of a sign before a setting or group -> the override in that text.
_SIGNS = (
    r"Could not append to config\. An item is already at '(?P<key>.*?)'",
    r"Multiple values for (?P<key>.*?)\. To override",
    r"force-add of config groups is not supported: '\++(?P<key>.*?)='?",
)


def explain(error: BaseException, arguments: Sequence[str] = ()) -> str:
    """Return one or two lines: the setting or file, its value, and what was expected.

    `arguments` are what was typed, if it is known; then the answer has them as they should be.
    """
    message = masked(_message(error, arguments))
    lines = [_printable(line) for line in message.split("\n") if line.strip()]
    return "\n".join(lines[:2]) or type(error).__name__


def understood(error: Exception, arguments: Sequence[str]) -> Exception:
    """Return the error, or for one of Hydra's or of a setting that does not exist its explanation.

    `arguments` are what was typed.
    """
    if isinstance(error, (*FOREIGN_ERRORS, UnknownSetting)):
        return ConfigError(explain(error, arguments))
    return error


def composition_error(error: Exception, arguments: Sequence[str]) -> ConfigError:
    """Return a mistake for an exception of Python's own that Hydra raises while it composes."""
    if isinstance(error, MarkedYAMLError):
        return ConfigError(own_files.yaml_error(error))
    if "Config group override must be" in str(error):
        for argument in arguments:
            group = argument.partition("=")[0]
            if group in ("", *group_names()):
                return ConfigError(f"{argument}: expected GROUP=OPTION, such as model=cnn3x3")
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


def _message(error: BaseException, arguments: Sequence[str]) -> str:
    """Return what is wrong, in lines of any number and length."""
    if isinstance(error, UnknownSetting):
        name, value = _typed(error.key, arguments)
        near = lookup.hint(name, value, arguments)
        return f"{name}: no such setting{near}" if near else str(error)
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, MissingConfigException):
        return _missing_option(error)
    if isinstance(error, OverrideParseException):
        return _unreadable(error, arguments)
    if own := own_files.explained(error):
        return own
    cause = _omegaconf_cause(error)
    if isinstance(cause, ConfigAttributeError | ConfigKeyError):
        return _unknown_key(cause, arguments)
    if cause is not None:
        return _wrong_value(cause, arguments)
    return (
        _hidden_setting(error)
        or _needs_multirun(error)
        or _wrong_sign(error, arguments)
        or "\n".join(line.strip() for line in str(error).splitlines())
    )


def _typed(key: str, arguments: Sequence[str]) -> tuple[str, str | None]:
    """Return the name and value that were typed for a key, or for a setting within it."""
    for argument in reversed(arguments):
        name, equals, value = argument.lstrip("+~").partition("=")
        if equals and (name == key or name.startswith(f"{key}.")):
            return name, value
    return key, None


# The launchers of a sweep's workers that are packages of their own: docs/scaling.md.
_EXTRAS = {"ray": "ray", "submitit_slurm": "slurm", "submitit_local": "slurm"}


def _missing_option(error: MissingConfigException) -> str:
    group, _, option = (error.missing_cfg_file or "").rpartition("/")
    # What ends in _base is what options start from.
    options = sorted(name for name in error.options or [] if not name.endswith("_base"))
    if not group or not options:
        return str(error).splitlines()[0]
    if group == "hydra/launcher" and (extra := _EXTRAS.get(option)):
        return f"{group}={option}: not installed; it comes with this project's extra `{extra}`"
    near = did_you_mean(option, options) or did_you_mean(option.lower(), options)
    own = lookup.options_within(group, option, options)
    classes = keras_names.meant(option, keras_names.usable(group))
    is_near = near and option not in classes
    keras = [] if is_near or own else [f"{group}=keras {group}.name={name}" for name in classes]
    if meant := dict.fromkeys([*own, *lookup.options_named(option), *keras]):
        near = f"; did you mean {' or '.join(meant)}?"
    elif near:
        near = f"; did you mean {group}={near.removeprefix('; did you mean ')}"
    return f"{group}={option}: no such option{near}\nOptions: {', '.join(options)}"


def _unreadable(error: OverrideParseException, arguments: Sequence[str]) -> str:
    text = error.override or ""
    message = f"{text}: cannot be read as SETTING=VALUE"
    if text.startswith("#"):
        return f"{message}; the shell takes no comment here, write it on a line of its own"
    if meant := command_line.repaired(text, arguments or [text]):
        return f"{message}; {meant}"
    if "=" not in text and (advice := command_line.bare_word(text, arguments)):
        return f"{message}; {advice}"
    return f"{message}; {reason(error)}"


def _unknown_key(cause: OmegaConfBaseException, arguments: Sequence[str]) -> str:
    parent, key = cause.parent_node, str(cause.key)
    names: list[str] = []
    path = ""
    if isinstance(parent, DictConfig):
        path = parent._get_full_key(None)
        if path == "tags":
            return f"tags.{key}: no such tag yet; +tags.{key}=VALUE adds it"
        names = sorted(str(name) for name in parent if not str(name).startswith(("_", "hydra")))
    if not path:
        names = sorted({*names, *group_names()})
    full, value = _typed(str(cause.full_key or key), arguments)
    own = not full.startswith("hydra") or full.startswith("hydra.sweeper.")
    near = lookup.hint(full, value, arguments) if own else ""
    if full.startswith("hydra/"):
        names = ["hydra/sweeper", "hydra/launcher", "hydra/sweeper/sampler", "hydra/sweeper/pruner"]
    offered = [name for name in names if name != "trust_code"]  # nobody allows code by mistake
    if not near and (found := did_you_mean(key, offered)):
        other = found.removeprefix("; did you mean ").removesuffix("?")
        near = f"; did you mean {path}{'.' if path else ''}{other}={value or 'VALUE'}?"
    listed = f"Settings{f' in {path}' if path else ''}: {', '.join(names)}"
    return f"{full}: no such setting{near}" + ("" if "\n" in near else f"\n{listed}")


def _wrong_value(cause: OmegaConfBaseException, arguments: Sequence[str]) -> str:
    message = (cause.msg or str(cause)).splitlines()[0]
    key = cause.full_key
    if wrong_type := re.fullmatch(
        r"Value '(.*)' of type '.*' could not be converted to (\w+)", message
    ):
        value, kind = wrong_type.groups()
        number = lookup.number_meant(value, whole=kind == "Integer")
        near = f"; did you mean {key}={number}?" if number is not None else ""
        return f"{key}={value}: expected {_KINDS.get(kind, kind)}{near}"
    if not_a_choice := re.fullmatch(r"Invalid value '(.*)', expected one of \[(.*)\]", message):
        value, choices = not_a_choice[1], not_a_choice[2].replace("'", "")
        near = lookup.near(value, choices.split(", "))
        hint = f"; did you mean {key}={near}?" if near else ""
        if value in ("True", "False"):
            hint = "; in a YAML file off, on, yes and no need quotes"
        return f"{key}={value}: expected one of {choices}{hint}"
    if isinstance(cause, MissingMandatoryValue):
        one = lookup.setting(str(key))
        about = "" if one is None else f"\n{one.key}: {one.meaning} {one.facts}"
        return f"{key}: expected a value, found none{about}"
    if no_name := re.fullmatch(r"Key (.*) \(\w+\) is incompatible with \(str\)", message):
        return f"{str(key).rpartition('.')[0]}: {no_name[1]} is no name, which begins with a letter"
    if re.fullmatch(r"field '.*' is not Optional", message):
        return f"{key}=null: expected a value"
    if not_a_bool := re.match(r"Value '(.*)' is not a valid bool", message):
        return f"{key}={not_a_bool[1]}: expected true or false"
    if "is not a ListConfig" in message:
        given = [text.partition("=")[2] for text in arguments if text.startswith(f"{key}=")]
        typed = ",".join(given) or "A,B"  # several, if a shell made them of {A,B}
        return f"{key}: expected a list; did you mean {lookup.assignment(str(key), typed)}?"
    if "does not support deletion" in message:
        return f"~{key}: a setting of a group cannot be taken away; {key}=VALUE changes it"
    if unknown := re.fullmatch(r"Interpolation key '(.*)' not found", message):
        for text in arguments:
            if f"${{{unknown[1]}}}" in text:
                return f"{text}: there is no setting {unknown[1]} whose value it could take"
    return f"{key}: {message}" if key else message


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
    match = re.match(
        r"(?:Ambiguous value for argument|Sweep parameters) '(.*?)' ?(?:\n|requires|$)", str(error)
    )
    if match is None:
        return None
    key, _, value = match[1].partition("=")
    meant = lookup.meant_keys(key)[:1] or [key]
    single = lookup.assignment(meant[0], value)
    command = f"python -m mnist_exp -m {shlex.quote(f'{meant[0]}={value}')}"
    several = f"several values need -m, which runs each: {command}"
    if shlex.split(single)[-1].partition("=")[2] != value:  # a list, or a number with a comma
        return f"{match[1]}: did you mean {single}?\nOtherwise {several}"
    return f"{match[1]}: {several}"


def _wrong_sign(error: BaseException, arguments: Sequence[str]) -> str | None:
    """Return what is wrong if a `+` or `~` stands before a setting that must not have it."""
    text = str(error)
    for pattern in _SIGNS:
        if match := re.match(pattern, text):
            key, value = _typed(match["key"], arguments)
            return f"{key}: has a value already; {key}={value or 'VALUE'} without + changes it"
    if match := re.match(r"Could not override '(.*?)'\. No match in the defaults list", text):
        near = lookup.hint(match[1], None, arguments)
        return f"{match[1] or '='}: no such setting{near}"
    if match := re.match(r"Could not delete from config\. '(.*?)' does not exist", text):
        near = lookup.hint(match[1], None, ())
        return f"~{match[1]}: no such setting to take away{near}"
    if match := re.match(r"Override (.*) looks like a config group override, but", text):
        return f"{match[1]}: no such group\nGroups: {', '.join(group_names())}"
    return None


def _omegaconf_cause(error: BaseException | None) -> OmegaConfBaseException | None:
    """Return the error of OmegaConf that led to this one, if there is one."""
    while error is not None:
        if isinstance(error, OmegaConfBaseException):
            return error
        error = error.__cause__
    return None
