"""The run whose id a person gives, and what to do where there is none."""

import re
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from mnist_exp.errors import RunIsGone, UserError, did_you_mean
from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.tracking.addresses import ELSEWHERE, shortened, was_deleted
from mnist_exp.tracking.experiment_ids import experiment_ids
from mnist_exp.tracking.store import mlflow_errors

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_ID = re.compile(r"[a-zA-Z0-9][\w-]{0,255}", re.ASCII)  # as MLflow checks it, in `utils.validation`
_LOOKED_AT = 20  # of the newest runs, to find one that is no study


def run_or_none(client: "MlflowClient", run_id: str) -> "Run | None":
    """Return the run with this id, or None if the store has none.

    Raises RunIsGone if it was deleted, and what MLflow raises if the store does not answer.
    """
    if not _ID.fullmatch(run_id):
        return None  # MLflow and its databases have various words for a text that no id can be
    try:
        run = client.get_run(run_id)
    except mlflow_errors() as error:
        if getattr(error, "error_code", "") != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None
    if run.info.lifecycle_stage == "deleted":
        experiment = str(run.info.experiment_id)
        is_there = experiment in experiment_ids(client).values()
        raise RunIsGone(was_deleted(run_id, client.tracking_uri, None if is_there else experiment))
    return run


def find_run(
    client: "MlflowClient", run_id: str, option: str = "", words: Iterable[str] = ()
) -> "Run":
    """Return the run whose id a person gave.

    option: what stands before the id on the command line, with a space after it
    words: what may be given instead of an id

    Raises UserError if there is no such run or it was deleted, and what MLflow raises if the store
    does not answer.
    """
    run = run_or_none(client, run_id)
    if run is None:
        where = shortened(client.tracking_uri)
        expected = _expected(client, run_id, words)
        raise UserError(f"{option}{clean(run_id, 100)}: no such run in {where}{expected}")
    return run


def _expected(client: "MlflowClient", word: str, words: Iterable[str]) -> str:
    """Return which run was meant: the id begins so, or it has that name; otherwise the newest."""
    if re.fullmatch("[0-9a-f]{32}", word):
        return f"\n{ELSEWHERE}"
    experiments = list(experiment_ids(client).values())
    newest = partial(_newest, client, experiments)
    if word.isalnum() and (found := newest(f"attributes.run_id LIKE '{word}%'")):
        return f"\nexpected a whole run id; the newest that begins so is {found}"
    quotes = [quote for quote in "'\"" if quote not in word]
    is_name = quotes and word.isprintable()
    if is_name and (found := newest(f"attributes.run_name = {quotes[0]}{word}{quotes[0]}")):
        return f"\nexpected a run id; that of the newest run with this name is {found}"
    if near := did_you_mean(word, words):
        return f"{near}\nexpected a run id, {' or '.join(words)}"
    if found := newest(""):
        return f"\nexpected a run id; the newest run's is {found}"
    return f"\n{ELSEWHERE}"


def _newest(client: "MlflowClient", experiments: list[str], condition: str) -> str | None:
    """Return the id of the newest run that meets MLflow's condition and is no study."""
    order = ["attributes.start_time DESC"]
    newest = client.search_runs(experiments, condition, order_by=order, max_results=_LOOKED_AT)
    runs = [run for run in newest if run.data.tags.get("study_role") != "study"]
    return str(runs[0].info.run_id) if runs else None
