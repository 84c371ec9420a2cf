"""Where a person sees runs: addresses in MLflow's UI, and the command that starts the UI."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from mnist_exp.outside.uris import without_user
from mnist_exp.tracking import ui_note
from mnist_exp.tracking.store import is_default

_HOST, _USUAL_PORT = "http://127.0.0.1", 5000
# MLflow opens on its pages for language models unless an address says this.
_MODE = "workflowType=machine_learning"


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where a person sees a run."""

    command: str
    """Starts the UI."""
    run: str
    """The address of the run's page in the UI."""
    all_runs: str
    """The address of all runs of its experiment in the UI."""


def run_page(uri: str, experiment_id: str, run_id: str) -> str:
    """Return the address of a run in the UI of the store with this `store_uri`."""
    return f"{server(uri)}/#/experiments/{experiment_id}/runs/{run_id}?{_MODE}"


def runs_page(uri: str, experiment_id: str, view: str | None = None) -> str:
    """Return the address of an experiment's runs, as the shared view with this key shows them."""
    shown = "" if view is None else f"&viewStateShareKey={quote(view, safe='')}"
    return f"{server(uri)}/#/experiments/{experiment_id}/runs?{_MODE}{shown}"


def comparison_page(uri: str, experiment_ids: Sequence[str], run_ids: Sequence[str]) -> str:
    """Return the address of MLflow's own comparison of these runs; one run has its page."""
    if len(run_ids) == 1:
        return run_page(uri, experiment_ids[0], run_ids[0])
    listed = {"runs": list(run_ids), "experiments": list(experiment_ids)}
    query = "&".join(f"{key}={quote(json.dumps(ids), safe='')}" for key, ids in listed.items())
    return f"{server(uri)}/#/compare-runs?{query}&{_MODE}"


def is_server(uri: str) -> bool:
    """Return whether a store's URI is the address of a tracking server, which has a UI."""
    return uri.startswith("http")


def ui_command(uri: str) -> str:
    """Return the command that opens the UI on the store with this `store_uri`, from here."""
    setting = "" if is_default(uri) else f" {shlex.quote(f'tracking.uri={uri}')}"
    return f"python -m mnist_exp.ui{setting}"


def server(uri: str) -> str:
    """Return the address of a store's server, or of the UI that runs or may run on it here."""
    if is_server(uri):
        return without_user(uri).rstrip("/")
    return f"{_HOST}:{ui_note.port_of(uri) or _USUAL_PORT}"
