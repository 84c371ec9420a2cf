"""Settings that name something in Python."""

import pytest

from mnist_exp.sweeper.errors import SweepError
from mnist_exp.sweeper.hooks import StudyHooks, build_hooks


def test_without_hooks_nothing_is_done() -> None:
    assert type(build_hooks(None)) is StudyHooks


@pytest.mark.filterwarnings("ignore:hydra.utils.instantiate")
def test_hooks_by_their_path() -> None:
    assert isinstance(build_hooks("mnist_exp.sweeper.hooks.StudyHooks"), StudyHooks)


@pytest.mark.parametrize("target", ["no_such_module.Hooks", "mnist_exp.sweeper.hooks.NoSuchHooks", "nodots"])
def test_hooks_that_cannot_be_had_are_refused_in_one_line(target: str) -> None:
    with pytest.raises(SweepError, match=rf"^hydra.sweeper.hooks={target}: cannot be used \([^\n]+\)$"):
        build_hooks(target)
