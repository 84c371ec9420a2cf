"""Find a run's logged model in an MLflow store, and load it."""

import atexit
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.entities import LoggedModel, LoggedModelStatus, Run
from mlflow.exceptions import MlflowException
from numpy.typing import NDArray

from mnist_exp.data import MNIST, Form
from mnist_exp.errors import UserError, first_line
from mnist_exp.outside.paging import all_pages
from mnist_exp.outside.uris import local_path
from mnist_exp.serving import foreign_models
from mnist_exp.serving import package as model_package
from mnist_exp.serving.inputs import COLUMN
from mnist_exp.serving.model import RETURN_PIXELS
from mnist_exp.serving.package import PICTURES, TAG
from mnist_exp.serving.same_data import comparable, data_of
from mnist_exp.tracking.addresses import ELSEWHERE, shortened
from mnist_exp.tracking.experiment_ids import experiment_ids
from mnist_exp.tracking.find_run import find_run
from mnist_exp.tracking.params import with_length
from mnist_exp.tracking.status import RunStatus
from mnist_exp.tracking.store import answering, in_use, uri_to_read
from mnist_exp.training import keras_state

ROLES = ("latest", "best")  # what names a run besides its id
_METRIC = "val/accuracy"
_USUAL_IMAGES = 5000  # of validation


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """A model's answer for one image.

    Attributes:
        label: The most probable class, 0 to K-1; of digits it is the digit.
        name: The name of that class.
        probabilities: The probabilities of all classes, [K].
        pixels: What the network was given, [H, W, C]; of digits, ink is 255.
        doubt: Why the answer cannot be relied on; None if it can, or if the model was logged
            without a rule for that.
    """

    label: int
    name: str
    probabilities: NDArray[np.float64]
    pixels: NDArray[np.uint8]
    doubt: str | None = None


@dataclass(frozen=True, kw_only=True)
class TrainedModel:
    """A run's logged model, loaded.

    Attributes:
        run_id: The run's id.
        run_name: The run's name, or the first characters of its id.
        uri: The model as `models:/ID`.
        loaded: What MLflow or `foreign_models` loaded.
        form: The form of the images that it takes.
        least_confidence: The confidence below which the model doubts an answer; None for a model
            without a rule, or with one that only its own code can read.
        params: The run's params, with the length that it has now.
        metrics: The last value of each of the run's metrics.
    """

    run_id: str
    run_name: str
    uri: str
    loaded: Any
    form: Form = MNIST
    least_confidence: float | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)

    def predict(self, image: str | NDArray[np.uint8]) -> Prediction:
        """Return the answer for a picture's file in base64, or for an image [H, W, C] of the data.

        Raises UserError for a picture that the model refuses.
        """
        images: Any
        if isinstance(image, str):
            images = pd.DataFrame({COLUMN: [image]})
        else:  # as fractions: numbers of 0 and 1 alone would be taken for them
            images = image[None] / np.float32(255)
        try:
            row = self.loaded.predict(images, params={RETURN_PIXELS: True}).iloc[0]
        except MlflowException as error:
            raise UserError(error.message.removeprefix("image 0: ")) from error
        if not np.isfinite(np.asarray(row["probabilities"], float)).all():
            raise UserError("the network's answer to this image is NaN")
        label = int(row["digit" if self.form.is_digits else "label"])
        is_doubted = not row.get("sure", True)
        return Prediction(
            label=label,
            name=self.form.class_names[label],
            probabilities=np.asarray(row["probabilities"]),
            pixels=np.asarray(row["pixels"], np.uint8).reshape(self.form.image_shape),
            doubt=self._doubt(float(row["confidence"])) if is_doubted else None,
        )

    def _doubt(self, confidence: float) -> str:
        """Return why a doubted answer cannot be relied on; of two reasons, its low confidence."""
        if self.least_confidence is None:
            return "the model doubts it, by a rule that only the model's own code knows"
        if confidence < self.least_confidence:
            return f"its confidence, the probability after calibration, is {confidence:.0%}"
        known = "digits" if self.form.is_digits else "images"
        return f"it is unlike the {known} that the network was trained on"


