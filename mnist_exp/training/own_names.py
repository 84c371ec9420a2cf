"""How the settings name a model, a loss or an optimizer that is not this project's."""

from mnist_exp.config.group_schemas import KerasLossConfig, OwnLossConfig, OwnModelConfig
from mnist_exp.config.optimizer_schemas import KerasOptimizerConfig
from mnist_exp.config.schema import Config
from mnist_exp.own_code.code import Own


def model_name(config: OwnModelConfig, own: Own) -> tuple[str, str]:
    """Return setting and name of the user's model, such as ("model.build", "my_models:resnet")."""
    return ("model.build", config.build) if own.model is None else ("model", _live(own.model))


def loss_name(config: OwnLossConfig, own: Own) -> tuple[str, str]:
    """Return setting and name of the user's loss, such as ("loss.function", "my_losses:focal")."""
    return ("loss.function", config.function) if own.loss is None else ("loss", _live(own.loss))


def own_names(config: Config, own: Own) -> str:
    """Return all such settings with their values, for messages; "" if there are none."""
    pairs: list[tuple[str, str]] = []
    if isinstance(config.model, OwnModelConfig):
        pairs.append(model_name(config.model, own))
    if isinstance(config.loss, OwnLossConfig):
        pairs.append(loss_name(config.loss, own))
    elif isinstance(config.loss, KerasLossConfig):
        pairs.append(("loss.name", config.loss.name))
    if isinstance(config.optimizer, KerasOptimizerConfig):
        pairs.append(("optimizer.name", config.optimizer.name))
    return ", ".join(f"{setting}={name}" for setting, name in pairs)


def _live(given: object) -> str:
    """Return the name of an object that was given from Python."""
    return str(getattr(given, "__name__", type(given).__name__))
