"""Which study of a store a person means: the one of that name, or the only one that begins so."""

import shlex
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from mnist_exp.errors import ConfigError, did_you_mean
from mnist_exp.outside.paging import all_pages
from mnist_exp.outside.printing import plural
from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.tracking.experiment_ids import experiment_ids

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

_MOST_LISTED = 5


def find_study(client: "MlflowClient", name: str, setting: str) -> "Run":
    """Return the parent run of the study with this name, or of the only one that begins with it.

    Of several studies of one name, it is the newest. `setting` (`--study` or `best_of`) is what the
    person gave the name to. Raises ConfigError, which lists the studies, if no study begins so, or
    several do and none has exactly this name.
    """
    studies = _parents(client)
    matches = [study for study in studies if study.startswith(name)]
    if name in studies:
        return studies[name]
    if name and len(matches) == 1:
        return studies[matches[0]]
    shown = clean(name, 100)
    given = f"--study {shown}" if setting == "--study" else f"{setting}={shown}"
    if not matches:
        problem, listed = f"no such study{clean(did_you_mean(name, studies))}", list(studies)
    else:
        begin = "study begins" if len(matches) == 1 else "studies begin"
        problem = f"{len(matches)} {begin} so; which one is meant?"
        listed = matches
    listing = _listed(client, {study: studies[study] for study in listed})
    raise ConfigError(f"{given}: {problem}\nStudies: {listing}")


def studies_beginning(client: "MlflowClient", word: str) -> list[str]:
    """Return the names of the studies that begin with this word, the newest first."""
    return [study for study in _parents(client) if word and study.startswith(word)]


def study_name(run: "Run") -> str:
    """Return the name of the study whose parent run this is."""
    return str(run.data.tags["study_name"])


def _parents(client: "MlflowClient") -> dict[str, "Run"]:
    """Return the newest parent run of each study by its name, the newest study first."""
    experiments = list(experiment_ids(client).values())
    found: dict[str, Run] = {}
    for run in all_pages(client.search_runs, experiments, "tags.study_role = 'study'"):
        if "study_name" in run.data.tags:  # MLflow gives the newest run first
            found.setdefault(study_name(run), run)
    return found


def _listed(client: "MlflowClient", studies: Mapping[str, "Run"]) -> str:
    """Return the studies' names as a shell takes them, with their numbers of trials and dates."""
    if not studies:
        return "none"
    experiments = list({run.info.experiment_id for run in studies.values()})
    runs = all_pages(client.search_runs, experiments, "tags.study_role = 'trial'")
    # A trial that was stopped before its first checkpoint begins again, as another run.
    trials = {
        (run.data.tags.get("study_name"), run.data.tags.get("trial_number", run.info.run_id))
        for run in runs
    }
    counts = Counter(study for study, _ in trials)
    shown = [
        f"{shlex.quote(clean(name, 100))} ({plural(counts[name], 'trial')}, begun {_when(run)})"
        for name, run in list(studies.items())[:_MOST_LISTED]
    ]
    more = len(studies) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _when(run: "Run") -> str:
    """Return when the run began, to the minute, in this machine's time."""
    return f"{datetime.fromtimestamp(run.info.start_time / 1000).astimezone():%Y-%m-%d %H:%M}"
