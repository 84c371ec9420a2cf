"""Which run to go on with, and whether its settings and data allow it."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from mnist_exp.config.identity import BEFORE, LENGTH, NEUTRAL
from mnist_exp.config.recorded import overrides
from mnist_exp.config.settings import Settings
from mnist_exp.config.tree import compose
from mnist_exp.errors import ConfigError, RunIsGone, UserError, did_you_mean
from mnist_exp.experiment import code_of_run
from mnist_exp.outside.printing import plural
from mnist_exp.own_code import session
from mnist_exp.sweeper import quoting
from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.tracking.job import Job, Origin
from mnist_exp.training import checkpoint
from mnist_exp.training.checkpoint import RunState
from mnist_exp.training.startup import quick_imports

_DIGEST = "data_digest"  # key in a checkpoint's record

# What may differ between a run and its continuation; everything else would make it another run.
_CHANGEABLE = (*NEUTRAL, *LENGTH)

Warn = Callable[[str], None]


def record(run_id: str, job: Job) -> dict[str, Any]:
    """Return what a checkpoint keeps about its run."""
    settings, config = job.settings, job.settings.config
    return {
        "run_id": run_id,
        "overrides": list(settings.overrides),
        "config": config.to_dict(),
        "config_hash": config.hash(),
        "seed": config.seed,
        _DIGEST: job.dataset.digest,
        **code_of_run.in_checkpoint(job.own),
    }


def find(
    settings: Settings, origin: Origin, warn: Warn, locks: ExitStack
) -> tuple[Settings, RunState | None]:
    """Return the settings to run with, and the state to start from; None for a new run.

    `resume=auto` takes the newest unfinished run of the same config and seed; `resume=RUN_ID` takes
    that run's settings and the overrides given beside it. A trial goes on with the run of its last
    try, if that has a checkpoint. From here on the run is locked, until `locks` is closed.
    Raises UserError where there is no such run, or it cannot go on.
    """
    if origin.resume_id is not None and _can_go_on(origin.resume_id):
        try:
            return _by_id(origin.resume_id, settings, warn, locks)
        except RunIsGone as error:
            warn(f"{error}; the trial begins anew")
    match settings.config.resume:
        case None:
            return settings, None
        case "auto":
            state = _newest_unfinished(settings, warn, locks)
            if state is None:
                warn("resume=auto: no unfinished run has these settings; a new run starts")
            return settings, state
        case run_id:
            return _by_id(run_id, settings, warn, locks)


def _can_go_on(run_id: str) -> bool:
    """Return whether there is a checkpoint of the run, and nobody trains it."""
    folder = checkpoint.run_folder(run_id)
    return run_id in checkpoint.known_runs() and not checkpoint.is_in_use(folder)


def _newest_unfinished(settings: Settings, warn: Warn, locks: ExitStack) -> RunState | None:
    """Lock the run that `resume=auto` goes on with and return its state, None if there is none."""
    for run_id in checkpoint.known_runs():
        with ExitStack() as candidate:
            try:
                candidate.enter_context(checkpoint.alone(checkpoint.run_folder(run_id), wait=0))
            except UserError:
                continue  # another process trains it
            state = _unfinished(run_id, settings, warn)
            if state is not None:
                locks.enter_context(candidate.pop_all())
                return state
    return None


def _unfinished(run_id: str, settings: Settings, warn: Warn) -> RunState | None:
    """Return the state of this run if it has the same config and seed and has not ended."""
    folder = checkpoint.run_folder(run_id)
    state = None if checkpoint.has_ended(folder) else checkpoint.load_newest(folder, warn)
    if state is None:
        return None
    if fault := _fault(state.record):
        warn(f"{folder}: its record cannot be used ({fault}); it is left alone")
        return None
    same = (settings.config.hash(), settings.config.seed)
    is_same = (state.record["config_hash"], state.record["seed"]) == same
    if not is_same or session.named(state.record["config"]).keys() - session.GIVEN_AGAIN:
        return None
    try:
        return _with_digest(state, _tags(settings.config.tracking.uri, run_id))
    except RunIsGone as error:
        warn(f"resume=auto: {error}; it is left alone")
        return None


def _fault(record: dict[str, Any]) -> str:
    """Return what the record of a checkpoint has in another form than `record` gave it, or ""."""
    kinds = {"run_id": str, "overrides": list, "config_hash": str, "seed": int, "config": dict}
    parts = record
    if not code_of_run.is_readable(record):
        return "its own_code is damaged"
    if isinstance(config := record.get("config"), dict):
        parts = record | {name: config.get(name) for name in ("data", "schedule")}
        kinds |= {"data": dict, "schedule": dict}
    for name, kind in kinds.items():
        if not isinstance(parts.get(name), kind):
            return f"expected {name} to be a {kind.__name__}, found {clean(parts.get(name), 100)}"
    return ""


def _by_id(
    run_id: str, settings: Settings, warn: Warn, locks: ExitStack
) -> tuple[Settings, RunState]:
    """Return the settings and the state of the run with this id, locked.

    Raises ConfigError if it has no checkpoint here, RunIsGone if MLflow does not have it, UserError
    if another process trains it, its checkpoints are damaged, or a setting changed that may not.
    """
    state = _locked_state(run_id, warn, locks)
    new = [override for override in settings.overrides if not override.startswith("resume=")]
    config = state.record["config"]
    given = session.named(settings.config.to_dict()).keys() & session.GIVEN_AGAIN
    session.refuse(config, f"resume={run_id}: ", given=given)
    recorded = overrides(state.record["overrides"], config, f"resume={run_id}")
    folder = config["data"].get("dir")
    if folder is not None:  # the checkpoint is a file of this machine
        recorded.append(quoting.override("data.dir", folder))
    tracking = config.get("tracking")
    if isinstance(tracking, dict):  # of an earlier version it may be less
        recorded += [
            quoting.override(f"tracking.{key}", tracking[key])
            for key in ("experiment", "code")
            if key in tracking
        ]
    whole = compose([*recorded, *new])
    _refuse_differences(run_id, {**BEFORE, **config}, whole.config.to_dict())
    try:
        return whole, _with_digest(state, _tags(whole.config.tracking.uri, run_id))
    except RunIsGone as error:
        raise RunIsGone(f"resume={run_id}: {error}") from error


def _locked_state(run_id: str, warn: Warn, locks: ExitStack) -> RunState:
    """Lock the run and return its newest whole checkpoint. Raises ConfigError, UserError."""
    known, folder = checkpoint.known_runs(), checkpoint.run_folder(run_id)
    if run_id not in known:
        raise ConfigError(
            f"resume={run_id}: no checkpoint of that run in {checkpoint.CHECKPOINTS_DIR}"
            f"{did_you_mean(run_id, known)}\nRuns with one: {', '.join(known[:5]) or 'none'}"
        )
    locks.enter_context(checkpoint.alone(folder))
    state = checkpoint.load_newest(folder, warn)
    if state is None:
        raise UserError(f"resume={run_id}: no checkpoint in {folder} can be used")
    if fault := _fault(state.record):
        raise UserError(f"resume={run_id}: the record in its checkpoint cannot be used: {fault}")
    return state


def _tags(uri: str | None, run_id: str) -> Mapping[str, str]:
    """Return the run's tags in the store with this URI. Raises RunIsGone."""
    with quick_imports():
        from mnist_exp.tracking.lifetime import tags_of
    return tags_of(uri, run_id)


