"""What is written to a run."""

import shutil
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING
from unittest import mock

import mlflow
import pytest
from mlflow.tracking.context.git_context import GitRunContext

from mnist_exp import data
from mnist_exp.config.schema import ReferenceConfig
from mnist_exp.preflight.report import PreflightReport
from mnist_exp.serving import package, registry
from mnist_exp.tracking import operations, tracker
from mnist_exp.tracking.lifetime import track_run
from mnist_exp.tracking.outbox import Outbox
from mnist_exp.tracking.unsent import pending
from mnist_exp.training.results import EpochResult, Evaluation, StepPoint
from tests.support.jobs import a_job
from tests.support.results import an_epoch
from tests.support.runs import only_run
from tests.support.surroundings import free_port

if TYPE_CHECKING:
    import keras


def epoch(number: int, cost: float = 0.5) -> EpochResult:
    scores = Evaluation(cost=0.25, accuracy=0.75)
    points = ((number * 100, 0.5), (number * 100 + 50, 0.625))
    return an_epoch(
        number,
        step=number * 10,
        examples=100,
        cost=cost,
        train_accuracy=0.5,
        val=scores,
        test=scores,
        batch_accuracies=points,
        step_points=tuple(StepPoint(number * 10 - 9 + i, 1 / 3, 0.7) for i in range(10)),
        seconds=2.0,
    )


def a_model() -> "keras.Model":
    import keras

    images = keras.Input((28, 28, 1))
    return keras.Model(images, keras.layers.Dense(10)(keras.layers.Flatten()(images)))


def history(workdir: Path, run_id: str, name: str) -> list[tuple[int, float]]:
    client = mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")
    return sorted((metric.step, metric.value) for metric in client.get_metric_history(run_id, name))


