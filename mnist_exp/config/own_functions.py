"""Which functions of a user's own the settings name."""

from mnist_exp.config.group_schemas import OwnLossConfig, OwnModelConfig
from mnist_exp.config.schema import Config
from mnist_exp.own_code.code import NOTHING_OWN, Own
from mnist_exp.own_code.names import Named, parse


def own_functions(config: Config, given: Own = NOTHING_OWN) -> tuple[Named, ...]:
    """Return the functions, without those in whose place `given` has an object from Python.

    Raises OwnCodeError for a name of another form than MODULE:FUNCTION.
    """
    named = []
    if isinstance(config.model, OwnModelConfig) and given.model is None:
        named.append(parse("model.build", config.model.build, config.model.options))
    if isinstance(config.loss, OwnLossConfig) and given.loss is None:
        named.append(parse("loss.function", config.loss.function, config.loss.options))
    return tuple(named)
