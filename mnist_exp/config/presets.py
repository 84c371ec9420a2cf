"""Which tutorial a config is."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from omegaconf import OmegaConf

from mnist_exp.config.groups import CONF_DIR, shipped_options
from mnist_exp.config.identity import NEUTRAL, flatten
from mnist_exp.config.names import program_name
from mnist_exp.config.schema import Config, ReferenceConfig
from mnist_exp.config.settings import Settings
from mnist_exp.config.tree import compose


def find_preset(config: Config) -> Config | None:
    """Return the preset in `conf/experiment` with the same settings as `config`, seed aside."""
    settings = config.to_dict()
    for name in shipped_options("experiment"):
        # Composing a preset is slow, reading its file is not.
        if not _differs(settings, _preset_file(name)):
            preset = _preset(name)
            if preset.hash() == config.hash():
                return preset
    return None


@cache
def _preset(name: str) -> Config:
    return compose([f"experiment={name}"]).config


@cache
def _preset_file(name: str) -> dict[str, Any]:
    """Return the settings in the preset's own file that decide the result."""
    content: Any = OmegaConf.to_container(OmegaConf.load(CONF_DIR / "experiment" / f"{name}.yaml"))
    return {key: value for key, value in content.items() if key not in ("seed", *NEUTRAL)}


def _differs(settings: Mapping[str, Any], file: Mapping[str, Any]) -> bool:
    """Return True if a number in the preset's file differs from the same setting here.

    Other values may be interpolations and are not compared.
    """
    here = flatten(settings)
    return any(
        isinstance(value, int | float) and here.get(key, value) != value
        for key, value in flatten(file).items()
    )


def identify(
    settings: Settings, preset: Config | None, other_data: str | None = None
) -> tuple[str, ReferenceConfig | None, list[str]]:
    """Return a run's variant, its reference, and the overrides by which it differs from a preset.

    `preset` is the preset with the same settings, if there is one: the run then has the preset's
    variant and reference, whether it was asked for by name or not. Other settings have a variant of
    their own, and keep the reference of the preset that they changed. A variant that an override
    names is the run's in any case. `other_data` is what data is called that is not MNIST.
    """
    config = settings.config
    if preset is not None and preset.variant is not None:
        named = config.variant if settings.overrides_key("variant") else None
        return named or preset.variant, preset.reference, []
    return program_name(settings, other_data), config.reference, settings.changes
