"""A password in a URI is not shown, recorded or asked for."""

import functools
import sys
from pathlib import Path

import pytest

from mnist_exp import run
from mnist_exp.config.mistakes import explain
from mnist_exp.errors import ConfigError, first_line
from mnist_exp.tracking import store
from mnist_exp.tracking.addresses import check_uri, from_record, is_recorded_as, recorded, store_uri
from mnist_exp.tracking.links import ui_command
from tests.support.runs import TINY
from tests.support.stores import refused, use

SECRETS = [
    "http://alice:SECRET@127.0.0.1:1",
    "https://SECRET@host",
    "postgresql+psycopg://alice:SECRET@127.0.0.1:1/db",
    "postgresql+psycopg://127.0.0.1:1/db?user=a&password=SECRET",
]


@pytest.mark.parametrize("uri", SECRETS)
def test_a_password_is_not_shown_recorded_or_asked_for(
    uri: str, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = refused(lambda: check_uri(uri))
    assert "SECRET" not in shown
    assert (
        "MLFLOW_TRACKING_PASSWORD" if uri.startswith("http") else "MLFLOW_TRACKING_URI"
    ) in shown
    assert "SECRET" not in recorded(uri)
    assert "MLFLOW_TRACKING_URI" in refused(lambda: from_record(recorded(uri)))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    check_uri(None)
    assert from_record(recorded(uri)) == uri
    assert is_recorded_as(store_uri(None), recorded(uri))
    with store.in_use(None) as chosen:
        assert ui_command(chosen) == "python -m mnist_exp.ui"
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    if "127.0.0.1" in uri:
        assert "SECRET" not in refused(use)
    assert "SECRET" not in first_line(ValueError(f"no answer from {uri}"))
    assert "SECRET" not in explain(ConfigError(f"no answer from {uri}"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["tracking.uri=http://alice:SECRET@h"],
        ["-m", "seed=1,2", "tracking.uri=http://alice:SECRET@h"],
        ["-m", "seed=1,2", "++tracking.uri='postgresql://alice:SECRET@h/db'"],
        [
            "-m",
            "seed=1,2",
            "hydra/sweeper=optuna_study",
            "hydra.sweeper.storage=postgresql://a:SECRET@h/db",
        ],
        ["+tags.from=https://SECRET@h/x"],
        ["run_name='data of http://alice:SECRET@h'"],
        ["data.dir=http://h/x?token=SECRET"],
    ],
)
def test_a_password_on_the_command_line_is_refused_before_anything_is_written(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from mnist_exp import __main__ as command

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["mnist_exp", *arguments])
    monkeypatch.setenv("HYDRA_FULL_ERROR", "0")  # which main() sets for this process
    with pytest.raises(SystemExit) as stopped:
        command.main()
    assert "holds a password" in str(stopped.value.code)
    assert "SECRET" not in str(stopped.value.code) + "".join(capsys.readouterr())
    assert list(tmp_path.iterdir()) == []


def test_a_password_that_a_variable_gives_is_refused_too(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THERE", "https://alice:SECRET@h/x")
    before = sorted(workdir.iterdir())
    for setting in ("+tags.x", "run_name", "tracking.experiment"):
        override = f"{setting}='${{oc.env:THERE}}'"
        shown = refused(functools.partial(run, [*TINY, override]))
        assert shown.startswith(f"{setting.lstrip('+')}=https://alice:***@h/x: holds a password")
    assert sorted(workdir.iterdir()) == before
