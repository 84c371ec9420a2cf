"""A trial as a Hydra job: its folder, its log, the files in .hydra and the callbacks.

This does what `hydra.core.utils.run_job` does, which copies the whole config four times; that took
a third of the time of a short trial.
"""

import copy
import os
from collections.abc import Iterator
from contextlib import chdir, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from hydra._internal.execution_policy import execution_whitelist
from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import (
    JobReturn,
    JobRuntime,
    JobStatus,
    _flush_loggers,
    _log_job_error_to_file,
    _save_config,
    configure_log,
    env_override,
)
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict, read_write


def run_job(context: HydraContext, task_function: TaskFunction, config: DictConfig) -> Any:
    """Run the task function with the config but its node `hydra`, and return what it returns.

    Raises what the task function raises, after the job's callbacks were told.
    """
    allowed = context.execution_whitelist
    with execution_whitelist(allowed, reset=True), _hydra_config(config) as name:
        job = _prepared(config)
        folder = Path(config.hydra.runtime.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        job.working_dir = name if config.hydra.job.chdir else os.getcwd()
        with chdir(folder) if config.hydra.job.chdir else nullcontext():
            configure_log(config.hydra.job_logging, config.hydra.verbose, allowed)
            _save(job, config, folder)
            _call(context, task_function, config, job)
    return job.return_value


@contextmanager
def _hydra_config(config: DictConfig) -> Iterator[str]:
    """Let `HydraConfig` have the config's node `hydra` in the block.

    Yields the name of the job's folder, which may be relative to the current one.
    """
    hydra: Any = HydraConfig.instance()
    before = hydra.cfg
    _show(config, hydra)  # the names of the folder may need it
    try:
        names = (OmegaConf.select(config, f"hydra.sweep.{key}") for key in ("dir", "subdir"))
        name = os.path.join(*map(str, names))
        for runtime in (config.hydra.runtime, hydra.cfg.hydra.runtime):
            with read_write(runtime), open_dict(runtime):
                runtime.output_dir = os.path.abspath(name)
        with read_write(hydra.cfg.hydra.job.env_set):
            OmegaConf.resolve(hydra.cfg.hydra.job.env_set)
        yield name
    finally:
        hydra.cfg = before


def _show(config: DictConfig, hydra: Any) -> None:
    """Give the node to `HydraConfig`: a copy, as Hydra does, only if it is to be changed."""
    if config.hydra.job.env_set:
        hydra.set_config(config)
        return
    OmegaConf.set_readonly(config.hydra, True)
    hydra.cfg = DictConfig({})
    hydra.cfg.__dict__["_content"] = {"hydra": config._get_node("hydra")}


def _prepared(config: DictConfig) -> JobReturn:
    """Return what callbacks and the task function get."""
    hydra: Any = HydraConfig.instance()
    overrides: Any = OmegaConf.to_container(config.hydra.overrides.task)
    job = JobReturn()
    job.cfg, job.hydra_cfg, job.overrides = _without_hydra(config), hydra.cfg, overrides
    job.task_name = JobRuntime.instance().get("name")
    return job


def _without_hydra(config: DictConfig) -> DictConfig:
    """Return a copy of the config without the node `hydra`, which is most of it."""
    content: Any = config._content
    config.__dict__["_content"] = {key: content[key] for key in content if key != "hydra"}
    try:
        return copy.deepcopy(config)
    finally:
        config.__dict__["_content"] = content


def _save(job: JobReturn, config: DictConfig, folder: Path) -> None:
    """Save the three files from which a person, or Hydra, can run the job again."""
    if config.hydra.output_subdir is not None:
        assert job.cfg is not None
        assert job.hydra_cfg is not None
        into = folder / config.hydra.output_subdir
        _save_config(job.cfg, "config.yaml", into)
        _save_config(job.hydra_cfg, "hydra.yaml", into)
        _save_config(config.hydra.overrides.task, "overrides.yaml", into)


def _call(
    context: HydraContext, task_function: TaskFunction, config: DictConfig, job: JobReturn
) -> None:
    """Call the task function between the callbacks of the job, and note what it returned."""
    try:
        with env_override(HydraConfig.get().job.env_set):
            context.callbacks.on_job_start(config=config, task_function=task_function)
            job.return_value = task_function(job.cfg)
            job.status = JobStatus.COMPLETED
    except BaseException as error:
        job.return_value, job.status = error, JobStatus.FAILED
        if isinstance(error, Exception):
            _log_job_error_to_file()
        raise
    finally:
        _flush_loggers()
        context.callbacks.on_job_end(config=config, job_return=job)
