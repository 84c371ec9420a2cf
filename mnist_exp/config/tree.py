"""The config tree made known to Hydra, and composed into `Settings`.

The schemas fix names and types; ranges are checked when a composed config becomes a `Config`.
"""

import re
import shlex
import threading
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.core.config_loader import ConfigLoader
from hydra.core.config_search_path import SearchPathQuery
from hydra.core.config_store import ConfigStore
from hydra.core.utils import setup_globals
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from mnist_exp.config import bridge, earlier_names, sweeps_source
from mnist_exp.config.group_schemas import EARLIER_SCHEMAS, OPTIONS, SCHEMAS
from mnist_exp.config.groups import CONF_DIR, group_names, own_folder_flags, own_folders
from mnist_exp.config.help import help_page
from mnist_exp.config.mistakes import FOREIGN_ERRORS, composition_error, understood
from mnist_exp.config.schema import Config
from mnist_exp.config.settings import Settings
from mnist_exp.config.typed_text import as_typed, text_keys
from mnist_exp.errors import ConfigError, UnknownSetting, UserError

# What a config or command line may instantiate by _target_: what a sweep and conf/config.yaml name.
EXECUTION_WHITELIST = (
    "mnist_exp.config.earlier_files.EarlierFiles",
    "mnist_exp.studies.hooks.*",
    "mnist_exp.studies.multirun.Multirun",
    "mnist_exp.studies.search_spaces.*",
    *earlier_names.NAMES,
)


def _register() -> None:
    """Make the schemas known to Hydra as `schema/GROUP/NAME`, and the resolvers that `conf/` uses.

    It is done on import, so that a sweep's worker has them as soon as it unpickles its task.
    """
    sweeps_source.register()
    store = ConfigStore.instance()
    store.store("config", Config, group="schema", replace=True)
    for group, schemas in SCHEMAS.items():
        for name, schema in (schemas | EARLIER_SCHEMAS.get(group, {})).items():
            store.store(name, _opened(schema), group=f"schema/{group}", replace=True)
    resolvers: dict[str, Callable[..., object]] = {
        "unless": _unless,
        "directions": _directions,
        "twice": lambda number: 2 * number,
        "help_page": help_page,
        "bridge_space": bridge.search_space,
        "bridge_configurations": bridge.configurations,
        "study_name": _study_name,
    }
    for name, resolver in resolvers.items():
        OmegaConf.register_resolver(name, resolver, replace=True)


def _opened(schema: type) -> DictConfig:
    """Return the schema with `options` to which a name is added without the sign `+`."""
    node = OmegaConf.structured(schema)
    assert isinstance(node, DictConfig)
    if OPTIONS in node:
        OmegaConf.set_struct(node[OPTIONS], False)
    return node


def _unless(setting: object, value: object) -> object:
    """${unless:SETTING,VALUE}: return VALUE if the setting is null, otherwise null."""
    return value if setting is None else None


def _directions(objective: Sequence[str] | None) -> list[str] | str:
    """${directions:OBJECTIVE}: return `maximize` for an accuracy, else `minimize`, for each.

    It is "???" without an objective, as where `--cfg hydra` shows Hydra's own part alone.
    """
    if objective is None:
        return "???"
    return ["maximize" if name.endswith("accuracy") else "minimize" for name in objective]


def _study_name(name: str, overrides: Sequence[str]) -> str:
    """${study_name:NAME,${hydra.overrides.task}}: return a sweep's name and what changes it."""
    changed = [override for override in overrides if not override.startswith("sweeps=")]
    return " ".join([name, *changed])


def refuse_sweep(overrides: Sequence[str]) -> None:
    """Raise ConfigError for an override that only a sweep obeys; a single run would ignore it."""
    for override in overrides:
        key, _, value = override.lstrip("+").partition("=")
        of_sweeper = re.match(r"hydra[./]sweeper\b", key) is not None
        if of_sweeper or (key == "sweeps" and value not in ("null", "")):
            words = ["python", "-m", "mnist_exp", *own_folder_flags(), "-m", override]
            command = shlex.join(words)
            raise ConfigError(f"{override}: `-m` is missing; {command} starts a sweep")


_Read = TypeVar("_Read")
_COMPOSING = threading.RLock()  # Hydra's parser and loader are not made for threads


def compose(overrides: Sequence[str]) -> Settings:
    """Return the settings that these overrides give on the command line.

    Only this project's files are read, and those of the folders of the user's own options, whatever
    Hydra application is running. Raises UserError.
    """
    return _composed(overrides, Settings.from_hydra)


def compose_unchecked(overrides: Sequence[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the settings that these overrides give, nested, and the option of each group.

    The settings may be out of range, and a setting without a value is "???". Raises UserError.
    """
    return _composed(overrides, _as_plain)


def compose_study(overrides: Sequence[str]) -> tuple[str, str | None]:
    """Return the name that a study with these overrides has, and its `tracking.uri`.

    Raises UserError.
    """
    return _composed(overrides, _study)


def _study(composed: DictConfig, hydra_config: Any) -> tuple[str, str | None]:
    root = OmegaConf.create({"hydra": hydra_config})  # the name is made of other settings of Hydra
    return str(root.hydra.sweeper.study_name), composed.tracking.uri


def _as_plain(composed: DictConfig, hydra_config: Any) -> tuple[dict[str, Any], dict[str, str]]:
    plain: Any = OmegaConf.to_container(composed, resolve=True)
    return plain, dict(hydra_config.runtime.choices)


def _composed(overrides: Sequence[str], read: Callable[[DictConfig, Any], _Read]) -> _Read:
    """Return what `read` makes of the composed settings and of Hydra's own. Raises UserError."""
    try:
        with _COMPOSING:
            composed = _loader(own_folders()).load_configuration(
                "config", as_meant(overrides), RunMode.RUN, from_shell=False
            )
        hydra_config = composed.hydra
        with open_dict(composed):
            del composed["hydra"]
        return read(composed, hydra_config)
    except (*FOREIGN_ERRORS, UnknownSetting) as error:
        raise understood(error, overrides) from error
    except UserError:
        raise
    except Exception as error:
        raise composition_error(error, overrides) from error


@cache
def _loader(folders: Sequence[Path]) -> ConfigLoader:
    """Return Hydra's loader of this project's configs and of those in the folders.

    It does without `hydra.initialize`: the process has one GlobalHydra, which threads and other
    Hydra applications use.
    """
    setup_globals()  # Hydra's resolvers
    search_path = create_config_search_path(str(CONF_DIR))
    for folder in folders:  # as Hydra does for --config-dir
        before = SearchPathQuery(provider="schema")
        search_path.prepend("command-line", f"file://{folder}", before)
    return ConfigLoaderImpl(search_path)


def as_meant(arguments: Sequence[str]) -> list[str]:
    """Return a command's arguments with overrides changed to what their authors mean.

    Text settings hold the text as typed, an option of code needs no sign `+` and may have it, and
    `hydra.searchpath=[...]` adds folders to this project's.
    """
    groups = set(group_names())
    plain = [_SIGN_OF_OPTION.sub("", argument) for argument in arguments]
    typed = [as_typed(argument, text_keys(), groups) for argument in plain]
    return [_SEARCHPATH.sub(r"\1mnist_exp://sweeps,", argument) for argument in typed]


_SIGN_OF_OPTION = re.compile(rf"^\+{{1,2}}(?=\w+\.{OPTIONS}\.)")
_SEARCHPATH = re.compile(r"^(\+{0,2}hydra\.searchpath=\[)(?!.*mnist_exp://sweeps)")


_register()
