"""A run in a real store, which results are sent to."""

from pathlib import Path

import mlflow

from mnist_exp.tracking import delivery
from mnist_exp.tracking.operations import Metrics, Tag, Text
from mnist_exp.tracking.outbox import Outbox
from mnist_exp.tracking.unsent import pending


class StoredRun:
    """A run in a real store, with what stands between it and the run."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "mlflow.db"
        self.client = mlflow.MlflowClient(f"sqlite:///{self.file}")
        self.run_id = self.client.create_run("0").info.run_id
        self.warnings: list[str] = []
        self.outbox = Outbox(self.client, self.run_id, self.warnings.append)

    def send(self, steps: range) -> None:
        """A metric of each step, the tag of the newest step, and an artifact."""
        for step in steps:
            self.outbox.send(Metrics((("cost", step / 2, 1, step),)))
            self.outbox.send(Tag("newest", str(step)))
        self.outbox.send(Text(str(steps[-1]), "steps.txt"))

    def sync(self) -> None:
        for queue in pending():
            delivery.sync(queue, self.warnings.append)

    def check(self, steps: range) -> None:
        """Each metric once, the newest tag, the newest file, and no queue."""
        history = self.client.get_metric_history(self.run_id, "cost")
        assert sorted((m.step, m.value) for m in history) == [(step, step / 2) for step in steps]
        run = self.client.get_run(self.run_id)
        assert run.data.tags["newest"] == str(steps[-1])
        assert mlflow.artifacts.load_text(f"{run.info.artifact_uri}/steps.txt") == str(steps[-1])
        assert pending() == []
