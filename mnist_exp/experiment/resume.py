"""Which run to go on with, and whether its settings allow it."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from mnist_exp.config.identity import NEUTRAL
from mnist_exp.config.recorded import overrides
from mnist_exp.config.tree import Settings, compose
from mnist_exp.errors import ConfigError, RunIsGone, UserError, did_you_mean
from mnist_exp.sweeper import quoting
from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.training import checkpoint
from mnist_exp.training.checkpoint import RunState

_DIGEST = "data_digest"  # key in a checkpoint's record

# What may differ between a run and its continuation; everything else would make it another run.
_CHANGEABLE = (*NEUTRAL, "schedule.epochs", "schedule.max_steps")


# Returns the tags of the run with that id in the store with that URI. Raises RunIsGone.
LookUp = Callable[[str | None, str], Mapping[str, str]]


def record(run_id: str, settings: Settings, data_digest: str) -> dict[str, Any]:
    """What a checkpoint keeps about its run."""
    config = settings.config
    return {
        "run_id": run_id,
        "overrides": list(settings.overrides),
        "config": config.to_dict(),
        "config_hash": config.hash(),
        "seed": config.seed,
        _DIGEST: data_digest,
    }


def find(
    settings: Settings, warn: Callable[[str], None], lock: ExitStack, look_up: LookUp
) -> tuple[Settings, RunState | None]:
    """The settings to run with and the state to start from, None for a new run.

    `resume=auto` takes the newest unfinished run of the same config and seed; `resume=RUN_ID` takes that run's
    settings and the overrides given beside it. From here on the run is locked, until the stack `lock` is closed. Raises
    UserError where there is no such run, or it cannot go on.
    """
    match settings.config.resume:
        case None:
            return settings, None
        case "auto":
            return settings, _newest_unfinished(settings, warn, lock, look_up)
        case run_id:
            return _by_id(run_id, settings, warn, lock, look_up)


def _newest_unfinished(
    settings: Settings, warn: Callable[[str], None], lock: ExitStack, look_up: LookUp
) -> RunState | None:
    same = (settings.config.hash(), settings.config.seed)
    for run_id in checkpoint.known_runs():
        folder = checkpoint.run_folder(run_id)
        with ExitStack() as held:
            try:
                held.enter_context(checkpoint.alone(folder, wait=0))
            except UserError:
                continue  # another process trains it
            state = None if checkpoint.has_ended(folder) else checkpoint.load_newest(folder, warn)
            if state is not None and (fault := _fault(state.record)):
                warn(f"{folder}: its record cannot be used ({fault}); it is left alone")
                continue
            if state is None or (state.record["config_hash"], state.record["seed"]) != same:
                continue
            try:
                state = _with_digest(state, look_up(settings.config.tracking.uri, run_id))
            except RunIsGone as error:
                warn(f"resume=auto: {error}; it is left alone")
                continue
            lock.enter_context(held.pop_all())
            return state
    return None


def _fault(record: dict[str, Any]) -> str:
    """What the record of a checkpoint has in another form than `record` gave it, or nothing."""
    config = record.get("config")
    parts = {
        "config": config,
        **(
            {}
            if not isinstance(config, dict)
            else {"data": config.get("data"), "schedule": config.get("schedule")}
        ),
    }
    kinds = {"run_id": str, "overrides": list, "config_hash": str, "seed": int} | dict.fromkeys(
        parts, dict
    )
    for name, kind in kinds.items():
        value = record.get(name) if name not in parts else parts[name]
        if not isinstance(value, kind):
            return f"expected {name} to be a {kind.__name__}, found {clean(value, 100)}"
    return ""


def _by_id(
    run_id: str, settings: Settings, warn: Callable[[str], None], lock: ExitStack, look_up: LookUp
) -> tuple[Settings, RunState]:
    known, state = checkpoint.known_runs(), None
    if run_id in known:
        lock.enter_context(checkpoint.alone(checkpoint.run_folder(run_id)))
        state = checkpoint.load_newest(checkpoint.run_folder(run_id), warn)
        if state is None:
            raise UserError(
                f"resume={run_id}: no checkpoint in {checkpoint.run_folder(run_id)} can be used"
            )
    if state is None:
        there = f"{', '.join(known[:5])}" if known else "none"
        raise ConfigError(
            f"resume={run_id}: no checkpoint of that run in {checkpoint.CHECKPOINTS_DIR}"
            f"{did_you_mean(run_id, known)}\nRuns with one: {there}"
        )
    if fault := _fault(state.record):
        raise UserError(f"resume={run_id}: the record in its checkpoint cannot be used: {fault}")
    new = [override for override in settings.overrides if not override.startswith("resume=")]
    config = state.record["config"]
    kept = overrides(state.record["overrides"], config, f"resume={run_id}")
    if (
        folder := config["data"].get("dir")
    ) is not None:  # the checkpoint is a file of this machine
        kept.append(quoting.override("data.dir", folder))
    whole = compose([*kept, *new])
    _refuse_differences(run_id, config, whole.config.to_dict())
    try:
        return whole, _with_digest(state, look_up(whole.config.tracking.uri, run_id))
    except RunIsGone as error:
        raise RunIsGone(f"resume={run_id}: {error}") from error


def _with_digest(state: RunState, tags: Mapping[str, str]) -> RunState:
    """With the digest of the run's data: older checkpoints do not have it, but the run does."""
    if _DIGEST in state.record or "data.digest" not in tags:
        return state
    return replace(state, record=state.record | {_DIGEST: tags["data.digest"]})


