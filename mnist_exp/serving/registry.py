"""Register a run's model under its variant's name, and keep the alias `best` on the best version.

A name holds the versions of one program on the same data, in different seeds. If the name has
versions of another program, the model gets a name of its own, with six hex digits at the end.
Versions that earlier versions of mnist_exp have mixed stay, but `best` is none of the others.
MLflow itself resolves `models:/NAME@latest` to the newest version; no alias may have that name.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from mlflow import MlflowClient
from mlflow.entities import LoggedModelStatus, Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from mnist_exp.outside import moments
from mnist_exp.outside.paging import all_pages
from mnist_exp.serving import package as model_package
from mnist_exp.serving.same_data import comparable, data_of

BEST = "best"
# Tags of a registered version.
_ACCURACY = "val/accuracy"
_IMAGES = "validation_images"
_MODEL = "logged_model"
_PROGRAM = "program"  # a digest of the entry's `program`; old versions have no such tag
_DATA = "validation_data"  # as `same_data.data_of` names it; old versions have no such tag
_TRIES = 5


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What is registered of a model.

    Attributes:
        variant: The name of the run's settings, under which the model is registered.
        accuracy: Its accuracy on the validation images.
        images: How many validation images there are.
        program: The params of the run that tell its program and data from others, and the tag
            `data.digest`; empty in the queue of an earlier version.
    """

    variant: str
    accuracy: float
    images: int
    program: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """12 hex digits over the program."""
        return hashlib.sha256(json.dumps(self.program, sort_keys=True).encode()).hexdigest()[:12]


def register(client: MlflowClient, run_id: str, step: int, entry: Entry) -> None:
    """Register the model that the run has logged at this step, unless it is; then set the alias.

    Any number of processes may do so at once. Raises MlflowException or OSError if the store
    refuses.
    """
    model = model_package.logged(client, run_id, step)
    if model is None:
        return
    name = _free_name(client, entry)
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    if not any(version.tags.get(_MODEL) == model.model_id for version in _versions(client, name)):
        tags = {
            _ACCURACY: repr(entry.accuracy),
            _IMAGES: str(entry.images),
            _MODEL: model.model_id,
            _DATA: data_of(client.get_run(run_id)),
        }
        tags |= {_PROGRAM: entry.digest} if entry.program else {}
        client.create_model_version(
            name, model.artifact_location, run_id, tags=tags, model_id=model.model_id
        )
    moments.reached("registered")
    _mark_best(client, name, entry)


def _free_name(client: MlflowClient, entry: Entry) -> str:
    """Return the variant's name, or a longer one if that has versions of another program.

    Versions of earlier versions of mnist_exp, which were not tested for that, keep no name from
    the program that it means now.
    """
    name = legal_name(entry.variant)
    for version in _versions(client, name):
        is_old = _ACCURACY in version.tags and _PROGRAM not in version.tags
        if entry.program and not is_old and not _is_of(client, version, entry):
            return f"{name[:190]}-{entry.digest[:6]}"
    return name


def legal_name(variant: str) -> str:
    """Return the name with `_` for what MLflow forbids in it or reads as part of a query."""
    return re.sub(r"[^\w\-. ]", "_", variant)[:200].strip(". ") or "model"


def _mark_best(client: MlflowClient, name: str, entry: Entry) -> None:
    """Set the alias to the entry's program, and set it again while another process adds a version.

    The other process may have set it to an older choice.
    """
    chosen, tries = _best(client, name, entry), _TRIES
    while chosen is not None:
        try:
            client.set_registered_model_alias(name, BEST, chosen)
        except MlflowException:  # another process creates the alias at the same moment
            tries -= 1
            if not tries:
                raise
            continue
        before, chosen = chosen, _best(client, name, entry)
        if chosen == before:
            return


def _best(client: MlflowClient, name: str, entry: Entry) -> str | None:
    """Return the program's version with the highest accuracy on the most images, or None.

    Of equal versions it is the oldest. A version without an accuracy is not of this project, and a
    version whose model was not logged to the end cannot be loaded.
    """

    def score(version: ModelVersion) -> tuple[int, float, int]:
        return int(version.tags[_IMAGES]), float(version.tags[_ACCURACY]), -int(version.version)

    versions = [version for version in _versions(client, name) if _ACCURACY in version.tags]
    scored = [version for version in versions if _is_of(client, version, entry)]
    scored.sort(key=lambda version: int(version.version), reverse=True)
    ranked = sorted(comparable([(v, _data(client, v)) for v in scored]), key=score, reverse=True)
    return next((str(version.version) for version in ranked if _is_whole(client, version)), None)


def _is_of(client: MlflowClient, version: ModelVersion, entry: Entry) -> bool:
    """Return whether the version is of the entry's program, by its tag or by its run.

    A param that the run of an earlier version lacks did not exist then. A run of another program
    than mnist_exp has none of them.
    """
    if version.tags.get(_PROGRAM) == entry.digest:
        return True
    run = _run(client, version)
    if run is None or "model.kind" not in run.data.params:
        return not entry.program
    recorded = {**run.data.params, **run.data.tags}  # a run that was made longer has tags of it
    return all(recorded.get(key, value) == value for key, value in entry.program.items())


def _run(client: MlflowClient, version: ModelVersion) -> Run | None:
    """Return the version's run, or None if it has none or it does not exist any more."""
    if not version.run_id:
        return None
    try:
        return client.get_run(version.run_id)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None


def _data(client: MlflowClient, version: ModelVersion) -> str:
    """Return the version's data as `data_of` its run; "" if the run does not exist any more."""
    if _DATA in version.tags:
        return str(version.tags[_DATA])
    run = _run(client, version)
    return "" if run is None else data_of(run)


def _is_whole(client: MlflowClient, version: ModelVersion) -> bool:
    """Return whether the version's model was logged to the end and still exists."""
    try:
        return client.get_logged_model(version.tags[_MODEL]).status == LoggedModelStatus.READY
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return False


def _versions(client: MlflowClient, name: str) -> list[ModelVersion]:
    """Return all versions of a registered model."""
    return list(all_pages(client.search_model_versions, f"name='{name}'", max_results=1000))
