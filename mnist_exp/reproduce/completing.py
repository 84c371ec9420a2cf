"""Train the runs that a page needs and the store does not have, and say what all cost."""

from collections.abc import Sequence

import pandas as pd

from mnist_exp.outside import printing
from mnist_exp.reproduce import runs
from mnist_exp.reproduce.runs import Preset, PresetRuns
from mnist_exp.tracking import costs
from mnist_exp.tracking.delivery import send_earlier
from mnist_exp.tracking.experiments import open_experiment
from mnist_exp.tracking.runs import Store
from mnist_exp.tracking.store import opened


def complete_runs(
    uri: str | None, wanted: Sequence[tuple[Preset, Sequence[int]]]
) -> list[PresetRuns]:
    """Train what is missing of the seeds wanted, one after the other; return all finished runs.

    Raises UserError for a mistake in the settings, and for a store that cannot be used.
    """
    with opened(uri) as client:
        send_earlier(client.tracking_uri, printing.say)  # a run may be finished but for that
        for experiment in {preset.settings.config.tracking.experiment for preset, _ in wanted}:
            open_experiment(experiment)
    store = Store(uri)
    before = [runs.find(store, preset, seeds) for preset, seeds in wanted]
    missing = [(preset_runs, seed) for preset_runs in before for seed in preset_runs.missing]
    finished = sum(len(preset_runs.run_ids) for preset_runs in before)
    total = finished + len(missing)
    printing.say(f"finished runs: {finished} of {total}; to train: {len(missing)}")
    reasons: dict[str, dict[int, str]] = {}
    for number, (preset_runs, seed) in enumerate(missing, start=1):
        name = preset_runs.preset.name
        title = f"[{number}/{len(missing)}] {name}, seed {seed}"
        printing.say(f"\n{title}")
        now = runs.find(store, preset_runs.preset, [seed])  # another command may have trained it
        reason = runs.train(now, seed, printing.say) if now.missing else None
        if reason is not None:
            printing.say(f"{title}: {reason}")
            reasons.setdefault(name, {})[seed] = reason
    return [runs.find(store, preset, seeds, reasons.get(preset.name)) for preset, seeds in wanted]


def cost_lines(store: Store, found: Sequence[PresetRuns], page: str) -> pd.DataFrame:
    """Return the lines of runs.csv."""
    parts = [
        costs.table(store, of.considered, dict.fromkeys(of.run_ids.values(), of.preset.name), page)
        for of in found
        if of.considered is not None and of.run_ids
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=costs.COLUMNS)
