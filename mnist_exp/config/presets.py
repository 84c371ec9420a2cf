"""Which tutorial a config is."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from omegaconf import OmegaConf

from mnist_exp.config.groups import CONF_DIR, group_options
from mnist_exp.config.identity import NEUTRAL
from mnist_exp.config.schema import Config, ReferenceConfig
from mnist_exp.config.settings import Settings
from mnist_exp.config.tree import compose


def find_preset(config: Config) -> Config | None:
    """The preset in `conf/experiment` with the same settings as `config` but for the seed, if there is one."""
    settings = config.to_dict()
    # Composing a preset takes 0.1 s, reading its file 3 ms: those that cannot be it are not composed.
    names = (
        name for name in group_options("experiment") if not _differs(settings, _preset_file(name))
    )
    return next((preset for preset in map(_preset, names) if preset.hash() == config.hash()), None)


@cache
def _preset(name: str) -> Config:
    return compose([f"experiment={name}"]).config


@cache
def _preset_file(name: str) -> dict[str, Any]:
    """What decides the result and is set in the file itself."""
    content: Any = OmegaConf.to_container(OmegaConf.load(CONF_DIR / "experiment" / f"{name}.yaml"))
    return {key: value for key, value in content.items() if key not in ("seed", *NEUTRAL)}


def _differs(settings: Mapping[str, Any], some: Mapping[str, Any]) -> bool:
    """Whether a number in `some` is another one in the settings; all else may be an expression."""
    return any(
        _differs(settings[key], value)
        if isinstance(value, Mapping) and isinstance(settings[key], Mapping)
        else isinstance(value, int | float) and settings[key] != value
        for key, value in some.items()
        if key in settings
    )


def _identify(
    settings: Settings, preset: Config | None
) -> tuple[str, ReferenceConfig | None, list[str]]:
    """Variant, reference, and how the run differs from the tutorial's.

    Settings equal to a preset's are that preset, named or not; a preset with other settings keeps its name. A name
    that an override gives is the run's in any case.
    """
    config = settings.config
    if preset is not None and preset.variant is not None:
        named = config.variant if settings.overrides_key("variant") else None
        return named or preset.variant, preset.reference, []
    variant = config.variant or f"{settings.choices['model']}-{settings.choices['optimizer']}"
    return variant, config.reference, settings.changes
