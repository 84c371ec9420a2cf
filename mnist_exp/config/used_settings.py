"""Which settings of a run have an effect: some belong to layers that its model does not have."""

from collections.abc import Mapping, Sequence
from dataclasses import fields

from mnist_exp.config.group_schemas import (
    SCHEMAS,
    ConvNetConfig,
    MlpConfig,
    ModelConfig,
    OwnModelConfig,
    SoftmaxConfig,
)
from mnist_exp.config.identity import top_key
from mnist_exp.config.init_schema import PARAMETERS, InitConfig
from mnist_exp.errors import ConfigError


def used_roles(config: ModelConfig) -> set[str]:
    """Return which initial values the model's layers take, as names of InitConfig's fields.

    Raises TypeError for a schema without a case here.
    """
    match config:
        case OwnModelConfig():
            return set()
        case SoftmaxConfig():
            hidden = set()
        case MlpConfig():
            hidden = {"dense_kernel", "bias"}
        case ConvNetConfig():
            hidden = {"conv_kernel"}
            if config.dense_units is not None:
                hidden |= {"dense_kernel", "bias"}
            if config.conv_bias:
                hidden |= {"bias"}
        case _:
            raise TypeError(f"used_roles: no case for {type(config).__name__}")
    return {"readout_kernel", "readout_bias", *hidden}


def without_effect(recorded: Mapping[str, object]) -> list[str]:
    """Return the recorded settings, by their dotted names, that have no effect on the run.

    They are the initial values of layers that its model does not have, and the parameters that a
    distribution does not take. Nothing is returned of settings that make no model of this project.
    """
    try:
        roles = used_roles(_model(recorded))
    except (ConfigError, KeyError, TypeError):
        return []
    unused = []
    for role in (entry.name for entry in fields(InitConfig)):
        taken = PARAMETERS.get(str(recorded.get(f"init.{role}.distribution")))
        for name in recorded:
            if name.startswith(f"init.{role}."):
                parameter = name.rpartition(".")[2]
                is_taken = parameter in ("distribution", taken)
                unused += [] if role in roles and is_taken else [name]
    return unused


def takes_init(model: ModelConfig) -> bool:
    """Return whether the settings of `init` have an effect; layers of one's own have their own."""
    return bool(used_roles(model))


def init_note(model: ModelConfig, overrides: Sequence[str]) -> str:
    """Return what to say of initial weights given for a network of the user's own, or ""."""
    given = [text for text in overrides if top_key(text.partition("/")[0]) == "init"]
    if not given or takes_init(model):
        return ""
    return (
        f"{' '.join(given)}: has no effect with model.kind=own; the network's own layers say "
        "what their initial weights are drawn from"
    )


def _model(recorded: Mapping[str, object]) -> ModelConfig:
    """Return the config of a run's model."""
    schema = SCHEMAS["model"][str(recorded["model.kind"])]
    names = {entry.name for entry in fields(schema)} - {"kind"}
    given = {name: recorded[f"model.{name}"] for name in names if f"model.{name}" in recorded}
    config = schema(**given)
    assert isinstance(config, ModelConfig)
    return config
