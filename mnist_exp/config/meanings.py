"""What `--help` says of each setting: its meaning, its values and its default, in words."""

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from omegaconf import OmegaConf

from mnist_exp.config.group_schemas import SCHEMAS
from mnist_exp.config.groups import CONF_DIR, group_options, own_folders
from mnist_exp.config.options import read_option
from mnist_exp.config.ranges import Range, range_of, without_none
from mnist_exp.config.schema import OBJECTIVES, Config
from mnist_exp.outside.printing import listed
from mnist_exp.sweeper.quoting import literal
from mnist_exp.sweeper.settings import MEANINGS, SWEEPER

_KINDS = {int: "Whole number", float: "Number", bool: "One of true, false", str: "Text"}
_UNLIMITED = 10**9  # a largest value from here on is no limit that a person meets
_NULL = "; null is "  # in a docstring, before what an unset setting means
# Of conf/: what depends on another setting, ${unless:${.SETTING},VALUE} with its arguments.
_DIRECTIONS = "${directions:${oc.select:objective,null}}"
_UNLESS = re.compile(r"\$\{unless:\$\{\.(\w+)\},(\w+)\}")


@dataclass(frozen=True, kw_only=True)
class Leaf:
    """A setting within one option: its default is `value`, with interpolations as written."""

    meaning: str
    kind: str
    default: str
    type: Any
    value: Any


@dataclass(frozen=True, kw_only=True)
class Described:
    """A setting as --help shows it, in whole sentences.

    type: bool, int, float, str, list, dict or Literal
    values: {the option, or an empty text outside of a group: the default as conf/ has it}
    """

    key: str
    meaning: str
    facts: str
    type: Any
    values: Mapping[str, Any]


@cache
def meanings(schema: type) -> dict[str, str]:
    """Return {field: meaning} from the docstrings of a dataclass and of those it extends."""
    found: dict[str, str] = {}
    for parent in reversed(schema.__mro__):
        text = inspect.cleandoc(parent.__doc__ or "")
        for match in re.finditer(r"^(\w+): (.*(?:\n +.*)*)", text, re.MULTILINE):
            found[match[1]] = " ".join(match[2].split())
    return found


def purpose(group: str) -> str:
    """Return the first line of the docstring that the schemas of a group share."""
    schema = next(iter(SCHEMAS[group].values()))
    base = next(parent for parent in reversed(schema.__mro__) if is_dataclass(parent))
    return inspect.cleandoc(base.__doc__ or "").splitlines()[0]


def settings_of_group(group: str) -> list[Described]:
    """Return the settings of all options of a group; none for a group without a schema."""
    return _settings_of_group(group, own_folders())


@cache
def _settings_of_group(group: str, _folders: tuple[Path, ...]) -> list[Described]:
    """Return the settings of all options of a group, while these are the user's own folders."""
    leaves: dict[str, dict[str, Leaf]] = {}
    names = group_options(group) if group in SCHEMAS else []
    found = {name: content for name in names if (content := read_option(group, name)) is not None}
    for name, (schema, given) in found.items():
        for key, leaf in _leaves(schema, given, f"{group}."):
            leaves.setdefault(key, {})[name] = leaf
    chosen = f"{group}.kind" if len(SCHEMAS.get(group, ())) > 1 else ""  # by GROUP=OPTION
    return [_described(key, by, list(found)) for key, by in leaves.items() if key != chosen]


@cache
def settings_without_group() -> list[Described]:
    """Return all other settings of a run."""
    content: Any = OmegaConf.to_container(OmegaConf.load(CONF_DIR / "config.yaml"))
    own = {key: value for key, value in content.items() if key not in ("defaults", "hydra")}
    leaves = {
        key: leaf for key, leaf in _leaves(Config, own, "") if key.partition(".")[0] not in SCHEMAS
    }
    order = list(dict.fromkeys([*meanings(Config), *leaves]))  # as in the docstring
    return [_described(key, {"": leaves[key]}, [""]) for key in order if key in leaves]


@cache
def sweeper_settings() -> list[Described]:
    """Return the settings of hydra/sweeper=optuna_study, with the defaults of conf/."""
    file = CONF_DIR / "hydra" / "sweeper" / "optuna_study.yaml"
    content: Any = OmegaConf.to_container(OmegaConf.load(file))
    defaults = {**SWEEPER, **content}
    return [
        Described(
            key=f"hydra.sweeper.{name}",
            meaning=sentence(meaning),
            facts=f"{kind}. Default: {in_words(defaults[name], unset)}.",
            type=type(SWEEPER[name]),
            values={},
        )
        for name, (kind, meaning, unset) in MEANINGS.items()
    ]


