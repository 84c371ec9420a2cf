"""A class of Keras that a setting names: found by its name, its options checked, and made."""

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from mnist_exp.errors import ConfigError, did_you_mean, first_line

# Options that make sense from 0 to below 1 alone; Keras takes others, and the cost becomes NaN.
_FRACTIONS = ("beta_1", "beta_2", "rho", "ema_momentum", "label_smoothing")


def unknown_name(setting: str, name: str, names: Iterable[str]) -> ConfigError:
    """Return the error for a name that none of these is, with the nearest one."""
    by_key = {_key(known): known for known in names}
    exact = by_key.get(_key(name))
    nearest = f"; did you mean {exact}?" if exact else did_you_mean(_key(name), by_key)
    for key, known in by_key.items():
        nearest = nearest.replace(f" {key}?", f" {known}?")
    return ConfigError(
        f"{setting}={name}: Keras has no such class{nearest}\n"
        f"Known: {', '.join(sorted(by_key.values()))}"
    )


def _key(name: str) -> str:
    return name.lower().replace("_", "")


def check_options(
    kind: type, group: str, options: Mapping[str, Any], taken: Mapping[str, str]
) -> None:
    """Raise ConfigError for an option that the class does not take, or of another type.

    group: the config group, "loss" or "optimizer"
    taken: why an option is not the user's, by its name
    """
    parameters = {
        name: parameter.default
        for name, parameter in inspect.signature(kind).parameters.items()
        if parameter.kind is not parameter.VAR_KEYWORD
    }
    free = [name for name in parameters if name not in taken]
    for name, value in options.items():
        setting = f"{group}.options.{name}"
        if name in parameters and name in taken:
            raise ConfigError(f"{setting}: {taken[name]}")
        if name not in free:
            known = f"its settings: {', '.join(free)}" if free else "it has none"
            raise ConfigError(
                f"{setting}: {kind.__name__} of Keras has no such setting"
                f"{did_you_mean(name, free)}\n{known[0].upper()}{known[1:]}"
            )
        _check_type(f"{setting}={value}", value, parameters[name])
        if name in _FRACTIONS and not (isinstance(value, int | float) and 0 <= value < 1):
            raise ConfigError(f"{setting}={value}: expected a number from 0 to below 1")


def _check_type(said: str, value: Any, default: Any) -> None:
    """Raise ConfigError for a value of another type than the default's, where that is telling."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise ConfigError(f"{said}: expected true or false")
    elif isinstance(default, int | float):
        if not is_number and not isinstance(value, list):  # a list may have one for each class
            raise ConfigError(f"{said}: expected a number; Keras' own is {default}")
    elif isinstance(value, str):
        raise ConfigError(f"{said}: expected a number, a list, true, false or null")


def made(kind: type, name: str, group: str, arguments: Mapping[str, Any]) -> Any:
    """Return an object of the class with this name in Keras.

    Raises ConfigError with what Keras says about values it refuses.
    """
    try:
        return kind(**arguments)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"{group}.options: {name} of Keras refuses them: {first_line(error)}"
        ) from error
