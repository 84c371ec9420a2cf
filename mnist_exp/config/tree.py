"""Dataclass schema of the whole config tree, its registration with Hydra, and where `conf/` is.

The schemas fix names and types; `__post_init__` checks ranges when a composed config becomes a `Config` object.
Choices of a group that take different settings (a softmax model has no kernel size) have a schema each.
"""

import errno
import re
import shlex
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import hydra
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.conf import HydraConf
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.utils import setup_globals
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from mnist_exp.config import bridge, earlier_names, sweeps_source
from mnist_exp.config.group_schemas import SCHEMAS
from mnist_exp.config.identity import NEUTRAL, _top_key
from mnist_exp.config.schema import Config
from mnist_exp.config.sweeps_source import SWEEPS_DIR, TREE_DIR
from mnist_exp.config.typed_text import ANY_KEY, as_typed, in_yaml, is_converted, text_settings
from mnist_exp.errors import ConfigError, first_line
from mnist_exp.sweeper.quoting import escaped

CONF_DIR = TREE_DIR / "conf"

# Targets that a config or command line may instantiate: what a sweep and conf/config.yaml name. All else is built
# from the schemas.
EXECUTION_WHITELIST = (
    "mnist_exp.config.earlier_files.EarlierFiles",
    "mnist_exp.studies.hooks.*",
    "mnist_exp.studies.search_spaces.*",
    *earlier_names.NAMES,
)


def _register() -> None:
    """Make the schemas known to Hydra as `schema/GROUP/NAME`, and the resolvers that `conf/` uses.

    Done on import, so that a sweep's worker has them as soon as it unpickles its task.
    """
    sweeps_source.register()
    store = ConfigStore.instance()
    store.store("config", Config, group="schema", replace=True)
    for group, schemas in SCHEMAS.items():
        for name, schema in schemas.items():
            store.store(name, schema, group=f"schema/{group}", replace=True)
    # ${unless:KEY,VALUE}: VALUE while the setting KEY is null, otherwise null.
    OmegaConf.register_resolver(
        "unless", lambda other, value: value if other is None else None, replace=True
    )
    OmegaConf.register_resolver("twice", lambda value: 2 * value, replace=True)
    OmegaConf.register_resolver("config_groups", _describe_groups, replace=True)
    OmegaConf.register_resolver("bridge_space", bridge.search_space, replace=True)
    OmegaConf.register_resolver("bridge_configurations", bridge.configurations, replace=True)
    OmegaConf.register_resolver("study_name", _study_name, replace=True)


def from_composed(composed: DictConfig) -> Config:
    """The checked `Config` of what Hydra composed. Raises ConfigError, or an OmegaConfBaseException for a bad type."""
    _refuse_additions(composed)
    config = OmegaConf.to_object(composed)
    assert isinstance(config, Config)
    return config


def from_dict(plain: Mapping[str, Any]) -> Config:
    """The checked `Config` that `Config.to_dict` gave, read back from a file perhaps; `kind` chooses a group's schema.

    A setting that is not in `plain` has its default. Raises as `from_composed` does, and ConfigError for a group or
    a kind that does not exist.
    """
    composed = OmegaConf.structured(Config)
    for group, schemas in SCHEMAS.items():
        settings = plain.get(group)
        if not isinstance(settings, Mapping):
            raise ConfigError(f"{group}: expected settings, found {settings}")
        kind = str(settings.get("kind")) if len(schemas) > 1 else group
        if kind not in schemas:
            raise ConfigError(f"{group}.kind={kind}: expected one of {', '.join(sorted(schemas))}")
        composed[group] = OmegaConf.structured(schemas[kind])
    composed = OmegaConf.merge(composed, escaped(plain))
    assert isinstance(composed, DictConfig)
    return from_composed(composed)


