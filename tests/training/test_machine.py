"""A machine that cannot train a config is refused before anything is loaded.

One that tells little about itself is not.
"""

import re
from collections.abc import Callable

import psutil
import pytest

from mnist_exp.config.schema import Config
from mnist_exp.errors import UserError
from mnist_exp.training import machine


def refused(config: Config) -> str:
    with pytest.raises(UserError) as error:
        machine.check(config, 100)
    assert len(str(error.value).splitlines()) <= 2
    return str(error.value)


def test_a_clock_of_1970(settings: Callable[..., Config], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mnist_exp.training.machine.time.time", lambda: 100.0)
    assert "clock says 1970-01-01" in refused(settings())


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("name", ["TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"])
def test_threads_that_crash_tensorflow(
    name: str, settings: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "2147483647")
    assert re.match(f"{name}=2147483647: expected", refused(settings()))
    for value in ("", "2", "abc", "-1"):  # which TensorFlow takes, or leaves
        monkeypatch.setenv(name, value)
        machine.check(settings(), 100)


@pytest.mark.parametrize(
    "error", [PermissionError(13, "no"), KeyError(b"MemTotal:"), psutil.AccessDenied()]
)
def test_a_sandbox_without_proc_meminfo(
    error: Exception, settings: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    def hidden() -> None:
        raise error

    assert machine.can_be_watched()
    monkeypatch.setattr(psutil, "virtual_memory", hidden)
    machine.check(settings(), 100)
    assert not machine.can_be_watched()


def test_a_model_larger_than_the_memory(settings: Callable[..., Config]) -> None:
    assert "this machine has" in refused(
        settings("model=mlp", "model.hidden_units=[65536,65536,65536]")
    )