def _with_digest(state: RunState, tags: Mapping[str, str]) -> RunState:
    """Add the digest of the run's data: older checkpoints do not have it, but the run does."""
    if _DIGEST in state.record or "data.digest" not in tags:
        return state
    return replace(state, record=state.record | {_DIGEST: tags["data.digest"]})


def _refuse_differences(
    run_id: str, recorded: dict[str, Any], wanted: dict[str, Any], path: str = ""
) -> None:
    """Raise UserError for the first setting that differs and is none of the changeable ones."""
    for key in sorted({*recorded, *wanted}):
        name = f"{path}{key}"
        before, now = recorded.get(key), wanted.get(key)
        if before == now or name in _CHANGEABLE:
            continue
        if isinstance(before, dict) and isinstance(now, dict):
            _refuse_differences(run_id, before, now, f"{name}.")
        else:
            raise UserError(
                f"resume={run_id}: {name} was {before} and is now {now}; a run goes on with its "
                "own settings, only schedule.epochs and schedule.max_steps may grow"
            )


def check(job: Job) -> None:
    """Raise UserError if the run of the job's state cannot go on with this data and this length.

    The length of a trial's run is the study's, and one that has done all its steps may have died
    before the study knew: it goes on, with nothing left to train.
    """
    if job.state is None:
        return
    _check_data(job.state, job)
    if not job.origin.is_retried:
        _check_length(job.state, job)


def _check_data(state: RunState, job: Job) -> None:
    """Raise UserError if the run began with other data; the settings only name its folder."""
    before, now = state.record.get(_DIGEST), job.dataset.digest
    if before is not None and before != now:
        raise UserError(
            f"resume={job.run_id}: the data ({job.dataset.source}) is not what the run began with: "
            f"its digest was {before} and is now {now}\n"
            "Bring the earlier files back, or begin a new run without resume"
        )


def _check_length(state: RunState, job: Job) -> None:
    """Raise UserError if nothing is left to do, or the new length would make it another run."""
    run_id, progress = job.run_id, state.progress
    before, now = state.record["config"]["schedule"], job.settings.config.to_dict()["schedule"]
    if any(before.get(key) != now[key] for key in ("epochs", "max_steps")):
        if now["kind"] != "constant":
            raise UserError(
                f"resume={run_id}: schedule.kind={now['kind']} spreads the learning rate over the "
                "whole run, so that one of another length is another run from its first step on"
            )
        if state.results and not state.results[-1].complete:
            raise UserError(
                f"resume={run_id}: the run ended inside epoch {progress.epoch}, at step "
                f"{progress.step:,}; only one that ended with an epoch can be made longer\n"
                "A new run, without resume, can have any length"
            )
    ended = checkpoint.has_ended(checkpoint.run_folder(str(run_id)))
    if job.total_steps < progress.step or (ended and job.total_steps == progress.step):
        raise UserError(
            f"resume={run_id}: the run has done {plural(progress.step, 'step')}, and schedule asks "
            f"for {job.total_steps:,}; a larger schedule.epochs makes it longer"
        )
