"""What Hydra, OmegaConf and the harness raise about a user's mistake, as one or two lines a person can act on."""

import re
from dataclasses import fields

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig
from omegaconf.errors import ConfigAttributeError, ConfigKeyError, OmegaConfBaseException

from mnist_exp.config.schema import Config
from mnist_exp.config.tree import group_names, group_options
from mnist_exp.errors import UserError, did_you_mean
from mnist_exp.outside.uris import masked
from mnist_exp.sweeper.foreign_text import printable

USER_ERRORS = (UserError, HydraException, OmegaConfBaseException)


def explain(error: BaseException) -> str:
    """One or two lines: the setting or file, the value found, what was expected."""
    lines = [_printable(line) for line in masked(_explain(error)).split("\n") if line.strip()]
    return "\n".join(lines[:2]) or type(error).__name__


def _printable(line: str) -> str:
    shown = printable(line)
    return shown if len(shown) <= 500 else f"{shown[:500]} ..."


def _explain(error: BaseException) -> str:
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, MissingConfigException):
        return _explain_missing(error)
    if isinstance(error, OverrideParseException):
        reason = re.sub(r"\s*See https?://\S+.*", "", error.message.strip().splitlines()[-1])
        lines = [
            line
            for line in error.message.splitlines()
            if not line.startswith(("See ", "Error when parsing"))
        ]
        return (
            f"{error.override}: cannot be read as KEY=VALUE ({' '.join(lines).strip() or reason})"
        )
    cause = _omegaconf_cause(error)
    if isinstance(cause, ConfigAttributeError | ConfigKeyError):
        return _explain_unknown_key(cause)
    if cause is not None:
        return _explain_value(cause)
    hidden = re.match(r"Could not override '(.*?)'\. No match in the defaults list", str(error))
    if hidden and hidden[1] in {setting.name for setting in fields(Config)}:
        return (
            f"{hidden[1]}: a folder of that name in --config-dir or hydra.searchpath hides the setting; "
            "rename the folder"
        )
    if several := re.match(
        r"(?:Ambiguous value for argument|Sweep parameters) '(.*?)'", str(error)
    ):
        return f"{several[1]}: several values need -m, which runs each; a list is written KEY=[A,B]"
    return "\n".join(line.strip() for line in str(error).splitlines())


def _explain_missing(error: MissingConfigException) -> str:
    group, _, option = (error.missing_cfg_file or "").rpartition("/")
    if group not in group_names():
        return str(error).splitlines()[0]
    options = group_options(group)
    return f"{group}={option}: no such option{did_you_mean(option, options)}\nOptions: {', '.join(options)}"


def _explain_unknown_key(cause: OmegaConfBaseException) -> str:
    parent = cause.parent_node
    key = str(cause.key)
    names: list[str] = []
    where = ""
    if isinstance(parent, DictConfig):
        if parent._get_full_key(None) == "tags":
            return f"tags.{key}: no such tag yet; +tags.{key}=VALUE adds it"
        names = sorted(str(name) for name in parent if name != "hydra")
        where = f" in {parent._get_full_key(None)}" if parent._get_full_key(None) else ""
    if not where:
        names = sorted({*names, *group_names()})
    return f"{cause.full_key or key}: no such setting{did_you_mean(key, names)}\nSettings{where}: {', '.join(names)}"


def _explain_value(cause: OmegaConfBaseException) -> str:
    message = (cause.msg or str(cause)).splitlines()[0]
    if wrong_type := re.fullmatch(
        r"Value '(.*)' of type '.*' could not be converted to (\w+)", message
    ):
        value, kind = wrong_type.groups()
        return f"{cause.full_key}={value}: expected {_KINDS.get(kind, kind)}"
    if not_a_choice := re.fullmatch(r"Invalid value '(.*)', expected one of \[(.*)\]", message):
        value, choices = not_a_choice[1], not_a_choice[2].replace("'", "")
        hint = (
            "; in a YAML file off, on, yes and no need quotes" if value in ("True", "False") else ""
        )
        return f"{cause.full_key}={value}: expected one of {choices}{hint}"
    if re.fullmatch(r"field '.*' is not Optional", message):
        return f"{cause.full_key}=null: expected a value"
    return f"{cause.full_key}: {message}" if cause.full_key else message


_KINDS = {"Integer": "a whole number", "Float": "a number", "Boolean": "true or false"}


def _omegaconf_cause(error: BaseException | None) -> OmegaConfBaseException | None:
    while error is not None:
        if isinstance(error, OmegaConfBaseException):
            return error
        error = error.__cause__
    return None
