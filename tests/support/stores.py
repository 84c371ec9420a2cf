"""Stores that are used, and what is reported if they cannot be."""

from collections.abc import Callable

import pytest

from mnist_exp.config.mistakes import explain
from mnist_exp.errors import UserError
from mnist_exp.tracking import store
from mnist_exp.tracking.experiments import open_experiment


def refused(action: Callable[[], object]) -> str:
    """Return the one or two lines that a person sees when the action raises UserError."""
    with pytest.raises(UserError) as caught:
        action()
    shown = explain(caught.value)
    assert len(shown.splitlines()) <= 2
    return shown


def use(uri: str | None = None) -> None:
    """Open the store and an experiment in it, as a run does when it begins."""
    with store.opened(uri):
        open_experiment("mnist_exp")
