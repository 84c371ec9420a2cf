"""The name of a program, from what its settings are and not from how they were typed.

It is the name of the preset, or of the network and its optimizer, that has most settings in common
with the program, followed by what differs: `cnn7x7-adam`, `blog_cnn3x3-3epochs`.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import cache
from typing import Any, cast

from omegaconf import DictConfig, OmegaConf

from mnist_exp.config import own_names
from mnist_exp.config.group_schemas import OPTIONS, OwnModelConfig
from mnist_exp.config.groups import CONF_DIR, group_options, shipped_options
from mnist_exp.config.identity import LENGTH, digest_of, flatten
from mnist_exp.config.options import read_option
from mnist_exp.config.settings import Settings
from mnist_exp.config.tree import compose

_GROUPS = ("model", "init", "loss", "optimizer", "schedule", "data")
_ALONE = ("deterministic", "precision")  # settings of no group that decide a result
_OF_DATA = ("data.dir", "data.class_names")  # a name ends in what the data is called
# The settings that a base of a name shares with the program; it is called after them.
_TELLING = (
    *("model.kind", "model.kernel_size", "model.build", "optimizer.kind", "optimizer.name"),
)
_REDUCTION = "loss.reduction"
_MOST_PARTS, _MOST_LETTERS = 4, 60  # of a name; six hex digits stand for what exceeds them
# The number of these is written before the word, that of other settings behind it.
_COUNTED = {"schedule.epochs": "epoch", "schedule.max_steps": "step", "data.train_limit": "image"}
_WORDS = {
    "learning_rate": "lr",
    "batch_size": "batch",
    "kernel_size": "kernel",
    "hidden_units": "units",
    "dense_units": "dense",
    "conv_bias": "bias",
    "eval_limit": "eval",
    "validation_size": "validation",
}
Values = dict[str, Any]  # by dotted key


def program_name(settings: Settings, other_data: str | None) -> str:
    """Return the name of the program that the settings are, without the seed.

    `other_data` is what the data is called, None for MNIST as published. A debug run has the name
    of the program that it debugs, and its option. A variant that an override names is the name.
    """
    config, debug = settings.config, settings.choices.get("debug")
    if config.variant is not None and settings.overrides_key("variant"):
        return config.variant
    own = _values(config.to_dict())
    hidden = list(flatten(_file("debug", debug))) if debug in shipped_options("debug") else []
    described = {}
    for name, base in _bases(settings).items():
        seen = own | {key: base[key] for key in hidden if key in base}
        described[name] = _differences(seen, base)
    name = min(described, key=lambda base: len(described[base]))
    parts, ending = described[name], [] if debug is None else [debug]
    if other_data is not None:
        ending.append(other_data)
    if "" in parts or len(parts) > _MOST_PARTS or len("-".join([name, *parts])) > _MOST_LETTERS:
        parts = [part for part in parts if part][:2]
        ending.append(digest_of({key: _exactly(key, value) for key, value in own.items()})[:6])
    return "-".join([name, *parts, *ending])


def _bases(settings: Settings) -> dict[str, Values]:
    """Return the settings that a name can begin with, by that name; the first of equals counts.

    They are those of the presets with the same kind of model and of optimizer, and at last the
    network's and the optimizer's with the defaults for all others.
    """
    config, shipped = settings.config, shipped_options("experiment")
    presets = {name: _preset(name) for name in shipped}
    chosen = settings.choices.get("experiment", "null")
    # The user's own comes from --config-dir, which a rerun may do without.
    if config.variant is not None and chosen in {*group_options("experiment")} - {*shipped}:
        own = compose([f"experiment={chosen}"]).config
        presets = {config.variant: _values(own.to_dict()), **presets}
    settings_now = _values(config.to_dict())
    kinds = {key: value for key, value in settings_now.items() if key in _TELLING}
    alike = {name: base for name, base in presets.items() if kinds.items() <= base.items()}
    network = option = config.model.kind
    if "model.kernel_size" in kinds:
        network = f"cnn{kinds['model.kernel_size']}x{kinds['model.kernel_size']}"
        option = network if network in shipped_options("model") else "cnn3x3"
    elif isinstance(config.model, OwnModelConfig):
        network = own_names.model_name(config.model)
    plain = _plain(option, config.optimizer.kind) | kinds
    return alike | {f"{network}-{own_names.optimizer_name(config.optimizer)}": plain}


@cache
def _preset(name: str) -> Values:
    """Return the settings of a preset of this project. Composing it would be much slower."""
    file = _file("experiment", name)
    options = {
        key.removeprefix("override /"): option
        for entry in file["defaults"]
        for key, option in entry.items()
    }
    return _options(options, {group: file[group] for group in (*_GROUPS, *_ALONE) if group in file})


@cache
def _plain(model: str, optimizer: str) -> Values:
    """Return the settings of these two options, and of the default ones of the other groups."""
    return _options({"model": model, "optimizer": optimizer}, {})


def _options(chosen: Mapping[str, str], changes: Mapping[str, Any]) -> Values:
    """Return the settings of these options of groups, or of the default ones, and the changes."""
    root = _file("", "config")
    options = {key: option for entry in root["defaults"][1:7] for key, option in entry.items()}
    options |= chosen
    tree = OmegaConf.create({group: _option(group, options[group]) for group in _GROUPS})
    merged = OmegaConf.merge(tree, {key: root[key] for key in _ALONE}, changes)
    resolved: Any = OmegaConf.to_container(merged, resolve=True)
    return _values(resolved)


@cache
def _option(group: str, name: str) -> DictConfig:
    """Return the settings of an option of a group, with the schema that its file names."""
    content = read_option(group, name)
    assert content is not None, (group, name)
    merged = OmegaConf.merge(OmegaConf.structured(content[0]), content[1])
    assert isinstance(merged, DictConfig)
    return merged


@cache
def _option_values(group: str, name: str) -> Values:
    """Return the settings of an option of a group by dotted key, interpolations as they are."""
    return flatten({group: OmegaConf.to_container(_option(group, name))})


@cache
def _file(group: str, name: str) -> dict[str, Any]:
    """Return the content of an option's file, interpolations as they are."""
    content = OmegaConf.to_container(OmegaConf.load(CONF_DIR / group / f"{name}.yaml"))
    assert isinstance(content, dict)
    return cast("dict[str, Any]", content)


