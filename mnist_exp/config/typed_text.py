"""Settings that are text hold the text as it was typed.

Hydra reads `run_name=2024_01` as the number 202401, `1.10` as 1.1 and `true` as a bool; YAML does
the same. A text setting then gets the text of that number. These functions keep what was typed, in
overrides and in YAML files.
"""

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import yaml
from hydra.conf import HydraConf
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from mnist_exp.config.group_schemas import SCHEMAS
from mnist_exp.config.ranges import without_none
from mnist_exp.config.schema import Config
from mnist_exp.config.sweeps_source import TREE_DIR

_ANY_KEY = "*"  # stands for every key of a dict of texts
_OVERRIDE = re.compile(r"(?P<sign>\+{0,2}|~)(?P<key>[^=@+~-][^=@]*)=(?P<value>.*)", re.DOTALL)
_CHOICE = re.compile(r"choice\((.*)\)", re.DOTALL)
# What str() gives for a number or a bool that was read from YAML.
_CONVERTED = re.compile(r"True|False|[-+]?(\d[\d.]*(e[-+]?\d+)?|inf|nan)", re.IGNORECASE)
_NO_TEXT = (int, float, list, dict)
_OPEN, _CLOSE = "([{", ")]}"


@cache
def text_keys() -> set[str]:
    """Return the keys of all settings that are text, this project's and Hydra's."""
    schemas = [(group, schema) for group, kinds in SCHEMAS.items() for schema in kinds.values()]
    of_groups = [text_settings(schema, f"{group}.") for group, schema in schemas]
    of_hydra = text_settings(HydraConf, "hydra.") | {"hydra.sweeper.study_name"}
    return text_settings(Config).union(of_hydra, *of_groups)


def text_settings(schema: type, prefix: str = "") -> set[str]:
    """Return the dotted keys of all texts in a dataclass and in the dataclasses within it.

    A dict of texts is `tags.*`.
    """
    keys, hints = set[str](), get_type_hints(schema)
    for setting in fields(schema):
        key, kind = f"{prefix}{setting.name}", without_none(hints[setting.name])
        if kind is str or get_origin(kind) is Literal:
            keys.add(key)
        elif is_dataclass(kind) and isinstance(kind, type):
            keys |= text_settings(kind, f"{key}.")
        elif get_origin(kind) is dict and get_args(kind)[1] is str:
            keys.add(f"{key}.{_ANY_KEY}")
    return keys


def as_typed(override: str, texts: AbstractSet[str], groups: AbstractSet[str] = frozenset()) -> str:
    """Return the override with quotes around each text that Hydra would not read as text.

    `texts` are the keys of text settings (`text_keys`), `groups` those of groups, which may have a
    list of options. `null` stays null, except as the value of a key in a dict of texts. What Hydra
    cannot read at all stays as it is.
    """
    parts = _OVERRIDE.fullmatch(override)
    if parts is None:
        return override
    key = parts["key"].strip()
    if key in groups:
        value: str | None = _quoted_where_needed(parts["value"].strip(), (int, float))
    else:
        value = _value(key, parts["value"], texts)
    return override if value is None else f"{parts['sign']}{parts['key']}={value}"


def _value(key: str, value: str, texts: AbstractSet[str]) -> str | None:
    """Return the value to write in place of `value`, None if it stays."""
    if _is_text(key, texts):
        kinds = _NO_TEXT if key in texts else (*_NO_TEXT, NoneType)
        return _quoted_where_needed(value.strip(), kinds)
    if value.strip().startswith("{") and any(text.startswith(f"{key}.") for text in texts):
        return _quoted_within(key, value.strip(), texts)
    return None


def _is_text(key: str, texts: AbstractSet[str]) -> bool:
    return key in texts or f"{key.rpartition('.')[0]}.{_ANY_KEY}" in texts


