"""Find a run's logged model in an MLflow store, and load it."""

import atexit
import shlex
import shutil
import tempfile
from dataclasses import dataclass
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.entities import LoggedModel, LoggedModelStatus, Run
from mlflow.exceptions import MlflowException
from numpy.typing import NDArray

from mnist_exp.errors import UserError, first_line
from mnist_exp.outside.paging import all_pages
from mnist_exp.outside.uris import local_path
from mnist_exp.serving import foreign_models
from mnist_exp.serving import package as model_package
from mnist_exp.serving.model import COLUMN, RETURN_PIXELS
from mnist_exp.serving.package import PICTURES, TAG
from mnist_exp.serving.same_data import comparable, data_of
from mnist_exp.tracking.addresses import ELSEWHERE, shortened
from mnist_exp.tracking.status import RunStatus
from mnist_exp.tracking.store import answering, in_use, uri_to_read
from mnist_exp.training import keras_state

_METRIC = "val/accuracy"


@dataclass(frozen=True)
class Prediction:
    """The digit, the probabilities of all ten [10], and the pixels [28, 28] that the network was given, ink 255.

    doubt: why the answer cannot be relied on; None if it can, or if the model was logged without a rule for that
    """

    digit: int
    probabilities: NDArray[np.float64]
    pixels: NDArray[np.uint8]
    doubt: str | None = None


@dataclass(frozen=True)
class TrainedModel:
    """A run's logged model, loaded."""

    run_id: str
    run_name: str
    uri: str  # models:/ID
    _loaded: Any

    def predict(self, image: str | NDArray[np.uint8]) -> Prediction:
        """Of a picture's file in base64, or an image [28, 28] of MNIST. Raises UserError for one it refuses."""
        given = pd.DataFrame({COLUMN: [image]}) if isinstance(image, str) else image[None]
        try:
            row = self._loaded.predict(given, params={RETURN_PIXELS: True}).iloc[0]
        except MlflowException as error:
            raise UserError(error.message.removeprefix("image 0: ")) from error
        return Prediction(
            int(row["digit"]),
            np.asarray(row["probabilities"]),
            np.asarray(row["pixels"], np.uint8),
            None if row.get("sure", True) else _doubt(float(row["confidence"])),
        )


def _doubt(confidence: float) -> str:
    if confidence < 0.9:
        return f"with a confidence of {confidence:.0%}"
    return "it is unlike the digits that the network was trained on"


class Models:
    """The models in a store. Raises UserError where it cannot be used."""

    def __init__(self, uri: str | None) -> None:
        self._uri = uri_to_read(uri)
        self._client = mlflow.MlflowClient(self._uri)

    def find(self, which: str) -> tuple[Run, LoggedModel]:
        """`latest`, `best` or a run id -> a run and its last model; the first two are finished and have one.

        `best` has the highest val/accuracy, of those scored on the most validation images of MNIST; where there is none, of
        the newest run's data.
        """
        with answering(self._uri, "read"):
            if which not in ("latest", "best"):
                return self._of_run(which)
            models = self._all_models()
            runs = self._finished(models)
        if which == "best":
            runs = [
                run for run in runs if _METRIC in run.data.metrics and not _scored_on_training(run)
            ]
            runs = comparable([(run, data_of(run)) for run in runs])
            runs.sort(
                key=lambda run: (_validation_images(run), run.data.metrics[_METRIC]), reverse=True
            )
        if not runs:
            raise UserError(
                f"--run {which}: no finished run in {shortened(self._uri)} has a model\n{ELSEWHERE}"
            )
        return runs[0], models[runs[0].info.run_id]

    def load(self, which: str, trust: bool = False) -> TrainedModel:
        """As `find`, in seconds: it loads TensorFlow. The model's own Python code is run only with `trust`."""
        from mnist_exp.training.startup import quick_imports, quiet

        run, model = self.find(which)
        try:
            with in_use(self._uri), quick_imports(), quiet():
                keras_state.pin()
                loaded = (
                    mlflow.pyfunc.load_model(f"models:/{model.model_id}", dst_path=_copy_for(model))
                    if trust
                    else foreign_models.load(self._client, model)
                )
        except (MlflowException, OSError, ValueError) as error:
            raise UserError(
                f"run {run.info.run_id}: its model cannot be loaded ({first_line(error)})"
            ) from error
        except UserError as error:
            raise UserError(f"run {run.info.run_id}: its model is not loaded: {error}") from error
        return TrainedModel(
            run.info.run_id,
            run.info.run_name or run.info.run_id[:8],
            f"models:/{model.model_id}",
            loaded,
        )

    def _of_run(self, run_id: str) -> tuple[Run, LoggedModel]:
        try:
            run = self._client.get_run(run_id)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST" and "run_id" not in str(error):
                raise
            raise UserError(
                f"--run {run_id}: no such run in {shortened(self._uri)}\n{ELSEWHERE}"
            ) from error
        outputs = (
            []
            if run.outputs is None
            else sorted(run.outputs.model_outputs, key=lambda out: out.step)
        )
        logged = [model_package.logged(self._client, run_id, output.step) for output in outputs]
        models = [model for model in logged if model is not None]
        if not models:
            raise UserError(
                f"--run {run_id}: the run ({run.info.status}) has no model; trials of sweeps and runs that did not "
                "finish log none"
            )
        model = models[-1]
        if model.tags.get(TAG) != PICTURES:
            raise UserError(
                f"--run {run_id}: its model is from a version that took no pictures; "
                f"`python -m mnist_exp.rerun {shlex.quote(run_id)}` trains it anew"
            )
        return run, model

    def _all_models(self) -> dict[str, LoggedModel]:
        """{run id: its newest model} of those that take pictures."""
        experiments = [each.experiment_id for each in all_pages(self._client.search_experiments)]
        if not experiments:
            return {}
        order = [{"field_name": "creation_timestamp", "ascending": True}]
        models = all_pages(self._client.search_logged_models, experiments, order_by=order)
        return {
            str(model.source_run_id): model
            for model in models
            if model.tags.get(TAG) == PICTURES and model.status == LoggedModelStatus.READY
        }

    def _finished(self, models: dict[str, LoggedModel]) -> list[Run]:
        """The finished runs with these models, the newest first."""
        experiments = sorted({model.experiment_id for model in models.values()})
        if not experiments:
            return []
        runs = all_pages(
            self._client.search_runs,
            experiments,
            f"attributes.status = '{RunStatus.FINISHED}'",
            order_by=["attributes.start_time DESC"],
        )
        return [run for run in runs if run.info.run_id in models]


def _copy_for(model: LoggedModel) -> str | None:
    """A folder to load a copy of the model's files from, where MLflow would decode a `%` in their path once too often.

    It stays until the process ends: Python may import more of the model's code.
    """
    folder = local_path(model.artifact_location)
    if folder is None or "%" not in str(folder):
        return None
    copy = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    return copy


def _scored_on_training(run: Run) -> bool:
    return run.data.params.get("data.eval_on_train") == "True"


def _validation_images(run: Run) -> int:
    """How many images its val/accuracy is of, by its params."""
    limits = [run.data.params.get(f"data.{name}", "") for name in ("validation_size", "eval_limit")]
    return min((int(limit) for limit in limits if limit.isdecimal() and len(limit) < 20), default=0)
