"""The settings of a study's best trial, for a run of its own: `best_of=STUDY`."""

from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run

from mnist_exp.config.recorded import overrides
from mnist_exp.config.settings import Settings
from mnist_exp.config.tree import compose
from mnist_exp.errors import ConfigError, did_you_mean
from mnist_exp.outside.foreign_files import MAX_TEXT_BYTES, read_artifacts, read_yaml
from mnist_exp.outside.paging import all_pages
from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.tracking.store import opened, uri_to_read

_OVERRIDES, _RESOLVED = "config/overrides.yaml", "config/resolved.yaml"


def best_settings(settings: Settings) -> Settings:
    """Return the settings of the best trial of `best_of=STUDY`, with the overrides beside it.

    What the sweep's own file sets to keep trials short is left out: the run is a full one. Raises
    ConfigError if there is no such study or no store, none of its trials is complete, or the best
    one's record cannot be used.
    """
    name = str(settings.config.best_of)
    where = f"best_of={clean(name)}"
    with opened(uri_to_read(settings.config.tracking.uri)) as client:
        best_id = _best_trial(client, name, where)
        recorded, resolved = _record(client, best_id, where)
    given = [text for text in settings.overrides if not _sets(text, "best_of")]
    _require_folder(resolved, given, where)
    best = compose([*recorded, *given])
    return best.with_config(tags={**best.config.tags, "best_of": name})


def _sets(override: str, key: str) -> bool:
    """Return whether the override sets this key."""
    return override.lstrip("+").startswith(f"{key}=")


def _best_trial(client: MlflowClient, name: str, where: str) -> str:
    """Return the id of the run of the study's best trial. Raises ConfigError."""
    experiments = [experiment.experiment_id for experiment in all_pages(client.search_experiments)]
    parents = list(all_pages(client.search_runs, experiments, "tags.study_role = 'study'"))
    studies: dict[str, Run] = {
        run.data.tags["study_name"]: run
        for run in reversed(parents)  # the newest comes last
        if "study_name" in run.data.tags
    }
    if name not in studies:
        names = ", ".join(clean(study, 100) for study in sorted(studies)[:20])
        raise ConfigError(
            f"{where}: no such study{clean(did_you_mean(name, studies))}\n"
            f"Studies: {names or 'none'}"
        )
    best_id = studies[name].data.tags.get("best.run_id")
    if not best_id:
        raise ConfigError(f"{where}: no trial of that study is complete")
    return str(best_id)


def _record(client: MlflowClient, run_id: str, where: str) -> tuple[list[str], dict[str, Any]]:
    """Return overrides that set what the run's own did, and its config. Raises ConfigError."""
    try:
        files = read_artifacts(
            client, run_id, dict.fromkeys((_OVERRIDES, _RESOLVED), MAX_TEXT_BYTES)
        )
        if missing := [path for path in (_OVERRIDES, _RESOLVED) if path not in files]:
            raise ValueError(f"its artifact {missing[0]} is missing")
        resolved: dict[str, Any] = read_yaml(files[_RESOLVED], dict)
        recorded = read_yaml(files[_OVERRIDES], list)
    except ValueError as error:
        raise ConfigError(
            f"{where}: the record of its best trial, run {clean(run_id, 50)}, cannot be used: "
            f"{error}"
        ) from error
    return overrides(recorded, resolved, where), resolved


def _require_folder(resolved: dict[str, Any], given: list[str], where: str) -> None:
    """Raise ConfigError if the trial read other data than MNIST and no override says from where."""
    data = resolved.get("data")
    folder = data.get("dir") if isinstance(data, dict) else None
    if folder is not None and not any(_sets(text, "data.dir") for text in given):
        raise ConfigError(
            f"{where}: its trials read data.dir={clean(folder)}, and no folder is taken over from "
            "a record\ndata.dir=FOLDER beside it says where to read; data.dir=null is the shipped "
            "MNIST"
        )
