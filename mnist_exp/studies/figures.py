"""Optuna's plots of a study: each as a PNG, and all of them on one HTML page that works offline."""

import html
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import optuna
import optuna.visualization as interactive
import optuna.visualization.matplotlib as static
import plotly.io
from optuna.exceptions import ExperimentalWarning

from mnist_exp.outside import plot_style

# Name of the file and name of Optuna's function.
_ONE_OBJECTIVE = {
    "history": "plot_optimization_history",
    "parallel_coordinate": "plot_parallel_coordinate",
    "slice": "plot_slice",
    "importances": "plot_param_importances",
    "intermediate_values": "plot_intermediate_values",
}
_SEVERAL_OBJECTIVES = {"pareto_front": "plot_pareto_front"}
_INCHES_PER_PARAMETER = {"parallel_coordinate": 1.4, "slice": 2.4}


def draw(study: optuna.Study, folder: Path, objectives: Sequence[str]) -> None:
    """Write NAME.png for each plot, and `plots.html`, into the folder.

    A plot that the study's trials do not allow yet is left out.
    """
    parts: list[str] = []
    parameters = len({name for trial in study.get_trials(deepcopy=False) for name in trial.params})
    plots = _SEVERAL_OBJECTIVES if len(objectives) > 1 else _ONE_OBJECTIVE
    with warnings.catch_warnings(), plot_style.plain():
        for category in (ExperimentalWarning, UserWarning):  # UserWarning: an empty legend
            warnings.simplefilter("ignore", category)
        for name, function in plots.items():
            labels = _labels(name, objectives)
            if (axes := _try(getattr(static, function), study, labels)) is not None:
                figure = (axes if hasattr(axes, "get_figure") else axes.flat[0]).get_figure()
                figure.set_size_inches(max(10, _INCHES_PER_PARAMETER.get(name, 0) * parameters), 6)
                figure.savefig(folder / f"{name}.png", dpi=100, bbox_inches="tight")
            plt.close("all")
            if (plot := _try(getattr(interactive, function), study, labels)) is not None:
                parts.append(plotly.io.to_html(plot, full_html=False, include_plotlyjs=not parts))
    if parts:
        title = html.escape(study.study_name)
        head = f"<!doctype html><meta charset='utf-8'><title>{title}</title><h1>{title}</h1>"
        (folder / "plots.html").write_text(head + "".join(parts))


def _labels(plot: str, objectives: Sequence[str]) -> dict[str, Any]:
    """Return the arguments by which the plot's function takes the objectives' names."""
    if len(objectives) > 1:
        return {"target_names": list(objectives)}
    return {} if plot == "intermediate_values" else {"target_name": objectives[0]}


def _try(plot: Callable[..., Any], study: optuna.Study, labels: dict[str, Any]) -> Any:
    try:
        return plot(study, **labels)
    except (ValueError, RuntimeError):  # too few trials, or all with the same value
        return None
