"""Which functions of a user's own the settings name."""

from collections.abc import Sequence

from mnist_exp.config.group_schemas import OwnLossConfig, OwnModelConfig
from mnist_exp.config.schema import Config
from mnist_exp.config.tree import compose
from mnist_exp.errors import UserError
from mnist_exp.own_code.code import NOTHING_OWN, Own
from mnist_exp.own_code.names import Named, parse

_NAMES = ("model.build", "loss.function")  # the settings that name code


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


def are_named_here(
    functions: Sequence[Named], recorded: Sequence[str], given: Sequence[str]
) -> bool:
    """Return whether the command or a config of the person's own names these functions.

    `recorded` are overrides from a record, `given` those of the command. What a record alone says
    of the functions does not count.
    """
    here = [text for text in recorded if text.lstrip("+").partition("=")[0] not in _NAMES]
    try:
        named = own_functions(compose([*here, *given]).config)
    except UserError:  # a setting without a value, for example
        return False
    names = {str(function) for function in named}
    return all(str(function) in names for function in functions)