def _refuse_differences(
    run_id: str, recorded: dict[str, Any], wanted: dict[str, Any], path: str = ""
) -> None:
    for key in sorted({*recorded, *wanted}):
        name = f"{path}{key}"
        before, now = recorded.get(key), wanted.get(key)
        if before == now or name in _CHANGEABLE:
            continue
        if isinstance(before, dict) and isinstance(now, dict):
            _refuse_differences(run_id, before, now, f"{name}.")
        else:
            raise UserError(
                f"resume={run_id}: {name} was {before} and is now {now}; "
                "a run goes on with its own settings, only schedule.epochs and schedule.max_steps may grow"
            )


def can_go_on(run_id: str) -> bool:
    """Whether there is a checkpoint of the run, and nobody trains it."""
    return run_id in checkpoint.known_runs() and not checkpoint.is_in_use(
        checkpoint.run_folder(run_id)
    )


def check_data(state: RunState, digest: str, source: str) -> None:
    """Raise UserError if the run began with other data than this, of which the settings know the folder only."""
    before = state.record.get(_DIGEST)
    if before is not None and before != digest:
        raise UserError(
            f"resume={state.record['run_id']}: the data ({source}) is not what the run began with: its digest "
            f"was {before} and is now {digest}\nBring the earlier files back, or begin a new run without resume"
        )


def check_length(state: RunState, settings: Settings, total_steps: int) -> None:
    """Raise UserError if the run has nothing left to do, or its new length would have made it another run."""
    run_id, progress = state.record["run_id"], state.progress
    before, now = state.record["config"]["schedule"], settings.config.to_dict()["schedule"]
    if any(before.get(key) != now[key] for key in ("epochs", "max_steps")):
        if now["kind"] != "constant":
            raise UserError(
                f"resume={run_id}: schedule.kind={now['kind']} spreads the learning rate over the whole run, "
                "so that one of another length is another run from its first step on"
            )
        if state.results and not state.results[-1].complete:
            raise UserError(
                f"resume={run_id}: the run ended inside epoch {progress.epoch}, at step {progress.step}; "
                "only one that ended with an epoch can be made longer"
            )
    ended = checkpoint.has_ended(checkpoint.run_folder(run_id))
    if total_steps < progress.step or (ended and total_steps == progress.step):
        raise UserError(
            f"resume={run_id}: the run has done {progress.step} steps, and schedule asks for {total_steps}; "
            "a larger schedule.epochs makes it longer"
        )
