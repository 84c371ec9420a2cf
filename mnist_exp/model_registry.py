"""Register a run's logged model under its variant's name, and keep the alias `best` on the best version.

`models:/NAME@latest` needs no alias of ours: MLflow reserves that name, and resolves it to the newest version.
"""

import re
from dataclasses import dataclass

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

BEST = "best"
_ACCURACY, _IMAGES, _MODEL = "val/accuracy", "validation_images", "logged_model"  # tags of a version
_TRIES = 5


@dataclass(frozen=True)
class Entry:
    """What the registry is told of a model: its variant, and its accuracy on that many validation images."""

    variant: str
    accuracy: float
    images: int


def register(client: MlflowClient, run_id: str, step: int, entry: Entry) -> None:
    """A version for the model that the run logged at this step, unless it has one; then the alias.

    Any number of processes may do so at once. Raises MlflowException or OSError where the store refuses.
    """
    outputs = client.get_run(run_id).outputs
    logged = [] if outputs is None else [out.model_id for out in outputs.model_outputs if out.step == step]
    if not logged:
        return
    name = legal_name(entry.variant)
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    if not any(version.tags.get(_MODEL) == logged[0] for version in _versions(client, name)):
        client.create_model_version(
            name,
            client.get_logged_model(logged[0]).artifact_location,
            run_id,
            tags={_ACCURACY: repr(entry.accuracy), _IMAGES: str(entry.images), _MODEL: logged[0]},
            model_id=logged[0],
        )
    _mark_best(client, name)


def legal_name(variant: str) -> str:
    """With what MLflow does not allow in a registered model's name, or reads as part of a query, replaced."""
    return re.sub(r"[^\w\-. ]", "_", variant)[:200].strip(". ") or "model"


def _mark_best(client: MlflowClient, name: str) -> None:
    """Set the alias again until no version came in between: another process may have set it to an older choice."""
    chosen, tries = _best(_versions(client, name)), _TRIES
    while chosen is not None:
        try:
            client.set_registered_model_alias(name, BEST, chosen)
        except MlflowException:  # two that make the alias at the same moment: one of them is refused
            tries -= 1
            if not tries:
                raise
            continue
        before, chosen = chosen, _best(_versions(client, name))
        if chosen == before:
            return


def _best(versions: list[ModelVersion]) -> str | None:
    """The highest accuracy among those on the most images, the oldest of equals; None if no version says."""
    scored = [v for v in versions if _ACCURACY in v.tags]
    if not scored:
        return None

    def score(version: ModelVersion) -> tuple[int, float, int]:
        return int(version.tags[_IMAGES]), float(version.tags[_ACCURACY]), -int(version.version)

    return str(max(scored, key=score).version)


def _versions(client: MlflowClient, name: str) -> list[ModelVersion]:
    found: list[ModelVersion] = []
    token = None
    while True:
        page = client.search_model_versions(f"name='{name}'", max_results=1000, page_token=token)
        found += page
        token = page.token
        if not token:
            return found
