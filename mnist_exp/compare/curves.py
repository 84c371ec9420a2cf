"""Summarise a metric over the runs of each group: by epoch, or by training step."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnist_exp.compare.rows import Row
from mnist_exp.compare.source import Source
from mnist_exp.tracking.metric_names import BEST_ACCURACY, BEST_EPOCH, STEP_CURVES
from mnist_exp.tracking.runs import Runs

_ALWAYS_DRAWN = ("train/cost", "test/accuracy")
_COSTS = ("train/cost", "train_loss", "train/loss", "loss")  # of this project, and of others


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One metric of one group by epoch or step: median, lowest and highest over its runs."""

    color: int
    label: str
    runs: int
    step: NDArray[np.int64]
    middle: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def learning_curves(
    source: Source, runs: Runs, rows: Sequence[Row], metric: str
) -> dict[str, tuple[Curve, ...]]:
    """Return the curves of cost, of accuracy, and of the metric compared where it is neither.

    They are by epoch, and by step where all these runs have that. Where each run has one value
    there is no curve: the figure of seeds shows the values better.
    """
    run_ids = [run_id for row in rows for run_id in row.group.run_ids]
    recorded = runs.metrics.loc[run_ids]
    by_step = [name for name in STEP_CURVES if name in recorded and recorded[name].notna().all()]
    curves = {name: _curves(source, rows, name) for name in [*_by_epoch(runs, metric), *by_step]}
    return {
        name: of_groups
        for name, of_groups in curves.items()
        if any(len(curve.step) > 1 for curve in of_groups)
    }


def _by_epoch(runs: Runs, metric: str) -> list[str]:
    cost = next((name for name in _COSTS if name in runs.metrics), "train/cost")
    drawn = [cost, "test/accuracy" if metric == "train/cost" else metric]
    if metric not in (*_ALWAYS_DRAWN, "val/accuracy", "train/accuracy"):
        drawn.insert(1, "test/accuracy")
    return [
        name
        for name in dict.fromkeys(drawn)
        if name in runs.metrics and name not in (BEST_ACCURACY, BEST_EPOCH)
    ]


def _curves(source: Source, rows: Sequence[Row], metric: str) -> tuple[Curve, ...]:
    history = source.history([run_id for row in rows for run_id in row.group.run_ids], metric)
    curves = []
    for row in rows:
        of_group = history[history["run_id"].isin(row.group.run_ids)].groupby("step")["value"]
        table = of_group.agg(["median", "min", "max", "count"]).sort_index()
        if metric in STEP_CURVES:  # a run that was made longer has points of its own
            table = table[table["count"] > len(row.group.run_ids) / 2]
        if len(table):
            curves.append(
                Curve(
                    color=row.color or 0,
                    label=row.group.label,
                    runs=len(row.group.run_ids),
                    step=table.index.to_numpy(),
                    middle=table["median"].to_numpy(),
                    low=table["min"].to_numpy(),
                    high=table["max"].to_numpy(),
                )
            )
    return tuple(curves)