def test_tags_are_set_in_one_call_as_far_as_mlflow_takes_them(
    workdir: Path, small_mnist: data.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    with track_run(a_job(dataset=small_mnist)) as run_tracker, monkeypatch.context() as patch:
        outbox = mock.Mock(wraps=run_tracker._outbox)
        patch.setattr(run_tracker, "_outbox", outbox)
        run_tracker.set_tags({"a": "b", "c": "d" * 10_000})
        run_tracker.set_tags({})
    assert outbox.send.call_count == 1
    tags = only_run(workdir).data.tags
    assert (tags["a"], tags["c"]) == ("b", "d" * 5000)


def test_params_tags_metrics_and_artifacts(workdir: Path, small_mnist: data.Dataset) -> None:
    reference = ReferenceConfig(source="a tutorial", cost=[0.4])
    job = a_job(
        "model=softmax", "seed=3", "+tags.course=ml", dataset=small_mnist, reference=reference
    )
    with track_run(job) as run_tracker:
        run_tracker.log_epoch(epoch(1))
        run_tracker.log_epoch(epoch(2))
        run_tracker.log_summary({"val/best_epoch": 2})
    run = only_run(workdir)
    assert (run.info.status, run.info.run_name) == ("FINISHED", "a_name")
    assert run.data.params["model"] == "softmax"
    assert run.data.params["optimizer.learning_rate"] == "0.001"
    assert run.data.params["data.train_limit"] == "None"
    tags = run.data.tags
    assert (tags["variant"], tags["seed"], tags["course"]) == ("a_variant", "3", "ml")
    assert tags["config_hash"] == job.settings.config.hash()
    assert len(tags["git.commit"]) == 40
    assert tags["git.dirty"] in ("true", "false")
    assert history(workdir, run.info.run_id, "train/cost") == [(1, 0.5), (2, 0.5)]
    assert history(workdir, run.info.run_id, "tutorial/cost") == [(1, 0.4)]
    assert history(workdir, run.info.run_id, "test/accuracy") == [(1, 0.75), (2, 0.75)]
    assert history(workdir, run.info.run_id, "train/batch_accuracy")[0] == (100, 0.5)
    assert history(workdir, run.info.run_id, "time/images_per_second") == [(1, 50.0), (2, 50.0)]
    used = [seconds for _, seconds in history(workdir, run.info.run_id, "time/processor_seconds")]
    assert len(used) == 2
    assert 0 < sum(used) <= time.process_time()
    contexts = {entry.tags[0].value: entry.dataset for entry in run.inputs.dataset_inputs}
    assert set(contexts) == {"train", "validation", "test"}
    assert contexts["test"].digest == small_mnist.test.digest[:32]
    files = {
        path.relative_to(workdir / "mlruns").as_posix().split("/artifacts/")[1]
        for path in (workdir / "mlruns").rglob("*")
        if path.is_file()
    }
    assert {
        "config/resolved.yaml",
        "config/overrides.yaml",
        "env/packages.txt",
        "env/hardware.json",
    } <= files


def test_preflight_without_a_finding_leaves_no_empty_tag(
    workdir: Path, small_mnist: data.Dataset
) -> None:
    with track_run(a_job("model=softmax", dataset=small_mnist)) as run_tracker:
        run_tracker.log_preflight(PreflightReport(findings=(), statistics={}, seconds=1.0))
    tags = only_run(workdir).data.tags
    assert tags["preflight"] == "ok"
    assert [key for key, text in tags.items() if not text] == []


def test_an_epoch_is_one_request_with_all_points_of_its_steps(
    workdir: Path, small_mnist: data.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An epoch that is logged again, after a resumption, adds nothing."""
    sent: list[operations.Operation] = []
    with track_run(a_job(dataset=small_mnist)) as run_tracker:
        original = Outbox.send

        def send(outbox: Outbox, operation: operations.Operation) -> None:
            sent.append(operation)
            original(outbox, operation)

        monkeypatch.setattr(Outbox, "send", send)
        for number in (1, 2, 1):
            run_tracker.log_epoch(epoch(number))
        monkeypatch.undo()
    assert [type(operation) for operation in sent] == [operations.Metrics] * 2
    run_id = only_run(workdir).info.run_id
    assert history(workdir, run_id, "train/step_cost") == [(step, 1 / 3) for step in range(1, 21)]
    assert history(workdir, run_id, "train/step_accuracy") == [(s, 0.7) for s in range(1, 21)]


@pytest.mark.parametrize("recorded", ["commit", "off"])
def test_what_the_store_is_given_of_the_code(
    workdir: Path, small_mnist: data.Dataset, monkeypatch: pytest.MonkeyPatch, recorded: str
) -> None:
    """By MLflow, too, which tells the address of the checkout's remote with all that it holds."""
    by_mlflow = {"commit": "a" * 40, "repoURL": "https://bob:hunter2@github.com/lab/x.git"}
    monkeypatch.setattr(GitRunContext, "in_context", lambda self: True)
    monkeypatch.setattr(
        GitRunContext,
        "tags",
        lambda self: {f"mlflow.source.git.{key}": text for key, text in by_mlflow.items()},
    )
    job = a_job(f"tracking.code={recorded}", dataset=small_mnist)
    with track_run(job) as run_tracker:
        run_tracker.log_model(a_model(), 7)
    tags = only_run(workdir).data.tags
    files = [path for path in (workdir / "mlruns").rglob("*") if path.is_file()]
    assert "git.diff" not in {path.name for path in files}
    assert "hunter2" not in str(tags)
    assert not any(b"hunter2" in path.read_bytes() for path in files)
    (model,) = mlflow.MlflowClient().search_logged_models([run_tracker.experiment_id])
    assert model.tags == {package.TAG: package.PICTURES}
    assert "github" in tags["mlflow.source.git.repoURL"] or recorded == "off"
    own = {"git.commit", "git.dirty"} & set(tags)
    assert own == ({"git.commit", "git.dirty"} if recorded == "commit" else set())
    assert tags["mlflow.source.git.commit"] == (
        "a" * 40 if recorded == "commit" else "not recorded"
    )


def test_removed_artifacts_are_missed(workdir: Path, small_mnist: data.Dataset) -> None:
    warnings: list[str] = []
    with track_run(a_job(dataset=small_mnist), warn=warnings.append) as run_tracker:
        shutil.rmtree(workdir / "mlruns")
        run_tracker.log_text("still here", "layers.txt")
    assert len(warnings) == 1
    assert (
        f"artifacts of run {run_tracker.run_id} were removed while it went on (config/"
        in warnings[0]
    )


def test_a_run_gone_on_with_by_other_code_names_both(
    workdir: Path, small_mnist: data.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    for code in ("a", "a", "b", "b", "a"):
        monkeypatch.setattr(tracker, "code_digest", lambda _, code=code: code)
        run_id = only_run(workdir).info.run_id if seen else None
        state = SimpleNamespace(record={"run_id": run_id}) if seen else None
        with track_run(a_job(dataset=small_mnist, state=state)):
            pass
        seen.append(only_run(workdir).data.tags["code_digest"])
    assert seen == ["a", "a", "a+b", "a+b", "a+b"]


def test_a_registry_that_refuses_costs_the_run_nothing_else(
    workdir: Path, small_mnist: data.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(
        "MLFLOW_REGISTRY_URI", f"http://127.0.0.1:{free_port()}"
    )  # nothing listens there
    warnings: list[str] = []
    with track_run(a_job(dataset=small_mnist), warn=warnings.append) as run_tracker:
        entry = registry.Entry(variant="v", accuracy=0.9, images=300)
        run_tracker.log_model(a_model(), 7, entry)
        run_tracker.log_summary({"val/best_epoch": 2})
    run = only_run(workdir)
    assert run.info.status == "FINISHED"
    assert run.data.metrics["val/best_epoch"] == 2
    assert [output.step for output in run.outputs.model_outputs] == [7]
    assert run.data.tags["not_registered"]
    assert [text[:39] for text in warnings] == ["the model is not in MLflow's registry: "]
    assert pending() == []
