"""What `python -m mnist_exp --help` lists: the options of each group, and every setting."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationResolutionError

from mnist_exp.config.group_schemas import SCHEMAS
from mnist_exp.config.groups import group_names, group_options
from mnist_exp.config.ranges import range_of
from mnist_exp.sweeper.quoting import override

# GROUP=OPTION chooses the kind; it cannot be set.
_CHOSEN = {f"{group}.kind" for group, schemas in SCHEMAS.items() if len(schemas) > 1}
_WIDEST = 40  # the column of types makes room for values of so many characters
_KINDS = {int: "whole number", float: "number", bool: "true or false", str: "text"}


def describe_groups() -> str:
    """Return a line for each group: its name and options."""
    return "\n".join(f"  {group}: {', '.join(group_options(group))}" for group in group_names())


def describe_settings(*, _root_: DictConfig) -> str:
    """Return a line for each setting of a composed config: its value, and which it can have.

    `$` is doubled, because Hydra's template of the help text gives a single one a meaning.
    """
    rows = list(_rows(_root_, ""))
    width = max(len(value) for value, _ in rows if len(value) <= _WIDEST)
    lines = [f"  {value:<{width}}  {allowed}".rstrip() for value, allowed in rows]
    return "".join(f"{line}\n" for line in lines).replace("$", "$$")


def _rows(node: DictConfig, prefix: str) -> Iterator[tuple[str, str]]:
    """Yield (KEY=VALUE, the values that are allowed) of each setting of a node and those in it."""
    schema: Any = OmegaConf.get_type(node)
    hints = get_type_hints(schema)
    for entry in fields(schema):
        key = f"{prefix}{entry.name}"
        if entry.name not in node or key in _CHOSEN:  # missing, or taken away with `~`
            continue
        allowed = _allowed(hints[entry.name], str(range_of(entry) or ""))
        try:
            value = node[entry.name]
        except InterpolationResolutionError:  # of `${oc.env:NAME}` without that variable
            plain: Any = OmegaConf.to_container(node, resolve=False)
            yield f"{key}={plain[entry.name]}", allowed
            continue
        if isinstance(value, DictConfig) and is_dataclass(OmegaConf.get_type(value)):
            yield from _rows(value, f"{key}.")
        else:
            yield override(key, value), allowed


def _allowed(kind: Any, bounds: str) -> str:
    """Return the values of a type in words, for example `whole number >= 1 or null`."""
    if get_origin(kind) in (Union, UnionType):
        (option,) = (option for option in get_args(kind) if option is not NoneType)
        return f"{_allowed(option, bounds)} or null"
    if get_origin(kind) is Literal:
        return ", ".join(get_args(kind))
    if get_origin(kind) is list:
        return f"[{_allowed(get_args(kind)[0], bounds)}, ...]"
    if get_origin(kind) is dict:
        return "{NAME: text, ...}"
    return f"{_KINDS.get(kind, 'settings')} {bounds}".rstrip()