def _refuse_additions(node: DictConfig, path: str = "") -> None:
    """Raise ConfigError for a key that its schema does not have: `+key=value` adds one without asking."""
    schema = OmegaConf.get_type(node)
    if not is_dataclass(schema):
        return
    known = {entry.name for entry in fields(schema)}
    for key in map(str, node):
        if key not in known:
            raise ConfigError(f"{path}{key}: no such setting\nSettings: {', '.join(sorted(known))}")
        if not OmegaConf.is_missing(node, key) and isinstance(node[key], DictConfig):
            _refuse_additions(node[key], f"{path}{key}.")


@dataclass(frozen=True)
class Settings:
    """A checked config, the option chosen in each group (`model: cnn3x3`), and the overrides that led there."""

    config: Config
    choices: dict[str, str]
    overrides: tuple[str, ...]

    @staticmethod
    def from_hydra(composed: DictConfig, hydra_config: Any) -> "Settings":
        """From what @hydra.main passes to its function and HydraConfig.get()."""
        _keep_text_of_yaml(composed, hydra_config)
        choices = {
            group: option
            for group, option in hydra_config.runtime.choices.items()
            if option is not None and "/" not in group and group != "sweeps"
        }
        return Settings(from_composed(composed), choices, tuple(hydra_config.overrides.task))

    def with_config(self, **settings: Any) -> "Settings":
        """The same but for some top-level settings of the config."""
        return replace(self, config=replace(self.config, **settings))

    def overrides_key(self, key: str) -> bool:
        """True if an override sets this top-level setting."""
        return any(_top_key(override) == key for override in self.overrides)

    @property
    def changes(self) -> list[str]:
        """The overrides that make the result differ from the chosen preset's, but for the seed."""
        neutral = {"experiment", "sweeps", "seed", *NEUTRAL}
        return [override for override in self.overrides if _top_key(override) not in neutral]


def refuse_sweep(overrides: Sequence[str]) -> None:
    """Raise ConfigError for an override that only a sweep obeys: a run would have other settings and no sweep."""
    for override in overrides:
        key, _, value = override.lstrip("+").partition("=")
        of_sweeper = re.match(r"hydra[./]sweeper\b", key) is not None
        if of_sweeper or (key == "sweeps" and value not in ("null", "")):
            command = f"python -m mnist_exp -m {shlex.quote(override)}"
            raise ConfigError(f"{override}: `-m` is missing; {command} starts a sweep")


_COMPOSING = threading.RLock()  # Hydra's parser and loader are not made for threads


def compose(overrides: Sequence[str]) -> Settings:
    """Settings from overrides as on the command line, from this project's files alone, whatever application runs."""
    try:
        with _COMPOSING:
            composed = _loader().load_configuration(
                "config", as_meant(overrides), RunMode.RUN, from_shell=False
            )
    except (HydraException, OmegaConfBaseException):
        raise
    except Exception as error:
        raise composition_error(error) from error
    hydra_config = composed.hydra
    with open_dict(composed):
        del composed["hydra"]
    return Settings.from_hydra(composed, hydra_config)


def _loader() -> ConfigLoader:
    """The loader of our own command, which knows its --config-dir, if that is what runs; otherwise one of our own.

    It is Hydra's own class rather than `hydra.initialize`, which works in one thread and outside of another
    Hydra application only: both need the process's one GlobalHydra.
    """
    active = GlobalHydra.instance().hydra
    if active is not None:
        sources = active.config_loader.get_search_path().get_path()
        if any(source.provider == "main" and source.path == str(CONF_DIR) for source in sources):
            return active.config_loader
    return _own_loader()


@cache
def _own_loader() -> ConfigLoader:
    setup_globals()  # Hydra's resolvers
    return ConfigLoaderImpl(create_config_search_path(str(CONF_DIR)))


def as_meant(arguments: Sequence[str]) -> list[str]:
    """The overrides among a command's arguments as their authors mean them, other arguments unchanged.

    Text settings hold the text as typed, and `hydra.searchpath=[...]` adds folders to this project's.
    """
    groups = set(group_names())
    typed = [as_typed(argument, _texts(), groups) for argument in arguments]
    return [_SEARCHPATH.sub(r"\1mnist_exp://sweeps,", argument) for argument in typed]