class Models:
    """The models in a store. Each method raises UserError if the store cannot be read."""

    def __init__(self, uri: str | None) -> None:
        self._uri = uri_to_read(uri)
        self._client = mlflow.MlflowClient(self._uri)

    def find(self, which: str) -> tuple[Run, LoggedModel]:
        """Return the run that `which` names, and its last model.

        `latest` is the newest finished run with a model. `best` is the one with the highest
        val/accuracy of those that were scored on the same images: on the usual validation images of
        MNIST; without such runs on as many of MNIST as any; without runs on MNIST, on the newest
        run's. Everything else is a run id. Raises UserError if there
        is no such run or it has no model that takes pictures.
        """
        with answering(self._uri, "read"):
            if which not in ROLES:
                return self._of_run(which)
            models = self._all_models()
            runs = self._finished(models)
        if which == "best":
            scored = [run for run in runs if _is_scored(run)]
            runs = comparable([(run, data_of(run)) for run in scored])
            runs.sort(key=_rank, reverse=True)
        if not runs:
            raise UserError(
                f"--run {which}: no finished run in {shortened(self._uri)} has a model; train one "
                "with `python -m mnist_exp`, or a sweep's best trial with `python -m mnist_exp "
                f"best_of=STUDY`\n{ELSEWHERE}"
            )
        return runs[0], models[runs[0].info.run_id]

    def form(self, which: str) -> Form:
        """Return the form of the images that the model of the run takes, which `which` names.

        Raises UserError as `find`, and for a model whose files cannot be read.
        """
        run, model = self.find(which)
        with in_use(self._uri), _loading(run):
            return foreign_models.form_of(self._client, model)

    def load(self, which: str, trust: bool = False) -> TrainedModel:
        """Load the model of the run that `which` names, as `find`; TensorFlow takes seconds.

        The model's own Python code runs only with `trust`.
        """
        from mnist_exp.training.startup import quick_imports, quiet

        run, model = self.find(which)
        with _loading(run), in_use(self._uri), quick_imports(), quiet():
            keras_state.pin()
            uri, loaded = f"models:/{model.model_id}", None
            form, least_confidence = foreign_models.form_of(self._client, model), None
            if trust:
                with _running_its_code():
                    loaded = mlflow.pyfunc.load_model(uri, dst_path=_copy_for(model))
            else:
                loaded = foreign_models.load(self._client, model)
            with suppress(ValueError):  # the rule of trusted code may be any other
                least_confidence = foreign_models.least_confidence(self._client, model)
        return TrainedModel(
            run_id=run.info.run_id,
            run_name=run.info.run_name or run.info.run_id[:8],
            uri=uri,
            loaded=loaded,
            form=form,
            least_confidence=least_confidence,
            params=with_length(run.data.params, run.data.tags),
            metrics=run.data.metrics,
        )

    def load_network(self, which: str) -> Any:
        """Return the Keras network of the run that `which` names, as `find`.

        It takes float images [N, H, W, C] in [0, 1], and gives logits [N, K].
        """
        from mnist_exp.training.startup import quick_imports, quiet

        run, model = self.find(which)
        with _loading(run), in_use(self._uri), quick_imports(), quiet():
            keras_state.pin()
            return foreign_models.load_network(self._client, model)

    def roles(self) -> dict[str, str]:
        """Return the ids of the runs that `latest` and `best` name now, if there are any."""
        found = {}
        for role in ROLES:
            with suppress(UserError):
                found[role] = self.find(role)[0].info.run_id
        return found

    def _of_run(self, run_id: str) -> tuple[Run, LoggedModel]:
        """Return the run with this id and its last model. Raises UserError as `find`."""
        run = find_run(self._client, run_id, "--run ", ROLES)
        outputs = [] if run.outputs is None else run.outputs.model_outputs
        steps = sorted(output.step for output in outputs)
        logged = [model_package.logged(self._client, run_id, step) for step in steps]
        models = [model for model in logged if model is not None]
        if not models:
            raise UserError(
                f"--run {run_id}: the run ({run.info.status}) has no model; trials of sweeps and "
                "runs that did not finish log none"
            )
        model = models[-1]
        if model.tags.get(TAG) != PICTURES:
            raise UserError(
                f"--run {run_id}: its model is from a version that took no pictures; "
                f"`python -m mnist_exp.rerun {shlex.quote(run_id)}` trains it anew"
            )
        return run, model

    def _all_models(self) -> dict[str, LoggedModel]:
        """Return {run id: its newest model} of all whole models that take pictures."""
        ids = list(experiment_ids(self._client).values())
        if not ids:
            return {}
        order = [{"field_name": "creation_timestamp", "ascending": True}]
        models = all_pages(self._client.search_logged_models, ids, order_by=order)
        return {
            str(model.source_run_id): model
            for model in models
            if model.tags.get(TAG) == PICTURES and model.status == LoggedModelStatus.READY
        }

    def _finished(self, models: dict[str, LoggedModel]) -> list[Run]:
        """Return the finished runs with these models, the newest first."""
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


@contextmanager
def _loading(run: Run) -> Iterator[None]:
    """Raise UserError, which names the run, for what its model's files raise in the block."""
    try:
        yield
    except (MlflowException, OSError, ValueError) as error:
        raise UserError(
            f"run {run.info.run_id}: its model cannot be loaded ({first_line(error)})"
        ) from error
    except UserError as error:
        raise UserError(f"run {run.info.run_id}: its model is not loaded: {error}") from error


@contextmanager
def _running_its_code() -> Iterator[None]:
    """Raise ValueError for whatever the code that a model brings raises in the block."""
    try:
        yield
    except (MlflowException, OSError, ValueError, UserError):
        raise
    except (Exception, SystemExit) as error:
        raise ValueError(f"{type(error).__name__}: {first_line(error)}") from error


def _copy_for(model: LoggedModel) -> str | None:
    """Return a folder for a copy of the model's files if their path has a `%`, else None.

    MLflow would decode the `%` once too often. The folder stays until the process ends, because
    Python may import more of the model's code.
    """
    folder = local_path(model.artifact_location)
    if folder is None or "%" not in str(folder):
        return None
    copy = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    return copy


def _is_scored(run: Run) -> bool:
    """Return whether the run has a val/accuracy that is not of training images."""
    return _METRIC in run.data.metrics and run.data.params.get("data.eval_on_train") != "True"


def _rank(run: Run) -> tuple[bool, int, float]:
    """Return the order of runs on the same data, of which the highest is the best.

    It is how many images the run's val/accuracy is of, by its params, and the accuracy. The usual
    number of images comes before a larger one, which leaves fewer to train on.
    """
    limits = [run.data.params.get(f"data.{name}", "") for name in ("validation_size", "eval_limit")]
    counts = [int(limit) for limit in limits if limit.isdecimal() and len(limit) < 20]
    count = min(counts, default=0)
    return count == _USUAL_IMAGES, count, run.data.metrics[_METRIC]
