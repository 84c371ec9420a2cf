"""The configs of a sweep's trials: what is the same in many trials is composed once."""

import copy
import functools
import os
from collections.abc import Sequence
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.config_loader import ConfigLoader
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override, OverrideType
from hydra.errors import HydraException
from omegaconf import Container, DictConfig, ListConfig
from omegaconf._utils import split_key
from omegaconf.errors import OmegaConfBaseException

_MOST_KEPT = 32  # configs without a trial's values, one for each selection of options


class Composer:
    """Composes what Hydra's `load_sweep_config` does for a sweep, most of it only once.

    Hydra composes a config from its files in two steps: options of config groups decide which files
    are merged, and then values are set one by one. The result of the first step is kept for each
    selection of options; the second is Hydra's own function, on a copy. A file that is edited
    during the sweep changes no trial that selects the same options as an earlier one.
    """

    def __init__(self, loader: ConfigLoader, config: DictConfig) -> None:
        """Compose for the sweep that has this config, without a trial's overrides."""
        self._loader, self._config = loader, config
        self._kept = functools.lru_cache(_MOST_KEPT)(self._composed)
        self._is_group = functools.cache(self._find_group)

    def compose(self, overrides: Sequence[str]) -> DictConfig:
        """Return the config of a trial with these overrides. Raises what Hydra raises."""
        composed = self._with_values_set(overrides)
        return self._composed(*overrides) if composed is None else composed

    def _composed(self, *overrides: str, folder: str = "") -> DictConfig:
        """Let Hydra compose; `folder`, the current one, is a part of what it returns."""
        return self._loader.load_sweep_config(self._config, list(overrides))

    def _with_values_set(self, overrides: Sequence[str]) -> DictConfig | None:
        """Return a copy of a kept config with values set; None if Hydra must compose all of it."""
        if not isinstance(self._loader, ConfigLoaderImpl) or self._config.hydra.job.env_copy:
            return None
        try:
            parsed = [_parsed(override) for override in overrides]
            if any(split_key(override.key_or_group)[0].startswith("hydra") for override in parsed):
                return None
            options = [override for override in parsed if self._selects(override)]
            values = [override for override in parsed if not self._selects(override)]
            kept = self._kept(*(str(each.input_line) for each in options), folder=os.getcwd())
            if not all(_sets_plain_value(override, kept) for override in values):
                return None
            config = copy.deepcopy(kept)
            self._loader._apply_overrides_to_config(values, config)
            config.hydra.overrides.task = list(overrides)
        except (HydraException, OmegaConfBaseException, ValueError):
            return None  # Hydra says what is wrong
        return config

    def _selects(self, override: Override) -> bool:
        """Return True if the override selects an option of a config group."""
        is_value = override.is_value_path or isinstance(override.value(), dict)
        return not is_value and _is_change(override) and self._is_group(override.key_or_group)

    def _find_group(self, key: str) -> bool:
        assert isinstance(self._loader, ConfigLoaderImpl)
        name, given = self._config.hydra.job.config_name, list(self._config.hydra.overrides.hydra)
        _, repository = self._loader._parse_overrides_and_create_caching_repo(name, given)
        return bool(repository.group_exists(key))


@functools.lru_cache(4096)
def _parsed(override: str) -> Override:
    return OverridesParser.create().parse_override(override)


def _sets_plain_value(override: Override, config: DictConfig) -> bool:
    """Return True if the override replaces a value that the config has, outside of `hydra`.

    Not what an interpolation leads to: that could be another setting of the same trial.
    """
    keys, value = split_key(override.key_or_group), override.value()
    if not _is_change(override) or override.package is not None or isinstance(value, dict):
        return False
    node: Any = config
    for key in keys:
        if not isinstance(node, DictConfig) or node._is_interpolation() or node._is_none():
            return False
        content: Any = node._content
        if node._is_missing() or key not in content:
            return False
        node = content[key]
    if isinstance(node, Container):
        return isinstance(node, ListConfig) and isinstance(value, list)
    return True


def _is_change(override: Override) -> bool:
    return override.type == OverrideType.CHANGE
