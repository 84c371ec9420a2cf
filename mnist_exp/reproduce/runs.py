"""The runs that a reproduction needs: those that are there already, those to go on with, and those to train."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from mnist_exp import checkpoint, environment
from mnist_exp.compare.runs import NoRuns, Runs, Selection, Store, is_finite
from mnist_exp.config import ReferenceConfig, Settings, compose
from mnist_exp.errors import NonFiniteCost, UserError, first_line
from mnist_exp.sweeper import quoting
from mnist_exp.sweeper.foreign_text import clean

# The order of the results: as the tutorials go on.
PRESETS = ("notebook_softmax_buggy", "notebook_softmax", "blog_cnn3x3", "notebook_cnn5x5")
METRIC = "test/accuracy"
# What --quick changes of a preset. Both softmax presets take a second as they are.
_SHORT = (
    "schedule.epochs=null",
    "schedule.max_steps=100",
    "data.eval_limit=1000",
    "tracking.experiment=mnist_exp_debug",
)
QUICK = {"blog_cnn3x3": _SHORT, "notebook_cnn5x5": _SHORT}
QUICK_SEEDS = 2


@dataclass(frozen=True)
class Preset:
    """A tutorial's run as `conf/experiment/NAME.yaml` has it; `shortened` if it is not trained as the tutorial did."""

    name: str
    overrides: tuple[str, ...]
    settings: Settings
    shortened: bool

    @property
    def reference(self) -> ReferenceConfig:
        found = self.settings.config.reference
        assert found is not None  # tests/test_config.py: every preset has one
        return found


@dataclass(frozen=True)
class Found:
    """Of one preset: finished runs by seed, and why a seed has none."""

    preset: Preset
    run_ids: Mapping[int, str] = field(default_factory=dict)
    accuracies: Mapping[int, float] = field(default_factory=dict)
    missing: Mapping[int, str] = field(default_factory=dict)
    runs: Runs | None = None  # all that were considered


def preset(name: str, *, quick: bool = False, uri: str | None = None) -> Preset:
    changes = QUICK.get(name, ()) if quick else ()
    checks = ("preflight=off",) if quick else ()
    where = () if uri is None else (quoting.override("tracking.uri", uri),)
    overrides = (f"experiment={name}", *changes, *checks, *where)
    return Preset(name, overrides, compose(overrides), bool(changes))


def find(
    store: Store, preset: Preset, seeds: Sequence[int], notes: Mapping[int, str] | None = None
) -> Found:
    """Finished runs of this config and this code, the newest of each seed; trials of a study are runs, too.

    `notes` says why a seed has none, where that is known better than the store knows it.
    """
    runs = _of_this_code(store, preset)
    if runs is None:
        return Found(preset, missing={seed: (notes or {}).get(seed, "no run") for seed in seeds})
    finished = runs.info[runs.info["status"] == "finished"]
    if METRIC in runs.metrics:
        finished = finished[is_finite(runs.metrics.loc[finished.index, METRIC])]
    newest = {seed: str(run_id) for run_id, seed in finished["seed"].items()}
    ids = {seed: newest[str(seed)] for seed in seeds if str(seed) in newest}
    missing = {
        seed: (notes or {}).get(seed) or _last_trouble(runs, seed)
        for seed in seeds
        if seed not in ids
    }
    values = {seed: float(runs.metrics.at[run_id, METRIC]) for seed, run_id in ids.items()}
    return Found(preset, ids, values, missing, runs)


def _of_this_code(store: Store, preset: Preset) -> Runs | None:
    """All runs with the preset's config that this code has trained, the oldest first; None if there are none."""
    wanted = {
        "config_hash": preset.settings.config.hash(),
        "code_digest": environment.code_digest(),
    }
    try:
        runs = store.select(
            Selection(filter=" and ".join(f"tags.{k} = '{v}'" for k, v in wanted.items()))
        )
    except NoRuns:
        return None
    if "rerun_of" not in runs.tags:
        return runs
    own = runs.tags["rerun_of"].isna()  # without any other run, a selection has the reruns
    return (
        Runs(runs.info[own], runs.params[own], runs.tags[own], runs.metrics[own])
        if own.any()
        else None
    )


def _last_trouble(runs: Runs, seed: int) -> str:
    of_seed = runs.info[runs.info["seed"] == str(seed)]
    if of_seed.empty:
        return "no run"
    run_id, last = of_seed.index[-1], of_seed.iloc[-1]
    reason = clean(str(last["reason"]).split(";")[0], 150)
    return f"{last['status']} (run {run_id}{f': {reason}' if reason else ''})"


def train(found: Found, seed: int, say: Callable[[str], None]) -> str | None:
    """Train the run that is missing, from its last checkpoint if it has one; why there is none, or None if it is there.

    A run that fails is told and does not stop the others; a mistake in the settings or a store that cannot be used
    raises UserError.
    """
    from mnist_exp import experiment

    try:
        overrides = _going_on(found, seed, say)
        if overrides is None:
            return "another process is training it"
        experiment.run_experiment(compose(overrides))
    except Exception as error:
        if isinstance(error, UserError) and not isinstance(error, NonFiniteCost):
            raise
        reason = clean(first_line(error))
        say(f"{found.preset.name}, seed {seed}: failed ({reason})")
        return f"failed: {reason}"
    return None


def _going_on(found: Found, seed: int, say: Callable[[str], None]) -> list[str] | None:
    """Overrides for a new run or for the newest unfinished one that this code began; None if somebody trains that."""
    runs = found.runs
    known = checkpoint.known_runs()
    of_seed = [] if runs is None else list(runs.info.index[runs.info["seed"] == str(seed)][::-1])
    for run_id in (run_id for run_id in of_seed if run_id in known):
        folder = checkpoint.run_folder(run_id)
        if checkpoint.is_in_use(folder):
            return None
        is_trial = runs is not None and runs.tags.loc[run_id].get("study_role") == "trial"
        if is_trial or checkpoint.has_ended(folder):  # a trial is its study's to go on with
            continue
        if checkpoint.load_newest(folder, say) is not None:
            return [
                f"resume={run_id}",
                *(o for o in found.preset.overrides if o.startswith("tracking.uri=")),
            ]
    return [*found.preset.overrides, f"seed={seed}"]


def seconds(store: Store, found: Found) -> dict[int, float]:
    """Training time of each run, without evaluation, by seed."""
    if not found.run_ids:
        return {}
    history = store.history(list(found.run_ids.values()), "time/epoch_seconds")
    total = history.groupby("run_id")["value"].sum()
    return {seed: float(total.get(run_id, math.nan)) for seed, run_id in found.run_ids.items()}
