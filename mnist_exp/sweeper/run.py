"""One run of a sweep command, in the parent: check, fill the study, launch workers until all is done, sum up."""

import contextlib
import hashlib
import io
import json
import signal
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
from hydra.core.plugins import Plugins
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict, read_write
from optuna.trial import TrialState

from mnist_exp.sweeper.errors import SweepError
from mnist_exp.sweeper.hooks import StudyHooks, build_hooks, load_function, permitted
from mnist_exp.sweeper.interruption import Stop, blocked_in_new_programs, held, stoppable
from mnist_exp.sweeper.plan import check_settings, make_plan, repetitions
from mnist_exp.sweeper.processes import machine, this_process
from mnist_exp.sweeper.progress import Display
from mnist_exp.sweeper.quoting import escaped
from mnist_exp.sweeper.samplers import check_pruner, check_sampler, targets
from mnist_exp.sweeper.space import SearchSpace, parameter
from mnist_exp.sweeper.storage import LAUNCH, RETRIES, StudyStorage, absolute_url, is_alive, usable
from mnist_exp.sweeper.study import Plan, failures, fill, open_study, reason, results
from mnist_exp.sweeper.worker import STOPPED, TIME_IS_UP, Worker

_MOST_CHECKED = 50  # configurations; a larger grid is checked value by value
_FRUITLESS_LAUNCHES = (
    1  # in a row after which another is tried: workers can die before they take a trial
)
_END_SECONDS = 3.0  # in which workers whose launcher gave up give their trials back
_SILENCE_POLL_SECONDS = 1.0


def run_sweep(
    context: HydraContext, task_function: TaskFunction, config: DictConfig, arguments: list[str]
) -> None:
    """Raises SweepError for a sweep that cannot start, or whose trials failed too often; SystemExit if interrupted."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    folder = Path(
        config.hydra.sweep.dir
    )  # resolved now, so that a time in it is the same for all workers
    # Resolved, since a resolver's list or dict is none of OmegaConf's.
    resolved = OmegaConf.to_container(config.hydra.sweeper, resolve=True)
    sweeper: DictConfig = OmegaConf.create(escaped(resolved))
    check_settings(sweeper)
    hooks = build_hooks(
        sweeper.hooks, permitted(config, [sweeper.hooks]) if sweeper.hooks else None
    )
    overrides = hooks.read_overrides([*_params(sweeper), *arguments])
    space = SearchSpace.parse(overrides, context.config_loader, sweeper.custom_search_space)
    plan = make_plan(sweeper, space)
    if sweeper.custom_search_space:
        allowed = permitted(config, [sweeper.custom_search_space])
        load_function("custom_search_space", sweeper.custom_search_space, allowed)
    check_pruner(sweeper.pruner, plan.directions, permitted(config, targets(sweeper.pruner)))
    check_sampler(
        sweeper.sampler, space, plan.directions, permitted(config, targets(sweeper.sampler))
    )
    _check_values(context, config, space, plan, hooks)
    name = str(sweeper.study_name or _study_name(config, space))
    url = absolute_url(sweeper.storage or "sqlite:///optuna.db")
    storage = StudyStorage(url, sweeper.heartbeat)
    study = open_study(storage, name, plan, space)
    study_id = storage.get_study_id_from_name(name)
    with _writes_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder):
            pass
    storage.give_back_lost(
        study_id, max_retries=None
    )  # with them died their whole sweep: not their fault
    fill(study, storage, plan, retry_failed=True)
    display = Display(study, plan, space)
    before = storage.counts(study_id)
    if before["WAITING"] == 0 and not storage.running_beside(study_id):
        display.nothing_to_do(before)
    else:
        for note in [
            *repetitions(plan, space),
            *_unused_workers(config),
            *_shared_folder(config, plan),
        ]:
            display.note(note)
        n_workers = min(_n_workers(config), max(before["WAITING"], 1))
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
            share=n_workers,
        )
        with usable(url):
            _run_trials(worker, n_workers, study, storage, display, hooks)
            _refuse_failures(study, worker)
    with _writes_to(folder):
        OmegaConf.save(OmegaConf.create(dict(results(study))), folder / "optimization_results.yaml")


@contextmanager
def _writes_to(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        why = error.strerror or error
        raise SweepError(
            f"hydra.sweep.dir={folder}: expected a folder to write to ({why})"
        ) from error


def _run_trials(
    worker: Worker,
    n_workers: int,
    study: optuna.Study,
    storage: StudyStorage,
    display: Display,
    hooks: StudyHooks,
) -> None:
    """Run the trials between the hooks' start and end of the study. Raises SystemExit if a signal stopped that."""
    stop, is_begun = Stop(), False
    try:
        with stoppable(
            lambda: study.set_user_attr(STOPPED, worker.launch), at_once=_is_basic(worker.config)
        ) as stop:
            with held():
                hooks.on_study_start(study, worker.config)
                is_begun = True
            stop.check()
            with (
                display.live(),
                _time_limit(worker.config.hydra.sweeper.timeout, study, worker.launch),
            ):
                _launch(worker, n_workers, study, storage, display, stop)
    except KeyboardInterrupt as interrupt:
        raise SystemExit(128 + (stop.signum or signal.SIGINT)) from interrupt
    finally:
        display.summary()
        if is_begun:
            hooks.on_study_end(study, worker.config)


