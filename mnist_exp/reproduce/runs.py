"""The runs that a reproduction needs: those already in the store, and those still to train."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from mnist_exp.config.schema import ReferenceConfig
from mnist_exp.config.settings import Settings
from mnist_exp.config.tree import compose
from mnist_exp.errors import NonFiniteCost, UserError, first_line
from mnist_exp.reproduce.presets import METRIC, QUICK
from mnist_exp.sweeper import quoting
from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.tracking.code_digest import code_digest
from mnist_exp.tracking.runs import NoRuns, Runs, Selection, Store, is_finite
from mnist_exp.training import checkpoint


@dataclass(frozen=True, kw_only=True)
class Preset:
    """A tutorial's program as `conf/experiment/NAME.yaml` has it, or with changes."""

    name: str
    overrides: tuple[str, ...]
    settings: Settings
    shortened: bool  # whether it trains for less than the tutorial did

    @property
    def reference(self) -> ReferenceConfig:
        """What the tutorial reports."""
        reference = self.settings.config.reference
        assert reference is not None  # a test requires one of every preset
        return reference


@dataclass(frozen=True, kw_only=True)
class PresetRuns:
    """The finished runs of one preset, and why a seed has none."""

    preset: Preset
    run_ids: Mapping[int, str] = field(default_factory=dict)  # by seed
    accuracies: Mapping[int, float] = field(default_factory=dict)  # on the test images, by seed
    missing: Mapping[int, str] = field(default_factory=dict)  # the reason, by seed
    considered: Runs | None = None  # all runs of the preset's config and this code


def preset(name: str, *, quick: bool = False, uri: str | None = None) -> Preset:
    """Compose a preset, as --quick shortens it, for runs in the store `uri`."""
    changes = QUICK.get(name, ()) if quick else ()
    checks = ("preflight=off",) if quick else ()
    overrides = (f"experiment={name}", *changes, *checks)
    return composed(name, overrides, uri, shortened=bool(changes))


def composed(
    name: str, overrides: Sequence[str], uri: str | None, *, shortened: bool = False
) -> Preset:
    """Compose a program from overrides, for runs in the store `uri`."""
    store = () if uri is None else (quoting.override("tracking.uri", uri),)
    every = (*overrides, *store)
    return Preset(name=name, overrides=every, settings=compose(every), shortened=shortened)


def find(
    store: Store, preset: Preset, seeds: Sequence[int], reasons: Mapping[int, str] | None = None
) -> PresetRuns:
    """Return the newest finished run of each seed with this config and this code.

    Trials of a study count, too. `reasons` says why a seed has no run, where that is better known
    than from the store.
    """
    reasons = reasons or {}
    runs = _of_this_code(store, preset)
    if runs is None:
        missing = {seed: reasons.get(seed, "no run") for seed in seeds}
        return PresetRuns(preset=preset, missing=missing)
    finished = runs.info[runs.info["status"] == "finished"]
    scores = runs.metrics.reindex(index=finished.index, columns=[METRIC])[METRIC]
    finished = finished[is_finite(scores)]
    newest = {seed: str(run_id) for run_id, seed in finished["seed"].items()}
    run_ids = {seed: newest[str(seed)] for seed in seeds if str(seed) in newest}
    return PresetRuns(
        preset=preset,
        run_ids=run_ids,
        accuracies={s: float(runs.metrics.at[run_id, METRIC]) for s, run_id in run_ids.items()},
        missing={s: reasons.get(s) or _last_trouble(runs, s) for s in seeds if s not in run_ids},
        considered=runs,
    )


def _of_this_code(store: Store, preset: Preset) -> Runs | None:
    """Return all runs with the preset's config that this code trained, the oldest first.

    None if there are none.
    """
    tags = {"config_hash": preset.settings.config.hash(), "code_digest": code_digest()}
    condition = " and ".join(f"tags.{name} = '{value}'" for name, value in tags.items())
    try:
        runs = store.select(Selection(filter=condition))
    except NoRuns:
        return None
    if "rerun_of" not in runs.tags:
        return runs
    own = runs.tags["rerun_of"].isna()  # a selection has reruns if it has no other run
    if not own.any():
        return None
    return Runs(
        info=runs.info[own], params=runs.params[own], tags=runs.tags[own], metrics=runs.metrics[own]
    )


def _last_trouble(runs: Runs, seed: int) -> str:
    of_seed = runs.info[runs.info["seed"] == str(seed)]
    if of_seed.empty:
        return "no run"
    run_id, last = of_seed.index[-1], of_seed.iloc[-1]
    reason = clean(str(last["reason"]).split(";")[0], 150)
    return f"{last['status']} (run {run_id}{f': {reason}' if reason else ''})"


def train(runs: PresetRuns, seed: int, say: Callable[[str], None]) -> str | None:
    """Train the missing run of a seed, from its last checkpoint if it has one.

    Returns None, or why there is still no run: a run that fails does not stop the others. Raises
    UserError for a mistake in the settings and for a store that cannot be used.
    """
    from mnist_exp.experiment.runner import run_experiment

    try:
        overrides = _overrides(runs, seed, say)
        if overrides is None:
            return "another process is training it"
        run_experiment(compose(overrides))
    except Exception as error:
        if isinstance(error, UserError) and not isinstance(error, NonFiniteCost):
            raise
        reason = clean(first_line(error))
        say(f"{runs.preset.name}, seed {seed}: failed ({reason})")
        return f"failed: {reason}"
    return None


def _overrides(runs: PresetRuns, seed: int, say: Callable[[str], None]) -> list[str] | None:
    """Return the overrides that resume the seed's newest unfinished run, or start a new one.

    None if another process is training it.
    """
    considered, known = runs.considered, checkpoint.known_runs()
    if considered is not None:
        of_seed = considered.info.index[considered.info["seed"] == str(seed)]
        for run_id in (run_id for run_id in reversed(of_seed) if run_id in known):
            folder = checkpoint.run_folder(run_id)
            if checkpoint.is_in_use(folder):
                return None
            # Only its study resumes a trial.
            is_trial = considered.tags.loc[run_id].get("study_role") == "trial"
            if is_trial or checkpoint.has_ended(folder):
                continue
            if checkpoint.load_newest(folder, say) is not None:
                store = (o for o in runs.preset.overrides if o.startswith("tracking.uri="))
                return [f"resume={run_id}", *store]
    return [*runs.preset.overrides, f"seed={seed}"]


def training_seconds(store: Store, runs: PresetRuns) -> dict[int, float]:
    """Return the training time of each run by seed, without evaluation; NaN if not recorded."""
    if not runs.run_ids:
        return {}
    history = store.history(list(runs.run_ids.values()), "time/epoch_seconds")
    total = history.groupby("run_id")["value"].sum()
    return {seed: float(total.get(run_id, math.nan)) for seed, run_id in runs.run_ids.items()}
