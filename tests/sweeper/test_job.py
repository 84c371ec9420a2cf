"""A trial's job is what Hydra's own would be."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hydra._internal.callbacks import Callbacks
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.utils import create_config_search_path
from hydra.core import utils
from hydra.core.config_store import ConfigStore
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.core.utils import JobRuntime
from hydra.types import HydraContext, RunMode
from omegaconf import DictConfig, OmegaConf

from mnist_exp.sweeper.job import run_job

ConfigStore.instance().store("jobs", {"x": 1, "twice": "${x}", "list": [{"y": "${hydra:job.num}"}]})

Run = Callable[[HydraContext, Any, DictConfig], Any]


def hydras(context: HydraContext, task: Any, config: DictConfig) -> Any:
    job = utils.run_job(task, config, "hydra.sweep.dir", "hydra.sweep.subdir", context)
    return job.return_value


class Seen:
    """A callback, and the task function; both note all that they see."""

    def __init__(self, *, fails: bool) -> None:
        self.notes: list[Any] = []
        self._fails = fails

    def on_job_start(self, config: DictConfig, **_: Any) -> None:
        self.notes.append(("start", OmegaConf.to_yaml(config), os.environ.get("JOB_TEST")))

    def on_job_end(self, config: DictConfig, job_return: Any) -> None:
        job = job_return
        configs = [OmegaConf.to_yaml(each) for each in (config, job.cfg, job.hydra_cfg)]
        result = repr(job._return_value)
        self.notes.append(("end", configs, job.overrides, job.task_name, job.working_dir))
        self.notes.append((job.status, result, os.environ.get("JOB_TEST")))

    def __call__(self, config: DictConfig) -> int:
        logging.getLogger("job").warning("in the task")
        resolved = OmegaConf.to_container(config, resolve=True)
        hydra = OmegaConf.to_container(HydraConfig.get(), resolve=False)
        where = (os.getcwd(), os.environ.get("JOB_TEST"), HydraConfig.get().runtime.output_dir)
        self.notes.append((resolved, hydra, where, OmegaConf.is_struct(config)))
        config.x = 2  # its config is its own
        if self._fails:
            raise ValueError("in the task")
        return 7


def done(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, overrides: list[str], *, fails: bool
) -> tuple[Any, ...]:
    """What is seen of a job during it and after it."""
    folder.mkdir()
    monkeypatch.chdir(folder)
    Plugins.instance()
    JobRuntime.instance().set("name", "app")
    loader = ConfigLoaderImpl(create_config_search_path(None))
    given = ["hydra.job.num=3", "hydra.job.id=j", "hydra.sweep.dir=out-${x}", *overrides]
    config = loader.load_configuration("jobs", given, RunMode.RUN)
    seen = Seen(fails=fails)
    callbacks = Callbacks()
    callbacks.callbacks = [seen]
    try:
        result: Any = run(HydraContext(loader, callbacks), seen, config)
    except ValueError as error:
        result = repr(error)
    files = {
        str(path.relative_to(folder)): path.read_text().partition("[")[0]
        if path.suffix == ".log"
        else path.read_text().replace(str(folder), "FOLDER")
        for path in folder.rglob("*")
        if path.is_file()
    }
    logs = [
        "in the task" in p.read_text() and p.read_text().count("Job failed")
        for p in folder.rglob("*.log")
    ]
    notes = repr(seen.notes).replace(str(folder), "FOLDER")
    after = (os.getcwd() == str(folder), HydraConfig.initialized(), "JOB_TEST" in os.environ)
    assert config.x == 5
    return result, notes, files, logs, after


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("extra", [[], ["hydra.job.chdir=true"], ["hydra.output_subdir=null"]])
@pytest.mark.parametrize("env", [[], ["+hydra.job.env_set.JOB_TEST=n${hydra:job.num}"]])
def test_it_is_hydras(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, env: list[str], extra: list[str], fails: bool
) -> None:
    overrides = [*env, "x=5", *extra]
    handlers = logging.getLogger().handlers
    monkeypatch.setattr(logging.getLogger(), "handlers", list(handlers))
    expected = done(hydras, tmp_path / "a", monkeypatch, overrides, fails=fails)
    assert done(run_job, tmp_path / "b", monkeypatch, overrides, fails=fails) == expected
