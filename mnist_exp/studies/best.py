"""The settings of a study's best trial, for a run of its own: `best_of=STUDY`."""

from dataclasses import replace
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run

from mnist_exp.config.own_functions import are_named_here, own_functions
from mnist_exp.config.recorded import overrides, recorded_sweep
from mnist_exp.config.settings import Settings
from mnist_exp.config.sweep_files import program_of
from mnist_exp.config.tree import compose
from mnist_exp.errors import ConfigError
from mnist_exp.outside.foreign_files import MAX_TEXT_BYTES, read_artifacts, read_yaml
from mnist_exp.outside.printing import say
from mnist_exp.own_code import session
from mnist_exp.own_code.changes import changes
from mnist_exp.own_code.code import Own
from mnist_exp.own_code.trust import Recorded, repeated
from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.tracking.recorded_code import read_sources, recorded_code
from mnist_exp.tracking.store import opened, uri_to_read
from mnist_exp.tracking.studies import find_study, study_name

_OVERRIDES, _RESOLVED = "config/overrides.yaml", "config/resolved.yaml"


def best_settings(settings: Settings, own: Own) -> tuple[Settings, Own]:
    """Return the settings of the best trial of `best_of=STUDY`, with the overrides beside it.

    With them is `own` with the code of the user's own that they name.

    STUDY is the study's name, or its beginning if no other study begins so.

    What the sweep's own file sets to keep trials short is left out: the run is a full one. Raises
    ConfigError if there is no such study or no store, none of its trials is complete, or the best
    one's record cannot be used.
    """
    name = str(settings.config.best_of)
    where = f"best_of={clean(name)}"
    with opened(uri_to_read(settings.config.tracking.uri)) as client:
        study = find_study(client, name, "best_of")
        if study_name(study) != name:
            say(f"{where}: the study {study_name(study)}")
        trial = _best_trial(study, where)
        recorded, resolved, sweep = _record(client, trial, where)
        code = _recorded_code(client, trial, where)
    session.refuse(resolved, f"{where}: ")
    given = [text for text in settings.overrides if not _sets(text, "best_of")]
    _require_folder(resolved, given, where)
    if sweep is not None:
        recorded = [*program_of(sweep, [*recorded, *given]), *recorded]
    best = compose([*recorded, *given])
    functions = own_functions(best.config, own)
    if functions and own.code is None:
        is_named = are_named_here(functions, recorded, given)
        trusts = settings.config.trust_code
        own = replace(own, code=repeated(functions, code, is_named=is_named, is_trusted=trusts))
        _say_changes(where, code, own)
    return best.with_config(tags={**best.config.tags, "best_of": study_name(study)}), own


def _say_changes(where: str, recorded: Recorded, own: Own) -> None:
    """Say in which files the code is not what the trial had."""
    if own.code is not None and own.code.digest != recorded.digest:
        for line in changes(recorded.sources, own.code.sources):
            say(f"{where}: other code than its trials had: {line}")


def _sets(override: str, key: str) -> bool:
    """Return whether the override sets this key."""
    return override.lstrip("+").startswith(f"{key}=")


def _best_trial(study: Run, where: str) -> str:
    """Return the id of the run of the study's best trial. Raises ConfigError."""
    best_id = study.data.tags.get("best.run_id")
    if not best_id:
        raise ConfigError(f"{where}: no trial of that study is complete and meets its constraints")
    return str(best_id)


def _record(
    client: MlflowClient, run_id: str, where: str
) -> tuple[list[str], dict[str, Any], str | None]:
    """Return overrides that set what the run's own did, its config, and the file of its sweep.

    Raises ConfigError.
    """
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
    taken = overrides(recorded, resolved, where)
    return taken, resolved, recorded_sweep(recorded, where)


def _recorded_code(client: MlflowClient, run_id: str, where: str) -> Recorded:
    """Return the trial's own code. Raises ConfigError if its record cannot be used."""
    tags = client.get_run(run_id).data.tags
    try:
        return recorded_code(where, run_id, tags, read_sources(client, run_id, tags))
    except ValueError as error:
        raise ConfigError(
            f"{where}: the record of its best trial, run {clean(run_id, 50)}, cannot be used: "
            f"{error}"
        ) from error


def _require_folder(resolved: dict[str, Any], given: list[str], where: str) -> None:
    """Raise ConfigError if the trial read other data than MNIST and no override says from where."""
    data = resolved.get("data")
    folder = data.get("dir") if isinstance(data, dict) else None
    keys = ("data.dir", "data")
    if folder is not None and not any(_sets(text, key) for text in given for key in keys):
        raise ConfigError(
            f"{where}: its trials read data.dir={clean(folder)}, and no folder is taken over from "
            "a record\ndata.dir=FOLDER beside it says where to read; data.dir=null is the shipped "
            "MNIST"
        )
