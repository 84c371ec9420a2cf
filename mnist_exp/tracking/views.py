"""What MLflow's UI shows first: views of the runs, which MLflow keeps as tags of the experiment.

MLflow calls them shared views. A person finds them in the menu "Views", too. Their form is MLflow's
own, of version 3.17: a version that does not know it shows its usual columns.
"""

import base64
import hashlib
import json
import time
import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.tracking.attempts import within
from mnist_exp.tracking.links import is_server, runs_page
from mnist_exp.tracking.params import safe_name
from mnist_exp.tracking.store import mlflow_errors

if TYPE_CHECKING:
    from mlflow import MlflowClient

PREFIX = "mlflow.sharedViewState."  # of the tags, by the view's key
_SECONDS = 10.0  # that a tracking server has: a view is not worth more
_COMPRESSED = "deflate;"
_MOST_KEYS = 6  # that a study varies and that get a column
# The key of a column, and its width in pixels: the first four are seen at 1280 pixels.
_RUN, _CREATED = {"attributes.`Run Name`": 230}, {"runDateAndNestInfo": 150}
_ACCURACIES = {"metrics.`test/accuracy`": 110, "metrics.`val/accuracy`": 110}
_COST, _SEED = {"metrics.`train/cost`": 110}, {"params.`seed`": 70}
_WORDS = {"tags.`result`": 180, "tags.`changes`": 260}
_STATE = {"tags.`trial_state`": 110}
_SORTED_BY = "metrics.`val/accuracy`"  # by which one chooses; test accuracy is only reported
# Of each metric a chart, with its scale; a run that does not have the metric is left out of it.
_CHARTS = {
    "test/accuracy": "linear",
    "val/accuracy": "linear",
    "train/cost": "log",
    "train/step_cost": "log",
}
_SECTION = "Accuracy and cost"
# What MLflow makes of all other metrics, and what it shows folded here.
_FOLDED = (
    *("test", "time", "train", "trouble", "tutorial", "val", "Model metrics", "System metrics"),
)


def results_page(
    client: "MlflowClient", experiment_id: str, study: str | None = None, keys: Sequence[str] = ()
) -> str:
    """Return the address on which a person sees the results of an experiment, or of a study in it.

    The view behind it is written if need be. If the store does not take it, the address opens
    MLflow's own view of all runs. `keys` are the settings that the study varies.
    """
    uri = client.tracking_uri
    name = "Results" if study is None else f"Study {clean(study, 100)}"
    key = "results" if study is None else f"study-{_digest(study)}"
    try:
        state = _experiment_state() if study is None else _study_state(study, keys)
        within(
            _SECONDS if is_server(uri) else None,
            lambda: _keep(client, experiment_id, PREFIX + key, name, state),
        )
    except mlflow_errors(OSError, ValueError):
        return runs_page(uri, experiment_id)
    return runs_page(uri, experiment_id, key)


def _keep(
    client: "MlflowClient", experiment_id: str, tag: str, name: str, state: Mapping[str, Any]
) -> None:
    """Set the tag unless it has this state, or one that a person saved in its place."""
    if _is_settled(_stored(client, experiment_id, tag), state):
        return
    text = base64.b64encode(zlib.compress(json.dumps(state).encode())).decode()
    now = int(time.time() * 1000)
    view = {"name": name, "createdAt": now, "updatedAt": now, "state": _COMPRESSED + text}
    try:
        client.set_experiment_tag(experiment_id, tag, json.dumps(view))
    except mlflow_errors():
        if not _is_settled(_stored(client, experiment_id, tag), state):  # by another process
            raise


def _stored(client: "MlflowClient", experiment_id: str, tag: str) -> str:
    return str(client.get_experiment(experiment_id).tags.get(tag, ""))


def _is_settled(stored: str, state: Mapping[str, Any]) -> bool:
    """Return whether a tag's text is the view with this state, or a person's own."""
    try:
        view = json.loads(stored)
        if view["updatedAt"] > view["createdAt"]:  # "Override saved view" in MLflow's UI
            return True
        packed = base64.b64decode(view["state"].removeprefix(_COMPRESSED))
        return bool(json.loads(zlib.decompress(packed)) == state)
    except (ValueError, TypeError, KeyError, AttributeError, zlib.error):
        return False


def _experiment_state() -> dict[str, Any]:
    columns = _RUN | _CREATED | _ACCURACIES | _COST | _WORDS | _SEED
    return _state("", columns)


def _study_state(study: str, keys: Sequence[str]) -> dict[str, Any]:
    """Return the state that shows a study's trials. Raises ValueError for a name without a filter.

    MLflow's filters cannot quote a text that holds both kinds of quotes.
    """
    quote = next((quote for quote in "'\"" if quote not in study), None)
    if quote is None:
        raise ValueError("both kinds of quotes in a name")
    varied = {f"params.`{safe_name(key)}`": 150 for key in keys[:_MOST_KEYS] if key != "seed"}
    columns = _RUN | _CREATED | _ACCURACIES | varied | _SEED | _COST | _STATE
    trials = f"tags.study_name = {quote}{study}{quote} and tags.study_role = 'trial'"
    return _state(trials, columns)


def _state(condition: str, columns: Mapping[str, int]) -> dict[str, Any]:
    """Return the state of a view with these columns of the runs that meet MLflow's condition."""
    sections = [{"uuid": _SECTION, "name": _SECTION, "display": True, "columns": 2}]
    sections += [{"uuid": name, "name": name, "display": False} for name in _FOLDED]
    return {
        "searchFilter": condition,
        "orderByKey": _SORTED_BY,
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": [key for key in columns if "." in key],
        "columnOrder": list(columns),
        "columnWidths": dict(columns),
        "runsHiddenMode": "FIRST_10_RUNS",
        "compareRunCharts": [_chart(metric, scale) for metric, scale in _CHARTS.items()],
        "compareRunSections": sections,
        "isAccordionReordered": True,  # the sections stay in this order
        "hideEmptyCharts": True,
    }


def _chart(metric: str, scale: str) -> dict[str, Any]:
    """Return a line chart of a metric's values at each step; `scale` is "linear" or "log"."""
    return {
        "uuid": metric,
        "type": "LINE",
        "runsCountToCompare": 10,
        "metricSectionId": _SECTION,
        "deleted": False,
        "isGenerated": False,
        "metricKey": metric,
        "selectedMetricKeys": [metric],
        "displayName": metric,
        "lineSmoothness": 0,
        "xAxisKey": "step",
        "xAxisScaleType": "linear",
        "scaleType": scale,
        "range": {},
        "yAxisKey": "metric",
        "yAxisExpressions": [],
        "useGlobalXaxisKey": True,
        "useGlobalLineSmoothing": True,
    }


def _digest(text: str) -> str:
    """Return eight hex digits that stand for a name, which an address cannot hold as it is."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]
