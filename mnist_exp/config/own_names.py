"""What code of the user's own, Keras' classes and their options are called in a program's name.

No two of them are called the same, nor is one of them called like a part of this project: the
module stands before a function that is not in the file of the examples.
"""

import re
from collections.abc import Collection
from typing import Any

from mnist_exp.config import keras_names
from mnist_exp.config.group_schemas import OPTIONS, SCHEMAS, ModelConfig, OwnModelConfig
from mnist_exp.config.groups import shipped_options
from mnist_exp.config.optimizer_schemas import KerasOptimizerConfig, OptimizerConfig
from mnist_exp.own_code import session

_MODULES = {"model": "my_models", "loss": "my_losses"}  # those of the examples
_CONVNET = re.compile(r"cnn\d+x\d+")  # is what networks of the schema ConvNetConfig are called
_TEXT = re.compile(r"[A-Za-z][\w.]*")
_GROUPS = ("model_", "loss_", "optimizer_")


def model_name(config: ModelConfig) -> str:
    """Return what a network is called; the size of its kernels is not seen here."""
    return _function("model", config.build) if isinstance(config, OwnModelConfig) else config.kind


def optimizer_name(config: OptimizerConfig) -> str:
    """Return what an optimizer is called."""
    if not isinstance(config, KerasOptimizerConfig):
        return config.kind
    name = config.name.lower()
    return f"keras_{name}" if name in SCHEMAS["optimizer"] else name


def loss_name(kind: str, named: str) -> str:
    """Return what a loss is called, of the kind `own` or `keras`: a function or a class."""
    return _function("loss", named) if kind == "own" else named


def _function(group: str, named: str) -> str:
    """Return the name of MODULE:FUNCTION."""
    module, _, function = named.partition(":")
    if session.is_session(named):  # NAME@DIGEST
        return function[:-6]
    names = {*SCHEMAS[group], *shipped_options(group)}
    if group == "loss":  # stands beside the initial weights
        names |= {*keras_names.classes("loss"), *shipped_options("init")}
    is_told = module == _MODULES[group] and function not in names
    return function if is_told and not _CONVNET.fullmatch(function) else f"{module}.{function}"


def option_word(key: str, words: Collection[str]) -> str | None:
    """Return what an option is called, None for a key that is no option.

    It is the option's own name, with the group before it if it is none of the network's, or if
    `words` (what the other settings are called) has it.
    """
    group, _, rest = key.partition(".")
    if not rest.startswith(f"{OPTIONS}."):
        return None
    name = rest.removeprefix(f"{OPTIONS}.")
    is_told = group == "model" and name not in words and not name.startswith(_GROUPS)
    return name if is_told else f"{group}_{name}"


def option_part(word: str, value: Any) -> str:
    """Return the part of a name for an option, such as `depth8`, or "" if it has no short one."""
    if value is None or value is False:
        return f"no_{word}"
    text = "true" if value is True else _text(value)
    is_apart = word[-1].isdigit() or not text[:1].isdigit()
    return f"{word}{'-' if is_apart else ''}{text}" if text else ""


def _text(value: Any) -> str:
    """Return the text of a number, a text or a list of them, or "" if it has no short one."""
    if isinstance(value, list):
        texts = [_text(item) for item in value]
        return "-".join(texts) if all(texts) else ""
    if isinstance(value, float):
        return f"{value:.3g}".replace("+", "")
    is_short = isinstance(value, int) or (isinstance(value, str) and _TEXT.fullmatch(value))
    return str(value) if is_short else ""
