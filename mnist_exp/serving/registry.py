"""Register a run's logged model under its variant's name, and keep the alias `best` on the best version.

`models:/NAME@latest` needs no alias of ours: MLflow reserves that name, and resolves it to the newest version.
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
_ACCURACY, _IMAGES, _MODEL = (
    "val/accuracy",
    "validation_images",
    "logged_model",
)  # tags of a version
_DATA = "validation_data"  # as `same_data.data_of` names it; earlier versions have no such tag
_TRIES = 5


@dataclass(frozen=True)
class Entry:
    """What the registry is told of a model: its variant, and its accuracy on that many validation images."""

    variant: str
    accuracy: float
    images: int


def register(client: MlflowClient, run_id: str, step: int, entry: Entry) -> None:
    """A version for the model that the run has logged at this step, unless it has one; then the alias.

    Any number of processes may do so at once. Raises MlflowException or OSError where the store refuses.
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
    """With what MLflow does not allow in a registered model's name, or reads as part of a query, replaced."""
    return re.sub(r"[^\w\-. ]", "_", variant)[:200].strip(". ") or "model"


def _mark_best(client: MlflowClient, name: str) -> None:
    """Set the alias again until no version came in between: another process may have set it to an older choice."""
    chosen, tries = _best(client, name), _TRIES
    while chosen is not None:
        try:
            client.set_registered_model_alias(name, BEST, chosen)
        except (
            MlflowException
        ):  # two that make the alias at the same moment: one of them is refused
            tries -= 1
            if not tries:
                raise
            continue
        before, chosen = chosen, _best(client, name)
        if chosen == before:
            return


def _best(client: MlflowClient, name: str) -> str | None:
    """The version with the highest accuracy of those on the most images of the same data, the oldest of equals; or None.

    A version without an accuracy is not ours; one whose model was not logged to the end cannot be loaded.
    """

    def score(version: ModelVersion) -> tuple[int, float, int]:
        return int(version.tags[_IMAGES]), float(version.tags[_ACCURACY]), -int(version.version)

    scored = [version for version in _versions(client, name) if _ACCURACY in version.tags]
    scored.sort(key=lambda version: int(version.version), reverse=True)
    ranked = sorted(comparable([(v, _data(client, v)) for v in scored]), key=score, reverse=True)
    return next((str(version.version) for version in ranked if _is_whole(client, version)), None)


def _data(client: MlflowClient, version: ModelVersion) -> str:
    if _DATA in version.tags or version.run_id is None:
        return str(version.tags.get(_DATA, ""))
    try:
        return data_of(client.get_run(version.run_id))
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return ""


def _is_whole(client: MlflowClient, version: ModelVersion) -> bool:
    try:
        return client.get_logged_model(version.tags[_MODEL]).status == LoggedModelStatus.READY
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return False


def _versions(client: MlflowClient, name: str) -> list[ModelVersion]:
    """Return all versions of a registered model."""
    return list(all_pages(client.search_model_versions, f"name='{name}'", max_results=1000))