def _values(nested: Mapping[str, Any]) -> Values:
    """Return the settings that make a program, but for those that say what its data is."""
    chosen = {key: nested[key] for key in (*_GROUPS, *_ALONE)}
    return {key: value for key, value in flatten(chosen).items() if key not in _OF_DATA}


def _differences(own: Values, base: Values) -> list[str]:
    """Return the parts of a name that say how the settings differ from the base's.

    An empty part stands for a difference that has no short words.
    """
    known = _option_values("schedule", own["schedule.kind"]) | base
    own = own | {key: None for key in base if _is_option(key) and key not in own}
    differing = {key for key in own if key not in known or own[key] != known[key]}
    differing -= {key for key in LENGTH if own[key] is None}  # the other one then differs
    parts = []
    for group in ("init", "loss"):  # their settings have no short words, but their options have
        of_group = {key for key in differing if key.startswith(f"{group}.") and not _is_option(key)}
        of_group -= {"loss.from_probabilities"}
        differing -= of_group
        if group == "init" and own["model.kind"] == "own":
            continue  # they have no effect
        parts += _loss_parts(own, of_group) or [_option_with(group, own)] if of_group else []
    words = {_word(key) for key in own if not _is_option(key)}
    return parts + [_part(key, own[key], words) for key in own if key in differing]


def _is_option(key: str) -> bool:
    return key.partition(".")[2].startswith(f"{OPTIONS}.")


def _loss_parts(own: Values, differing: AbstractSet[str]) -> list[str]:
    """Return the name of a loss of the user's own or of Keras, and what else differs of it.

    Nothing is returned for a loss of this project, or where no setting of the loss differs.
    """
    named = own.get("loss.function", own.get("loss.name"))
    if named is None or not any(key.startswith("loss.") for key in differing):
        return []
    parts = [own_names.loss_name(own["loss.kind"], named)] if differing - {_REDUCTION} else []
    is_sum = _REDUCTION in differing and own[_REDUCTION] == "sum"
    return [*parts, "sum"] if is_sum or not parts else parts


def _option_with(group: str, own: Values) -> str:
    """Return the option of the group that has these settings, or "" if none has."""
    seen = own | {"loss.from_probabilities": False}
    options = {name: _option_values(group, name) for name in shipped_options(group)}
    return next((name for name, values in options.items() if values.items() <= seen.items()), "")


def _word(key: str) -> str:
    """Return what a setting of this project is called."""
    leaf = key.rpartition(".")[2]
    return _WORDS.get(leaf, leaf)


def _exactly(key: str, value: object) -> str:
    """Return a text of the value; that of an option tells the number 8 from the text."""
    return repr(value) if _is_option(key) else str(value)


def _part(key: str, value: object, words: AbstractSet[str]) -> str:
    """Return the part of a name for one setting, such as `lr0.01`, `nobias` or `3epochs`.

    `words` are what the settings are called that are no options of code.
    """
    if option := own_names.option_word(key, words):
        return own_names.option_part(option, value)
    leaf, word = key.rpartition(".")[2], _word(key)
    if leaf in ("kind", "precision"):
        return str(value)
    if key in _COUNTED and value is not None:
        return f"{value}{_COUNTED[key]}{'' if value == 1 else 's'}"
    if value is None or isinstance(value, bool):
        return word if value else f"no{word}" if leaf in _WORDS else f"no_{word}"
    numbers = value if isinstance(value, list) else [value]
    texts = [f"{number:.3g}" if isinstance(number, float) else str(number) for number in numbers]
    return word + ("-" if word[-1].isdigit() else "") + "-".join(texts).replace("+", "")
