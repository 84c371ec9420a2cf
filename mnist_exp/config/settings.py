"""The checked settings of a run, from what Hydra composed or from a record."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any

from omegaconf import DictConfig, OmegaConf

from mnist_exp.config.group_schemas import SCHEMAS
from mnist_exp.config.groups import refuse_hidden
from mnist_exp.config.identity import NEUTRAL, top_key
from mnist_exp.config.schema import OBJECTIVES, Config
from mnist_exp.config.typed_text import restore_texts
from mnist_exp.config.used_settings import takes_init
from mnist_exp.errors import ConfigError, UnknownSetting
from mnist_exp.sweeper.quoting import escaped


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a run, and where they come from.

    config: the checked settings
    choices: the option chosen in each group (`model: cnn3x3`)
    overrides: the arguments of the command line that led to the settings
    """

    config: Config
    choices: dict[str, str]
    overrides: tuple[str, ...]

    @staticmethod
    def from_hydra(composed: DictConfig, hydra_config: Any) -> "Settings":
        """Return the settings from what @hydra.main passes on and from HydraConfig.get()."""
        refuse_hidden(hydra_config.runtime.choices)
        restore_texts(composed, hydra_config)
        choices = {
            group: option
            for group, option in hydra_config.runtime.choices.items()
            if option is not None and "/" not in group and group != "sweeps"
        }
        return Settings(
            config=from_composed(composed),
            choices=choices,
            overrides=tuple(hydra_config.overrides.task),
        )

    def with_config(self, **settings: Any) -> "Settings":
        """Return the same with other values of some top-level settings."""
        return replace(self, config=replace(self.config, **settings))

    def overrides_key(self, key: str) -> bool:
        """Return True if an override sets this top-level setting."""
        return any(top_key(override) == key for override in self.overrides)

    @property
    def effective_choices(self) -> list[tuple[str, str]]:
        """The choices, sorted, but for initial values that have no effect.

        Nor is the data's option named where another folder is in its place.
        """
        unused = set() if takes_init(self.config.model) else {"init"}
        if any(text.startswith("data.dir=") for text in self.overrides):
            unused.add("data")
        return [choice for choice in sorted(self.choices.items()) if choice[0] not in unused]

    @property
    def changes(self) -> list[str]:
        """The overrides that make the result differ from the chosen preset's, without the seed."""
        neutral = {"experiment", "sweeps", "seed", *NEUTRAL}
        return [override for override in self.overrides if top_key(override) not in neutral]


def from_composed(composed: DictConfig) -> Config:
    """Return the checked settings of what Hydra composed.

    Raises ConfigError, or an OmegaConfBaseException for a value of a wrong type.
    """
    _refuse_additions(composed)
    config = OmegaConf.to_object(composed)
    assert isinstance(config, Config)
    if not config.objective:
        raise ConfigError(f"objective=[]: expected one or more of {', '.join(OBJECTIVES)}")
    return config


def from_dict(plain: Mapping[str, Any]) -> Config:
    """Return the checked settings from `Config.to_dict`, which may have been read from a file.

    `kind` chooses a group's schema. A setting that is not in `plain` has its default. Raises as
    `from_composed` does, and ConfigError for a group or a kind that does not exist.
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
    """Raise ConfigError for a key that is not in its schema: `+key=value` adds any key."""
    schema = OmegaConf.get_type(node)
    if not is_dataclass(schema):
        return
    known = {entry.name for entry in fields(schema)}
    for key in map(str, node):
        if key not in known:
            raise UnknownSetting(f"{path}{key}", known)
        if not OmegaConf.is_missing(node, key) and isinstance(node[key], DictConfig):
            _refuse_additions(node[key], f"{path}{key}.")