_SEARCHPATH = re.compile(r"^(\+{0,2}hydra\.searchpath=\[)(?!.*mnist_exp://sweeps)")


@cache
def _texts() -> set[str]:
    """The keys of all settings that are text, ours and Hydra's."""
    schemas = [(group, schema) for group, kinds in SCHEMAS.items() for schema in kinds.values()]
    of_groups = [text_settings(schema, f"{group}.") for group, schema in schemas]
    of_hydra = text_settings(HydraConf, "hydra.") | {"hydra.sweeper.study_name"}
    return text_settings(Config).union(of_hydra, *of_groups)


def _keep_text_of_yaml(composed: DictConfig, hydra_config: Any) -> None:
    """Give each text setting that is a number in its YAML file, as in `variant: 1.10`, the text that stands there."""
    typed = {override.lstrip("+").partition("=")[0] for override in hydra_config.overrides.task}
    for key in _texts():
        parent, _, name = key.rpartition(".")
        node = OmegaConf.select(composed, parent) if parent else composed
        if not isinstance(node, DictConfig):
            continue
        for entry in list(node) if name == ANY_KEY else [name]:
            value = None if OmegaConf.is_missing(node, entry) else node.get(entry)
            path = [*filter(None, parent.split(".")), str(entry)]
            if isinstance(value, str) and is_converted(value) and ".".join(path) not in typed:
                node[entry] = next(_written(path, value, hydra_config), value)


def _written(path: list[str], converted: str, hydra_config: Any) -> Iterator[str]:
    """The texts that became `converted` in the YAML files of the composed config, that of the last file first."""
    runtime = hydra_config.runtime
    folders = [Path(source.path) for source in runtime.config_sources if source.schema == "file"]
    choices = {"": hydra_config.job.config_name, **runtime.choices}
    for group, option in reversed(choices.items()):
        roots = [TREE_DIR] if group == "sweeps" else folders
        files = [root / group / f"{option}.yaml" for root in roots]
        inner = (
            path[1:] if path[0] == group else path
        )  # a group's file starts below the group's name
        for file in filter(Path.is_file, files):
            if (text := in_yaml(file, inner, converted)) is not None:
                yield text


def composition_error(error: Exception) -> ConfigError:
    """What Hydra raises, as Python's own exceptions, for some settings it cannot compose."""
    file = str(getattr(error, "filename", None) or "")
    sources = (TREE_DIR, Path(hydra.__file__).parent)
    if file and not any(Path(file).is_relative_to(source) for source in sources):
        # Hydra makes the output folder before it calls us.
        shown = file if len(file) <= 100 else f"{file[:100]}..."
        return ConfigError(
            f"the output folder {shown} cannot be made ({error.strerror})\n"  # type: ignore[attr-defined]
            "hydra.run.dir=FOLDER names another one, with -m hydra.sweep.dir=FOLDER"
        )
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return ConfigError(
            "a name on the command line is too long: Hydra looks for a file of that name"
        )
    return ConfigError(f"the settings cannot be composed: {first_line(error)}")


def group_options(group: str) -> list[str]:
    """The option names of a group, sorted."""
    return sorted(path.stem for path in _group_folders()[group].glob("*.yaml"))


def group_names() -> list[str]:
    return sorted(_group_folders())


def _group_folders() -> dict[str, Path]:
    folders = [
        path for path in [*CONF_DIR.iterdir(), SWEEPS_DIR] if path.is_dir() and path.name != "hydra"
    ]
    return {path.name: path for path in folders}


def _study_name(name: str, overrides: Sequence[str]) -> str:
    """${study_name:NAME,${hydra.overrides.task}}: the sweep's name, and what the command line changed in it."""
    changed = [override for override in overrides if not override.startswith("sweeps=")]
    return " ".join([name, *changed])


def _describe_groups() -> str:
    return "\n".join(f"  {group}: {', '.join(group_options(group))}" for group in group_names())


_register()