def _params(sweeper: DictConfig) -> list[str]:
    """The overrides that `hydra.sweeper.params` stands for."""
    params: Any = OmegaConf.to_container(sweeper.params or OmegaConf.create(), resolve=True)
    try:
        return [parameter(key, value) for key, value in params.items()]
    except ValueError as error:
        raise SweepError(f"hydra.sweeper.params: {error}") from error


def _check_values(
    context: HydraContext, config: DictConfig, space: SearchSpace, plan: Plan, hooks: StudyHooks
) -> None:
    """Compose a config for each value to be tried, so that a bad one is refused now."""
    for params in _samples(space, plan):
        composed = context.config_loader.load_sweep_config(config, list(space.overrides(params)))
        with open_dict(composed):
            del composed["hydra"]
        hooks.check_config(composed)


def _samples(space: SearchSpace, plan: Plan) -> list[dict[str, Any]]:
    if plan.is_list and len(plan.configurations) <= _MOST_CHECKED:
        return list(plan.configurations)
    return [*space.samples(), *plan.configurations[:_MOST_CHECKED]]


def _study_name(config: DictConfig, space: SearchSpace) -> str:
    """The same for the same command, so that it goes on where it stopped."""
    digest = hashlib.sha256(json.dumps(space.to_dict(), sort_keys=True).encode()).hexdigest()[:8]
    return f"{config.hydra.job.name}-{digest}"


def _n_workers(config: DictConfig) -> int:
    """One if the launcher would run them one after the other."""
    if _is_basic(config):
        return 1
    return int(config.hydra.sweeper.n_workers or config.hydra.sweeper.n_jobs or 2)


def _unused_workers(config: DictConfig) -> list[str]:
    """What a user should know who asked for more workers than the launcher runs."""
    sweeper = config.hydra.sweeper
    asked = {key: sweeper[key] for key in ("n_workers", "n_jobs") if (sweeper[key] or 1) > 1}
    return [
        f"hydra.sweeper.{key}={value}, but hydra/launcher=basic runs one; hydra/launcher=joblib runs several"
        for key, value in asked.items()
        if _is_basic(config)
    ]


def _shared_folder(config: DictConfig, plan: Plan) -> list[str]:
    """What a user should know whose trials all write into the same folder."""
    subdir = OmegaConf.to_container(config.hydra.sweep, resolve=False)["subdir"]  # type: ignore[call-overload, index]
    if "${" in str(subdir) or plan.n_trials == 1:
        return []
    return [
        f"hydra.sweep.subdir={subdir}: all trials write into this one folder; ${{hydra.job.num}} in it gives each its own"
    ]


def _is_basic(config: DictConfig) -> bool:
    return str(config.hydra.launcher._target_).endswith(".BasicLauncher")


def _launch(
    worker: Worker,
    n_workers: int,
    study: optuna.Study,
    storage: StudyStorage,
    display: Display,
    stop: Stop,
) -> None:
    """Workers until no trial waits; new ones for those that died. Raises their error when nothing comes of them."""
    study_id = study._study_id
    fruitless = 0
    while fruitless <= _FRUITLESS_LAUNCHES:
        before, error = _progress(storage, study_id), None
        try:
            try:
                _run_workers(worker, n_workers)
            except SweepError as refused:  # another worker would find the same; without the way it came, which Hydra shows
                raise SweepError(str(refused)) from None
            except Exception as caught:  # noqa: BLE001  # the death of a worker, perhaps, of which others go on
                error = caught
                _wait_for_end(worker, study)
            stop.check()
            if not _more_waits(worker, study, storage, display, stop):
                return
        except BaseException:
            study.set_user_attr(STOPPED, worker.launch)
            _wait_for_end(worker, study)
            storage.give_back_lost(study_id, max_retries=None)
            raise
        fruitless = 0 if _progress(storage, study_id) > before else fruitless + 1
    if error is not None:
        raise error


