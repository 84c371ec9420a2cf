"""Runs that other programs make, each in its own way, in the store of a folder."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import mlflow
import numpy as np
from mlflow.entities import Metric, Param

Result = tuple[str, float, int, float]  # model, learning rate, seed, accuracy
ACCURACY = {"cnn": 0.95, "mlp": 0.92}


def results(seeds: Sequence[int] = range(5)) -> list[Result]:
    """The last accuracy of two models, with two learning rates and these seeds."""
    rng = np.random.default_rng(len(seeds))
    return [
        (model, rate, seed, round(mean + rate / 100 + rng.normal(0, 0.004), 4))
        for model, mean in ACCURACY.items()
        for rate in (0.1, 0.01)
        for seed in seeds
    ]


def course(last: float) -> Iterator[tuple[int, float]]:
    """The accuracy after each of three epochs."""
    return enumerate((last - 0.2, last - 0.1, last))


class Foreign:
    """A writer of other programs' runs."""

    def __init__(self, folder: Path) -> None:
        self.client = mlflow.MlflowClient(f"sqlite:///{folder}/mlflow.db")

    def experiment(self, name: str) -> str:
        found = self.client.get_experiment_by_name(name)
        return str(found.experiment_id if found else self.client.create_experiment(name))

    def log(
        self,
        name: str,
        params: Mapping[str, object],
        metrics: Mapping[str, Sequence[float] | float] | None = None,
        parent: str | None = None,
        **tags: str,
    ) -> str:
        """Log a run as `mlflow.log_param` and `log_metric` do, and return its id."""
        given = tags | ({} if parent is None else {"mlflow.parentRunId": parent})
        run = self.client.create_run(self.experiment(name), tags=given)
        points = [
            Metric(key, value, 0, step)
            for key, values in (metrics or {}).items()
            for step, value in enumerate([values] if isinstance(values, float) else values)
        ]
        texts = [Param(key, str(value)) for key, value in params.items()]
        self.client.log_batch(run.info.run_id, metrics=points, params=texts)
        self.client.set_terminated(run.info.run_id)
        return str(run.info.run_id)

    def nested(self, name: str) -> None:
        """A loop over settings with a run each, in which a loop over seeds has runs of its own.

        The outer run logs the settings and the mean, an inner one the seed and its accuracy.
        """
        found = results()
        for model, rate in dict.fromkeys((model, rate) for model, rate, _, _ in found):
            own = [(s, value) for m, r, s, value in found if (m, r) == (model, rate)]
            mean = float(np.mean([value for _, value in own]))
            settings: dict[str, object] = {"model": model, "lr": rate}
            parent = self.log(name, settings, {"val_acc": mean})
            for seed, value in own:
                accuracies = [accuracy for _, accuracy in course(value)]
                self.log(name, {"random_state": seed}, {"val_acc": accuracies}, parent)

    def lightning(self, name: str) -> None:
        """As the MLFlowLogger of Lightning 2.6 logs `save_hyperparameters` and `self.log`.

        Nested hyperparameters have slashes, and metrics are beside the epoch, by training step.
        """
        for model, rate, seed, value in results():
            params = {"model/name": model, "optimizer/lr": rate, "data/workers": 2}
            accuracies = [accuracy for _, accuracy in course(value)]
            self.log(
                name,
                {**params, "trainer/seed": seed, "trainer/root_dir": f"/tmp/logs/version_{seed}"},
                {"val_acc": accuracies, "epoch": [0.0, 1.0, 2.0]},
                **{"mlflow.runName": f"bold-owl-{seed}"},
            )

    def without_seeds(self, name: str, **more: object) -> None:
        """A script that logs each run with `more` settings, but not its seed."""
        for model, rate, _, value in results():
            self.log(name, {"model": model, "lr": rate, **more}, {"accuracy": value})


def hydraflow(folder: Path, name: str) -> None:
    """As HydraFlow 0.14 logs a Hydra config: a param for each leaf, and `.hydra` beside it."""
    writer = Foreign(folder)
    for model, rate, seed, value in results():
        params: dict[str, object] = {"model": model, "layers": [64, 32], "optim.name": "adam"}
        accuracies = [accuracy for _, accuracy in course(value)]
        run_id = writer.log(
            name, params | {"optim.lr": rate, "seed": seed}, {"val_acc": accuracies}
        )
        config = (
            f"model: {model}\nlayers: [64, 32]\noptim: {{name: adam, lr: {rate}}}\nseed: {seed}\n"
        )
        writer.client.log_text(run_id, config, ".hydra/config.yaml")
        writer.client.log_text(run_id, f"- model={model}\n- seed={seed}\n", ".hydra/overrides.yaml")


def table(file: Path, separator: str = ",", decimal: str = ".", encoding: str = "utf-8") -> None:
    """A table as W&B exports it: a name, state and time of each run, settings, and results."""
    rng = np.random.default_rng(0)
    with file.open("w", encoding=encoding, newline="") as opened:
        writer = csv.writer(opened, delimiter=separator)
        writer.writerow(
            ["Name", "State", "Created", "model", "lr", "seed", "Größe", "val_acc", "val_loss"]
        )
        for i, (model, rate, seed, value) in enumerate(results()):
            numbers = [rate, value, round(1 - value + rng.normal(0, 0.01), 6)]
            lr, accuracy, loss = (str(number).replace(".", decimal) for number in numbers)
            created = f"2026-03-01T10:{i:02}:00.000Z"
            writer.writerow(
                [f"owl-{i}", "finished", created, model, lr, seed, "28 px", accuracy, loss]
            )
