"""The page of `python -m mnist_exp --help`: examples, groups and their options, every setting."""

import shutil
import textwrap
from collections.abc import Iterable
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationResolutionError

from mnist_exp.config.commands import commands
from mnist_exp.config.group_schemas import SCHEMAS
from mnist_exp.config.groups import group_names, option_files, own_files
from mnist_exp.config.meanings import (
    Described,
    all_settings,
    in_words,
    purpose,
    settings_of_group,
    settings_without_group,
    summary,
    sweeper_settings,
)
from mnist_exp.sweeper.settings import SUMMARIES

_WIDEST = 100  # columns; longer lines are hard to read
_RUN = "python -m mnist_exp"
_EXAMPLES = {
    "": "train the blog post's CNN",
    "experiment=notebook_softmax": "another of the programs",
    "model=cnn5x5 optimizer=sgd": "choose options",
    "schedule.epochs=3 seed=1": "change settings",
    "'model.filters=[16,32]'": "a list needs quotes",
    "-m model=softmax,mlp seed=1,2": "run every combination",
    "-m sweeps=variants": "run a study",
    "resume=auto": "go on with a stopped run",
    "--help optimizer": "one part of this page",
    "--cfg job": "all settings, as YAML",
}
_NOTE = (
    "A group is a choice between options, such as model=cnn3x3. A setting is a single value, such "
    "as model.kernel_size=7; SETTING=null takes a value away where it may be unset. The defaults "
    "below are those of the options, and a preset (experiment=) changes some of them. The folder "
    "of --config-dir FOLDER may have options of your own."
)
_PURPOSES = {
    "experiment": "A preset, which sets several groups at once.",
    "debug": "A quick try, recorded apart from other runs.",
    "sweeps": "A study, many runs that answer one question; it needs -m.",
}
# The groups in the order of the page; those of a --config-dir come after them.
_ORDER = ("experiment", "model", "optimizer", "schedule", "loss", "init", "data", "debug", "sweeps")
_OTHERS, _SWEEPER = "settings", "hydra.sweeper"  # parts of the page, as --help NAME


def help_page(topic: str = "", *, _root_: DictConfig) -> str:
    """Return the page, or what it has on one group, part or setting.

    `_root_` is what Hydra composed: a value other than the default is shown beside it. `$` is
    doubled, because Hydra's template of the help text gives a single one a meaning.
    """
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    groups = [*_ORDER, *(name for name in group_names() if name not in _ORDER)]
    parts = {group: _group(group, _root_, width) for group in groups}
    parts[_OTHERS] = ["Other settings", *_settings(settings_without_group(), _root_, width)]
    parts[_SWEEPER] = _sweeper(width)
    if topic in parts:
        lines = parts[topic]
    elif topic:
        lines = _settings([one for one in all_settings() if one.key == topic], _root_, width)
    else:
        lines = _top(width)
        for part in parts.values():
            lines += ["", *part]
    return "\n".join(lines).replace("$", "$$")


def topics() -> list[str]:
    """Return the names that may follow --help: groups, parts of the page, and settings."""
    return [*_ORDER, _OTHERS, _SWEEPER, *(one.key for one in all_settings())]


def _top(width: int) -> list[str]:
    """Return how the command is written, examples, and the other commands."""
    examples = {f"{_RUN} {end}".rstrip(): text for end, text in _EXAMPLES.items()}
    return [
        *_paragraph("mnist_exp trains small networks on MNIST and records each run.", 0, width),
        "",
        f"usage: {_RUN} [GROUP=OPTION] [SETTING=VALUE] ...",
        "",
        "Examples:",
        *_columns(examples.items(), width),
        "",
        f"Other commands, {_RUN}.NAME, each with its own --help:",
        *_columns(commands().items(), width),
        "",
        *_paragraph(_NOTE, 0, width),
        "",
        f"Hydra's own flags, such as -m and --config-dir: {_RUN} --hydra-help",
    ]


def _group(group: str, composed: DictConfig, width: int) -> list[str]:
    """Return the options of a group and its settings."""
    text = purpose(group) if group in SCHEMAS else _PURPOSES.get(group, "Options of your own.")
    chosen = HydraConfig.get().runtime.choices.get(group)
    options = {
        file.stem: f"{summary(file)} (Your own.)" if file in own_files(group) else summary(file)
        for file in option_files(group)
    }
    rows = [
        (f"{name} *" if name == chosen else name, text.strip()) for name, text in options.items()
    ]
    note = "; * is the one chosen" if chosen in options else ""
    return [
        *_paragraph(f"{group}=OPTION: {text.rstrip('.')}{note}.", 0, width),
        *_columns(rows, width),
        *_settings(settings_of_group(group), composed, width),
    ]


def _settings(settings: Iterable[Described], composed: DictConfig, width: int) -> list[str]:
    """Return lines for each setting: its name, what it means, and its values."""
    lines: list[str] = []
    for one in settings:
        here = _here(one, composed)
        lines += [f"  {one.key}", *_paragraph(one.meaning, 6, width)]
        lines += _paragraph(f"{one.facts}{f' Here: {here}.' if here else ''}", 6, width)
    return lines


def _here(one: Described, composed: DictConfig) -> str:
    """Return the value that was composed, if it is not the default of the chosen option."""
    parent, _, name = one.key.rpartition(".")
    node: Any = OmegaConf.select(composed, parent) if parent else composed
    if not isinstance(node, DictConfig) or name not in node or not one.values:
        return ""
    written: Any = OmegaConf.to_container(node, resolve=False)
    option = HydraConfig.get().runtime.choices.get(one.key.partition(".")[0], "")
    if option in one.values and written[name] == one.values[option]:
        return ""
    try:
        return in_words(node[name])
    except InterpolationResolutionError:  # of a variable that is not set here
        return "as given"


def _sweeper(width: int) -> list[str]:
    """Return the settings of hydra/sweeper=optuna_study, its samplers and its pruners."""
    title = "hydra/sweeper=optuna_study: A search with Optuna; it needs -m, and sweeps= chooses it."
    lines = _paragraph(title, 0, width)
    for kind, options in SUMMARIES.items():
        lines += [f"  hydra/sweeper/{kind}=OPTION", *_columns(options.items(), width, 6)]
    lines += _settings(sweeper_settings(), OmegaConf.create(), width)
    return [*lines, *_paragraph(_SPACES, 2, width)]


_SPACES = (
    "What is searched: model=softmax,mlp is one of these, 'model.dropout=interval(0,0.5)' a "
    "number between two others, 'optimizer.learning_rate=tag(log,interval(1e-4,1e-1))' the same "
    "on a log scale, 'seed=range(5)' is 0 to 4. The setting objective is the metric. "
    "hydra.sweeper.sampler.seed=0 makes a search repeatable. hydra/launcher=joblib runs trials "
    "side by side."
)


def _paragraph(text: str, indent: int, width: int) -> list[str]:
    space = " " * indent
    return textwrap.wrap(
        text,
        max(width, indent + 20),
        initial_indent=space,
        subsequent_indent=space,
        break_on_hyphens=False,
        break_long_words=False,
    )


def _columns(rows: Iterable[tuple[str, str]], width: int, indent: int = 4) -> list[str]:
    """Return lines with two columns; a long text goes on below itself."""
    table = list(rows)
    first = indent + 2 + max((len(name) for name, _ in table), default=0)
    lines = []
    for name, text in table:
        start, *rest = _paragraph(text, first, width) or [" " * first]
        lines += [f"{' ' * indent}{name}{start[indent + len(name) :]}".rstrip(), *rest]
    return lines