def all_settings() -> list[Described]:
    """Return all settings: of the groups, without a group, and of the sweeper."""
    of_groups = [one for group in SCHEMAS for one in settings_of_group(group)]
    return [*of_groups, *settings_without_group(), *sweeper_settings()]


def summary(file: Path) -> str:
    """Return the first line of a YAML file's comment; an empty text if it has none."""
    for line in file.read_text(encoding="utf-8", errors="replace").splitlines():
        text = line.lstrip("# ").rstrip()
        if text and not text.startswith("@package"):
            return text if line.startswith("#") else ""
    return ""


def _leaves(schema: type, given: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Leaf]]:
    """Yield (key, setting) for each field of a schema, and for those of the schemas in it."""
    hints, texts, defaults = get_type_hints(schema), meanings(schema), _defaults(schema)
    for entry in fields(schema):
        key, kind = f"{prefix}{entry.name}", without_none(hints[entry.name])
        value = given.get(entry.name, defaults.get(entry.name))
        meaning, _, unset = texts.get(entry.name, "").partition(_NULL)
        if is_dataclass(kind):
            assert isinstance(kind, type)
            inner = value if isinstance(value, Mapping) else {}
            for name, leaf in _leaves(kind, inner, f"{key}."):
                whole = ": ".join(filter(None, [meaning, leaf.meaning]))
                yield name, replace(leaf, meaning=whole)
            continue
        yield (
            key,
            Leaf(
                meaning=meaning,
                kind=_kind(kind, entry.name, range_of(entry)),
                default=in_words(value, unset),
                type=get_origin(kind) or kind,
                value=value,
            ),
        )


@cache
def _defaults(schema: type) -> dict[str, Any]:
    defaults: Any = OmegaConf.to_container(OmegaConf.structured(schema))
    return dict(defaults)


def _described(key: str, by_option: Mapping[str, Leaf], options: list[str]) -> Described:
    leaf = next(iter(by_option.values()))
    by_default: dict[str, list[str]] = {}
    for option, one in by_option.items():
        by_default.setdefault(one.default, []).append(option)
    only = "" if len(by_option) == len(options) else f" Only with {listed(list(by_option))}."
    if len(by_default) == 1:
        default = next(iter(by_default))
    else:
        default = "; ".join(f"{text} with {listed(names)}" for text, names in by_default.items())
    return Described(
        key=key,
        meaning=sentence(leaf.meaning),
        facts=f"{leaf.kind}{only} Default: {default}.",
        type=leaf.type,
        values={option: one.value for option, one in by_option.items()},
    )


def sentence(text: str) -> str:
    """Return the text with a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def in_words(value: Any, unset: str = "not set") -> str:
    """Return a value as it is typed, or what it means where it cannot be typed."""
    if value is None:
        return unset or "not set"
    if value in ([], {}, "", "???"):
        return "none"
    if value == _DIRECTIONS:
        return "maximize for an accuracy, minimize for a cost or a time"
    if depends := _UNLESS.fullmatch(str(value)):
        return f"{depends[2]} if {depends[1]} is not set"
    if isinstance(value, list):
        return f"[{','.join(map(in_words, value))}]"
    if isinstance(value, float) and float(f"{value:g}") == value:
        return f"{value:g}"
    return value if isinstance(value, str) else literal(value)


def _kind(kind: Any, name: str, allowed: Range | None) -> str:
    """Return the values of a type as a sentence, for example `Whole number, 1 or more.`."""
    if get_origin(kind) is Literal:
        return f"One of {', '.join(get_args(kind))}."
    if get_origin(kind) is list:
        if name == "objective":
            return f"A list of {', '.join(OBJECTIVES)}."
        item = _kind(get_args(kind)[0], name, allowed)
        return f"A list: {item.lower().replace('number', 'numbers')}"
    if get_origin(kind) is dict:
        return "Texts by name." if get_args(kind)[1] is str else "Values by name."
    return f"{_KINDS[kind]}{_bounds(allowed) if allowed is not None else ''}."


def _bounds(allowed: Range) -> str:
    """Return a range in words, after a space or a comma; an empty text if there is none."""
    low, high = allowed.low, allowed.high
    if allowed.max_length is not None:
        return f" of at most {allowed.max_length} characters"
    if allowed.above is not None:
        return f" above {in_words(allowed.above)}"
    if low is None:
        return ""
    if allowed.below is not None:
        return f" from {low} to below {allowed.below}"
    return f", {low} or more" if high is None or high >= _UNLIMITED else f" from {low} to {high}"
