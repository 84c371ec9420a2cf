"""Functions of a user's own, by the names in the settings."""

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from mnist_exp.errors import ConfigError
from mnist_exp.own_code.code import OwnCode


class OwnCodeError(ConfigError):
    """Code of the user's own that cannot be used."""


def load(name: str, setting: str, code: OwnCode | None) -> Callable[..., Any]:
    """Return the function MODULE:FUNCTION that a setting names, from the collected source.

    Raises OwnCodeError.
    """
    module, _, function = name.partition(":")
    with calling(name, setting):
        found: Callable[..., Any] = getattr(importlib.import_module(module), function)
        return found


@contextmanager
def calling(name: str, setting: str) -> Iterator[None]:
    """Raise OwnCodeError, which shows the user's lines, for what the user's code raises."""
    try:
        yield
    except ConfigError:
        raise
    except Exception as error:
        raise OwnCodeError(f"{setting}={name}: {type(error).__name__}: {error}") from error