def _quoted_where_needed(value: str, kinds: tuple[type, ...]) -> str:
    """Return the value, in quotes if Hydra reads it as one of these kinds."""
    parts = list(_split(value, ","))
    if len(parts) > 1:  # the values of a sweep
        return ",".join(_quoted_where_needed(part.strip(), kinds) for part in parts)
    if choice := _CHOICE.fullmatch(value):
        # Hydra forgets quotes within choice(), but not in `'1','2'`, which means the same.
        quoted = _quoted_where_needed(choice[1], kinds)
        return value if quoted == choice[1] else quoted
    try:
        read = OverridesParser.create().parse_rule(value, "element")
    except HydraException:
        return value
    if isinstance(read, kinds):
        return "'" + re.sub(r"(\\*)'", r"\1\1\\'", value) + "'"
    return value


def _quoted_within(key: str, value: str, texts: AbstractSet[str]) -> str:
    """Return `{KEY: VALUE, ...}` with quotes around its texts where Hydra needs them."""
    entries = []
    for entry in _split(value[1:-1], ","):
        name, colon, inner = entry.partition(":")
        changed = _value(f"{key}.{name.strip()}", inner, texts) if colon else None
        entries.append(entry if changed is None else f"{name}:{changed}")
    return "{" + ",".join(entries) + value[-1]


def _split(value: str, separator: str) -> Iterator[str]:
    """Yield the parts between separators that stand outside of quotes and brackets."""
    start, depth, quote, position = 0, 0, "", 0
    while position < len(value):
        character = value[position]
        if character == "\\":
            position += 1
        elif quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character in _OPEN or character in _CLOSE:
            depth += 1 if character in _OPEN else -1
        elif character == separator and depth == 0:
            yield value[start:position]
            start = position + 1
        position += 1
    yield value[start:]


def is_converted(text: str) -> bool:
    """Return True for a text that may have been a number or a bool in a YAML file."""
    return _CONVERTED.fullmatch(text) is not None


def in_yaml(file: Path, path: Sequence[str], converted: str) -> str | None:
    """Return the text at this path of keys in the file, if YAML reads it as `converted`.

    None if the file has nothing there, or a text, or another number or bool.
    """
    node = yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    for key in path:
        entries = node.value if isinstance(node, yaml.MappingNode) else []
        node = next((value for name, value in entries if name.value == key), None)
    if not isinstance(node, yaml.ScalarNode) or node.style is not None:
        return None
    value = OmegaConf.create(f"value: {node.value}").value
    return node.value if not isinstance(value, str) and str(value) == converted else None


def restore_texts(composed: DictConfig, hydra_config: Any) -> None:
    """Give each text setting that YAML read as a number, as in `variant: 1.10`, its text again."""
    typed = {override.lstrip("+").partition("=")[0] for override in hydra_config.overrides.task}
    for key in text_keys():
        parent, _, name = key.rpartition(".")
        node = _node(composed, parent.split(".")) if parent else composed
        if node is None:
            continue
        for entry in list(node) if name == _ANY_KEY else {name} & node.keys():
            value = None if OmegaConf.is_missing(node, entry) else node.get(entry)
            path = [*filter(None, parent.split(".")), str(entry)]
            if isinstance(value, str) and is_converted(value) and ".".join(path) not in typed:
                node[entry] = next(_written(path, value, hydra_config), value)


def _node(config: DictConfig, keys: list[str]) -> DictConfig | None:
    """Return the settings below these keys; None if there are none, as after `~init`."""
    node: Any = config
    for key in keys:
        known = node.keys()  # without them OmegaConf looks for similar names, which takes long
        if key not in known or key not in node or not isinstance(node[key], DictConfig):
            return None
        node = node[key]
    return node if isinstance(node, DictConfig) else None


def _written(path: list[str], converted: str, hydra_config: Any) -> Iterator[str]:
    """Yield the texts that YAML read as `converted`, beginning with the file that was read last."""
    runtime = hydra_config.runtime
    folders = [Path(source.path) for source in runtime.config_sources if source.schema == "file"]
    choices = {"": hydra_config.job.config_name, **runtime.choices}
    for group, option in reversed(choices.items()):
        roots = [TREE_DIR] if group == "sweeps" else folders
        files = [root / group / f"{option}.yaml" for root in roots]
        inside = path[1:] if path[0] == group else path  # a group's file holds what is in the group
        for file in filter(Path.is_file, files):
            if (text := in_yaml(file, inside, converted)) is not None:
                yield text
