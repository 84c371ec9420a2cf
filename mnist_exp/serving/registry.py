"""Register a run's model under its variant's name, and keep the alias `best` on the best version.

MLflow itself resolves `models:/NAME@latest` to the newest version; no alias may have that name.
"""

import re
from dataclasses import dataclass

from mlflow import MlflowClient
from mlflow.entities import LoggedModelStatus
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
_DATA = "validation_data"  # as `same_data.data_of` names it; old versions have no such tag
_TRIES = 5


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What is registered of a model.

    Attributes:
        variant: The name of the run's settings, under which the model is registered.
        accuracy: Its accuracy on the validation images.
        images: How many validation images there are.
    """

    variant: str
    accuracy: float
    images: int


def register(client: MlflowClient, run_id: str, step: int, entry: Entry) -> None:
    """Register the model that the run has logged at this step, unless it is; then set the alias.

    Any number of processes may do so at once. Raises MlflowException or OSError if the store
    refuses.
    """
    model = model_package.logged(client, run_id, step)
    if model is None:
        return
    name = legal_name(entry.variant)
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    if not any(version.tags.get(_MODEL) == model.model_id for version in _versions(client, name)):
        client.create_model_version(
            name,
            model.artifact_location,
            run_id,
            tags={
                _ACCURACY: repr(entry.accuracy),
                _IMAGES: str(entry.images),
                _MODEL: model.model_id,
                _DATA: data_of(client.get_run(run_id)),
            },
            model_id=model.model_id,
        )
    moments.reached("registered")
    _mark_best(client, name)


def legal_name(variant: str) -> str:
    """Return the name with `_` for what MLflow forbids in it or reads as part of a query."""
    return re.sub(r"[^\w\-. ]", "_", variant)[:200].strip(". ") or "model"


def _mark_best(client: MlflowClient, name: str) -> None:
    """Set the alias, and set it again while another process adds a version.

    The other process may have set it to an older choice.
    """
    chosen, tries = _best(client, name), _TRIES
    while chosen is not None:
        try:
            client.set_registered_model_alias(name, BEST, chosen)
        except MlflowException:  # another process creates the alias at the same moment
            tries -= 1
            if not tries:
                raise
            continue
        before, chosen = chosen, _best(client, name)
        if chosen == before:
            return


def _best(client: MlflowClient, name: str) -> str | None:
    """Return the version with the highest accuracy on the most images of the same data, or None.

    Of equal versions it is the oldest. A version without an accuracy is not of this project, and a
    version whose model was not logged to the end cannot be loaded.
    """

    def score(version: ModelVersion) -> tuple[int, float, int]:
        return int(version.tags[_IMAGES]), float(version.tags[_ACCURACY]), -int(version.version)

    scored = [version for version in _versions(client, name) if _ACCURACY in version.tags]
    scored.sort(key=lambda version: int(version.version), reverse=True)
    ranked = sorted(comparable([(v, _data(client, v)) for v in scored]), key=score, reverse=True)
    return next((str(version.version) for version in ranked if _is_whole(client, version)), None)


def _data(client: MlflowClient, version: ModelVersion) -> str:
    """Return the version's data as `data_of` its run; "" if the run does not exist any more."""
    if _DATA in version.tags or version.run_id is None:
        return str(version.tags.get(_DATA, ""))
    try:
        return data_of(client.get_run(version.run_id))
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return ""


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