def _more_waits(
    worker: Worker, study: optuna.Study, storage: StudyStorage, display: Display, stop: Stop
) -> bool:
    """Whether trials wait when the launcher is done. Workers that died on other machines are known by their silence.

    Trials that another command's workers run on this machine are waited for: they live on where that command was killed.
    """
    study_id = storage.get_study_id_from_name(worker.study_name)
    is_told = False
    while True:
        storage.give_back_lost(study_id, worker.config.hydra.sweeper.max_retries)
        if worker.is_over(study, storage):
            return False
        fill(study, storage, worker.plan, retry_failed=False)
        if storage.counts(study_id)["WAITING"]:
            return True
        others = storage.running_beside(study_id)
        if not others and (TrialState.RUNNING, worker.launch) not in storage.attributes(
            study_id, LAUNCH
        ):
            return False
        if others and not is_told:
            numbers = ", ".join(str(trial.number) for trial in others)
            display.note(
                f"waiting for trial {numbers}, which a worker of another command runs on this machine"
            )
            is_told = True
        time.sleep(_SILENCE_POLL_SECONDS)
        stop.check()


def _progress(storage: StudyStorage, study_id: int) -> int:
    """Grows with every trial that ends and every one that is tried again."""
    number = storage.counts(study_id)
    ended = sum(number[state.name] for state in TrialState if state.is_finished())
    return ended + sum(retries for _, retries in storage.attributes(study_id, RETRIES))


@contextmanager
def _time_limit(seconds: float | None, study: optuna.Study, launch: str) -> Iterator[None]:
    """After so many seconds no further trial begins. The parent measures them, for all workers: their clocks may be set."""

    def tell_workers() -> None:
        with contextlib.suppress(
            optuna.exceptions.StorageInternalError
        ):  # a database out of reach: no trial can begin
            study.set_user_attr(TIME_IS_UP, launch)

    timer = threading.Timer(min(seconds or 0.0, threading.TIMEOUT_MAX), tell_workers)
    timer.daemon = True
    if seconds is not None:
        timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _run_workers(worker: Worker, n_workers: int) -> None:
    config = worker.config.copy()
    own = ["hydra.output_subdir=null", "hydra.job.chdir=false"]
    is_joblib = str(config.hydra.launcher._target_).endswith(".JoblibLauncher")
    if is_joblib and config.hydra.launcher.n_jobs == -1:
        processes = max(2, n_workers)  # joblib would run a single worker in this process
        own.append(f"hydra.launcher.n_jobs={processes}")
        with read_write(config.hydra.launcher):
            config.hydra.launcher.n_jobs = processes
    callbacks = type(
        worker.hydra_context.callbacks
    )()  # none: those of the application are for trials
    launcher = Plugins.instance().instantiate_launcher(
        config=config,
        hydra_context=replace(worker.hydra_context, callbacks=callbacks),
        task_function=worker,
    )
    # A worker's job has a trial's config, so that what it chooses of sweeper and launcher is the parent's.
    own.extend(worker.space.overrides(_samples(worker.space, worker.plan)[0]))
    jobs = [[*own, f"hydra.sweep.subdir=workers/{i}"] for i in range(n_workers)]
    with _quiet_start() if is_joblib else contextlib.nullcontext():
        ended = launcher.launch(jobs, initial_job_idx=0)
    for job in ended:
        with contextlib.redirect_stderr(
            io.StringIO()
        ):  # where Hydra announces the failure of a job
            job.return_value  # noqa: B018  # raises what the worker raised


@contextmanager
def _quiet_start() -> Iterator[None]:
    """Ctrl-C does not reach joblib's processes while they import, where each would end in a traceback."""
    from multiprocessing import resource_tracker

    from joblib.externals.loky.backend import resource_tracker as lokys_tracker

    for tracker in (resource_tracker, lokys_tracker):
        tracker.ensure_running()  # it lets Ctrl-C through when it starts
    with blocked_in_new_programs():
        yield


def _wait_for_end(worker: Worker, study: optuna.Study) -> None:
    """Until no trial of this launch is in a live process of this machine, but not for long."""
    latest = time.monotonic() + _END_SECONDS
    while time.monotonic() < latest and any(
        trial.user_attrs.get(LAUNCH) == worker.launch and is_alive(trial)
        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    ):
        time.sleep(0.1)


def _refuse_failures(study: optuna.Study, worker: Worker) -> None:
    """Raise SweepError if the sweep was stopped by failures."""
    failed = failures(study, worker.launch)
    if len(failed) > worker.plan.failures_allowed:
        raise SweepError(
            f"study {worker.study_name}: {len(failed)} failed; hydra.sweeper.max_failure_rate="
            f"{worker.plan.max_failure_rate} of {worker.plan.n_trials} trials allows "
            f"{worker.plan.failures_allowed}\n"
            f"Trial {failed[-1].number}: {reason(failed[-1])}"
        )
