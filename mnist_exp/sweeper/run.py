"""One sweep command: check all settings, open and fill the study, run it, write the results."""

import hashlib
import json
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict
from optuna.trial import TrialState

from mnist_exp.sweeper import launchers
from mnist_exp.sweeper.composing import Composer
from mnist_exp.sweeper.errors import SweepError
from mnist_exp.sweeper.hooks import StudyHooks, build_hooks, load_function, permitted
from mnist_exp.sweeper.plan import Plan, check_settings, make_plan, samples, trial_notes
from mnist_exp.sweeper.processes import machine, this_process
from mnist_exp.sweeper.progress import Display
from mnist_exp.sweeper.quoting import escaped
from mnist_exp.sweeper.samplers import check_pruner, check_sampler, targets
from mnist_exp.sweeper.space import SearchSpace, parameter
from mnist_exp.sweeper.storage import StudyStorage
from mnist_exp.sweeper.storage_setting import absolute_url, usable
from mnist_exp.sweeper.study import budget, fill, open_study, results
from mnist_exp.sweeper.supervisor import Supervisor
from mnist_exp.sweeper.worker import Worker


@dataclass(frozen=True, kw_only=True)
class _Sweep:
    """A sweep whose settings have been checked."""

    settings: DictConfig  # hydra.sweeper, resolved
    hooks: StudyHooks
    space: SearchSpace
    plan: Plan


def run_sweep(
    context: HydraContext, task_function: TaskFunction, config: DictConfig, arguments: list[str]
) -> None:
    """Run the sweep that the command line asks for.

    Raises SweepError for a sweep that cannot start, or whose trials failed too often, and
    SystemExit for one that was interrupted.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    folder = Path(config.hydra.sweep.dir)  # resolved now: a time in it is the same for all workers
    sweep = _checked(context, config, arguments)
    space, plan = sweep.space, sweep.plan
    name = str(sweep.settings.study_name or _study_name(config, space))
    url = absolute_url(sweep.settings.storage or "sqlite:///optuna.db")
    sweep.hooks.check_storage(url, config)
    storage = StudyStorage(url, sweep.settings.heartbeat)
    with usable(url):
        config_name = str(config.hydra.job.config_name or "").removesuffix(".yaml")
        study = open_study(storage, name, plan, space, sweep.hooks.present_name, config_name)
        study_id = study._study_id
        _require_folder(folder)
        # Trials without a worker are from a sweep that was killed as a whole: no trial's fault.
        storage.give_back_lost(study_id, max_retries=None)
        fill(study, storage, plan, retry_failed=True)
        names, repeated_by = sweep.hooks.objective_names(config), sweep.hooks.repeated_by()
        total, notes = budget(storage, study_id, plan)
        display = Display(study, total, space, names=names, repeated_by=repeated_by)
        counts = storage.counts(study_id)
        if not counts[TrialState.WAITING] and not storage.running_beside(study_id):
            for note in notes:
                display.note(note)
            display.nothing_to_do(counts)
            display.next_steps(sweep.hooks.next_steps(study, config))
        else:
            for note in [*_notes(config, sweep), *notes]:
                display.note(note)
            worker = Worker(
                hydra_context=context,
                config=config,
                task_function=task_function,
                plan=plan,
                space=space,
                study_name=name,
                storage_url=url,
                launch=uuid.uuid4().hex,
                machine=machine(),
                parent=this_process(),
                n_workers=min(launchers.n_workers(config), max(counts[TrialState.WAITING], 1)),
                handed=sweep.hooks.for_workers(),
            )
            Supervisor(
                worker=worker, study=study, storage=storage, display=display, hooks=sweep.hooks
            ).run()
        found = dict(results(study))
    with _writes_to(folder):
        OmegaConf.save(OmegaConf.create(found), folder / "optimization_results.yaml")


def _checked(context: HydraContext, config: DictConfig, arguments: Sequence[str]) -> _Sweep:
    """Read the settings and check everything that can be wrong before the study is opened."""
    # Resolved, since a resolver may return a plain list or dict, which is none of OmegaConf's.
    resolved = OmegaConf.to_container(config.hydra.sweeper, resolve=True)
    settings: DictConfig = OmegaConf.create(escaped(resolved))
    check_settings(settings)
    hooks = build_hooks(
        settings.hooks, permitted(config, [settings.hooks]) if settings.hooks else None
    )
    overrides = hooks.read_overrides([*_params(settings), *arguments])
    space = SearchSpace.parse(overrides, context.config_loader, settings.custom_search_space)
    plan = make_plan(settings, space)
    if settings.custom_search_space:
        allowed = permitted(config, [settings.custom_search_space])
        load_function("custom_search_space", settings.custom_search_space, allowed)
    check_pruner(settings.pruner, plan.directions, permitted(config, targets(settings.pruner)))
    check_sampler(
        settings.sampler, space, plan.directions, permitted(config, targets(settings.sampler))
    )
    sweep = _Sweep(settings=settings, hooks=hooks, space=space, plan=plan)
    _check_values(context, config, sweep)
    return sweep


def _params(settings: DictConfig) -> list[str]:
    """Return the overrides that `hydra.sweeper.params` stands for."""
    params: Any = OmegaConf.to_container(settings.params or OmegaConf.create(), resolve=True)
    try:
        return [parameter(key, value) for key, value in params.items()]
    except ValueError as error:
        raise SweepError(f"hydra.sweeper.params: {error}") from error


def _check_values(context: HydraContext, config: DictConfig, sweep: _Sweep) -> None:
    """Compose a config for each value that will be tried, so that a bad one is refused now."""
    composer = Composer(context.config_loader, config)
    for parameters in samples(sweep.plan, sweep.space):
        composed = composer.compose(sweep.space.overrides(parameters))
        with open_dict(composed):
            del composed["hydra"]
        sweep.hooks.check_config(composed)


def _study_name(config: DictConfig, space: SearchSpace) -> str:
    """Return a name that is the same for the same command, which then continues the study."""
    digest = hashlib.sha256(json.dumps(space.to_dict(), sort_keys=True).encode()).hexdigest()[:8]
    return f"{config.hydra.job.name}-{digest}"


def _notes(config: DictConfig, sweep: _Sweep) -> list[str]:
    """Return what a user should know before the first trial."""
    notes = [*trial_notes(sweep.plan, sweep.space), *launchers.unused_workers(config)]
    unresolved: Any = OmegaConf.to_container(config.hydra.sweep, resolve=False)
    subdir = str(unresolved["subdir"])
    if "${" not in subdir and sweep.plan.n_trials > 1:
        notes.append(
            f"hydra.sweep.subdir={subdir}: all trials write into this one folder; "
            "${hydra.job.num} in it gives each its own"
        )
    return notes


def _require_folder(folder: Path) -> None:
    """Create the folder. Raises SweepError if it cannot be created or written to."""
    with _writes_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder):
            pass


@contextmanager
def _writes_to(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = error.strerror or error
        raise SweepError(
            f"hydra.sweep.dir={folder}: expected a folder to write to ({why})"
        ) from error
