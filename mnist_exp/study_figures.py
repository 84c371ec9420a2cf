"""Optuna's plots of a study, each as PNG, and all of them as one HTML page that needs no network."""

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

from mnist_exp import plot_style

_ONE_OBJECTIVE = {
    "history": "plot_optimization_history",
    "parallel_coordinate": "plot_parallel_coordinate",
    "slice": "plot_slice",
    "importances": "plot_param_importances",
    "intermediate_values": "plot_intermediate_values",
}
_SEVERAL = {"pareto_front": "plot_pareto_front"}
_INCHES_A_PARAMETER = {"parallel_coordinate": 1.4, "slice": 2.4}


def draw(study: optuna.Study, folder: Path, objectives: Sequence[str]) -> None:
    """Write NAME.png and `plots.html`. A plot that the study's trials do not allow yet is left out."""
    parts: list[str] = []
    parameters = len({name for trial in study.get_trials(deepcopy=False) for name in trial.params})
    with warnings.catch_warnings(), plot_style.plain():
        for category in (ExperimentalWarning, UserWarning):  # of empty legends
            warnings.simplefilter("ignore", category)
        for name, function in (_SEVERAL if len(objectives) > 1 else _ONE_OBJECTIVE).items():
            names: dict[str, Any] = {"target_name": objectives[0]}
            if len(objectives) > 1:
                names = {"target_names": list(objectives)}
            elif name == "intermediate_values":
                names = {}
            if (axes := _try(getattr(static, function), study, names)) is not None:
                figure = (axes if hasattr(axes, "get_figure") else axes.flat[0]).get_figure()
                figure.set_size_inches(max(10, _INCHES_A_PARAMETER.get(name, 0) * parameters), 6)
                figure.savefig(folder / f"{name}.png", dpi=100, bbox_inches="tight")
            plt.close("all")
            if (drawn := _try(getattr(interactive, function), study, names)) is not None:
                parts.append(plotly.io.to_html(drawn, full_html=False, include_plotlyjs=not parts))
    if parts:
        title = html.escape(study.study_name)
        page = f"<!doctype html><meta charset='utf-8'><title>{title}</title><h1>{title}</h1>{''.join(parts)}"
        (folder / "plots.html").write_text(page)


def _try(plot: Callable[..., Any], study: optuna.Study, names: dict[str, Any]) -> Any:
    try:
        return plot(study, **names)
    except (ValueError, RuntimeError):  # too few trials, or all with the same value
        return None
