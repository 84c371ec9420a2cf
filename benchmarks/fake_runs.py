"""Runs in an MLflow store as the harness logs them, without training: for `compare`."""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import mlflow
import numpy as np
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag

_CONTEXT = "mlflow.data.context"
SETTINGS = {
    "model": "softmax",
    "loss": "cross_entropy",
    "init": "zeros",
    "optimizer": "sgd",
    "optimizer.learning_rate": "0.01",
    "data.dir": "None",
    "tracking.uri": "None",
}


class FakeRuns:
    """A writer of runs into the store of a folder."""

    def __init__(self, folder: Path, experiment: str = "mnist_exp") -> None:
        self.folder = folder
        self.client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")
        found = self.client.get_experiment_by_name(experiment)
        self.experiment = (
            self.client.create_experiment(
                experiment, artifact_location=str(folder / "mlruns" / experiment)
            )
            if found is None
            else found.experiment_id
        )

    def add(
        self,
        seed: int | None,
        accuracies: Sequence[float] | float,
        *,
        settings: Mapping[str, str] | None = None,
        status: str = "FINISHED",
        tags: Mapping[str, str] | None = None,
        costs: Sequence[float] = (),
        predictions: Mapping[str, np.ndarray] | None = None,
        packages: str = "numpy==2.4.6\n",
        images: Mapping[str, str] | None = None,
        **metrics: float,
    ) -> str:
        """Add a run and return its id.

        `accuracies` are those of the test images, after each epoch or after a single one.
        `settings` are added to SETTINGS. `images` are digests, by what the images are for.
        """
        params = SETTINGS | dict(settings or {})
        config = json.dumps(params, sort_keys=True)
        values = [accuracies] if isinstance(accuracies, float | int) else list(accuracies)
        now = int(time.time() * 1000)
        points = [Metric("test/accuracy", v, now, i + 1) for i, v in enumerate(values)]
        points += [Metric("train/cost", v, now, i + 1) for i, v in enumerate(costs)]
        points += [Metric(name, v, now, 1) for name, v in metrics.items()]
        own = {"config_hash": f"{hash(config) & 0xFFFFFFFFFFFF:012x}", "git.commit": "c" * 40}
        if seed is not None:
            own["seed"] = params["seed"] = str(seed)
        name = f"{params['model']}-{params['optimizer']}-s{seed}"
        run = self.client.create_run(self.experiment, run_name=name)
        self.client.log_batch(
            run.info.run_id,
            metrics=points,
            params=[Param(key, value) for key, value in params.items()],
            tags=[RunTag(key, value) for key, value in (own | dict(tags or {})).items()],
        )
        inputs = [
            DatasetInput(Dataset("custom", digest, "code", "{}"), [InputTag(_CONTEXT, context)])
            for context, digest in (images or {}).items()
        ]
        self.client.log_inputs(run.info.run_id, inputs)
        folder = Path(run.info.artifact_uri)
        (folder / "env").mkdir(parents=True)
        (folder / "env" / "packages.txt").write_text(packages)
        (folder / "env" / "hardware.json").write_text(
            json.dumps({"cpu": "a processor", "cores": 2})
        )
        if predictions is not None:
            (folder / "predictions").mkdir()
            np.savez(folder / "predictions" / "test.npz", **predictions)  # type: ignore[arg-type]
        if status != "RUNNING":
            self.client.set_terminated(run.info.run_id, status)
        return str(run.info.run_id)

    def study(self, name: str) -> str:
        """Add the parent run of a study and return its id."""
        tags = {"study_name": name, "study_role": "study"}
        run = self.client.create_run(self.experiment, run_name=name, tags=tags)
        self.client.set_terminated(run.info.run_id)
        return str(run.info.run_id)


def trial(study: str, number: int, keys: str, state: str = "COMPLETE") -> dict[str, str]:
    """Return the tags of a study's trial."""
    return {
        "study_name": study,
        "study_role": "trial",
        "trial_number": str(number),
        "trial_state": state,
        "sweep.keys": keys,
    }


def predicted(
    labels: np.ndarray,
    wrong: Sequence[int] | np.ndarray,
    shift: int = 1,
    class_names: Sequence[str] = (),
) -> dict[str, np.ndarray]:
    """Return predictions as a run logs them.

    All are right except those of the images `wrong`, which are `shift` classes too high (modulo
    their number). Without `class_names` they are of ten classes, as an earlier run logged them.
    """
    classes = len(class_names) or 10
    prediction = labels.astype(np.int64).copy()
    prediction[list(wrong)] = (prediction[list(wrong)] + shift) % classes
    probability = np.full((len(labels), classes), 0.1 / classes, np.float32)
    probability[np.arange(len(labels)), prediction] += 0.9
    names = {"class_names": np.array(class_names)} if class_names else {}
    return {"label": labels, "prediction": prediction, "probability": probability, **names}
