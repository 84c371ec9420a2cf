"""Runs that go on: what they are then, and what is refused."""

import hashlib
import os
import shutil
import signal
from pathlib import Path

import mlflow
import pytest

from mnist_exp import run
from mnist_exp.errors import ConfigError, UserError
from mnist_exp.tracking.runs import Selection, Store
from mnist_exp.training import checkpoint
from tests.support.runs import NOT_FINITE, only_run

SMALL = [
    "preflight=off",
    "model=mlp",
    "model.hidden_units=[32]",
    "model.dropout=0.3",
    "data.train_limit=2000",
    "data.eval_limit=200",
]


def final_weights(run_id: str) -> str:
    """SHA-256 over weights and optimizer state of a run's last checkpoint in the current folder."""
    state = checkpoint.load_newest(checkpoint.run_folder(run_id), warn=print)
    assert state is not None
    digest = hashlib.sha256()
    for array in (*state.weights, *state.optimizer):
        digest.update(array.tobytes())
    return digest.hexdigest()


def histories(workdir: Path, run_id: str) -> dict[str, list[tuple[int, float]]]:
    """Every metric that depends on settings alone."""
    client = mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")
    names = [
        n for n in client.get_run(run_id).data.metrics if not n.startswith(("time/", "system/"))
    ]
    return {
        n: sorted((m.step, m.value) for m in client.get_metric_history(run_id, n)) for n in names
    }


def interrupt_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send this process a Ctrl-C once training has passed a step."""
    from mnist_exp.experiment.console import Reporter

    original = Reporter.progress

    def progress(self: Reporter, progress: object, seconds_left: float) -> None:
        original(self, progress, seconds_left)  # type: ignore[arg-type]
        if progress.step >= step:  # type: ignore[attr-defined]
            monkeypatch.setattr(Reporter, "progress", original)
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(Reporter, "progress", progress)


def test_interrupted_and_resumed_is_one_uninterrupted_run(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    overrides = [*SMALL, "schedule.epochs=3", "schedule.train_accuracy_every=7"]
    whole = run([*overrides, "tracking.experiment=whole"])
    interrupt_at(25, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        run(overrides)
    interrupted = only_run(workdir)
    assert interrupted.info.status == "KILLED"
    resumed = run([*overrides, "resume=auto"])
    tracked = only_run(workdir)
    assert resumed.run_id == tracked.info.run_id == interrupted.info.run_id
    assert tracked.info.status == "FINISHED"
    assert "failure_reason" not in tracked.data.tags
    assert histories(workdir, resumed.run_id) == histories(workdir, whole.run_id)
    assert final_weights(resumed.run_id) == final_weights(whole.run_id)


@pytest.mark.usefixtures("bare_runs")
def test_auto_starts_anew_where_nothing_is_unfinished(
    workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = run([*SMALL, "schedule.epochs=1"])
    said = "resume=auto: no unfinished run has these settings; a new run starts"
    assert said not in capsys.readouterr().out
    assert run([*SMALL, "schedule.epochs=1", "resume=auto"]).run_id != first.run_id
    assert capsys.readouterr().out.count(said) == 1


@pytest.mark.usefixtures("bare_runs")
def test_auto_takes_the_same_settings_and_seed_alone(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt_at(1, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        run([*SMALL, "schedule.epochs=1"])
    stopped = only_run(workdir).info.run_id
    assert run([*SMALL, "schedule.epochs=1", "resume=auto", "seed=1"]).run_id != stopped
    assert run([*SMALL, "schedule.epochs=1", "resume=auto", "optimizer=sgd"]).run_id != stopped
    assert run([*SMALL, "schedule.epochs=1", "resume=auto"]).run_id == stopped


@pytest.mark.usefixtures("bare_runs")
def test_a_run_that_is_resumed_at_its_end_has_a_test_score(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = run([*SMALL, "schedule.epochs=1", "tracking.experiment=whole"])
    interrupt_at(21, monkeypatch)  # in the second epoch
    with pytest.raises(KeyboardInterrupt):
        run([*SMALL, "schedule.epochs=2", "evaluate.test=end"])
    stopped = only_run(workdir)
    assert "test/accuracy" not in stopped.data.metrics
    ended = checkpoint.run_folder(stopped.info.run_id)
    shutil.rmtree(max(ended.iterdir(), key=lambda folder: folder.name))
    shorter = run([f"resume={stopped.info.run_id}", "schedule.epochs=1"])
    assert shorter.test_accuracy == whole.test_accuracy
    assert only_run(workdir).data.metrics["test/accuracy"] == whole.test_accuracy


@pytest.mark.usefixtures("bare_runs")
def test_a_finished_run_can_be_made_longer(workdir: Path) -> None:
    whole = run([*SMALL, "schedule.epochs=3", "tracking.experiment=whole"])
    short = run([*SMALL, "schedule.epochs=1"])
    longer = run(
        [f"resume={short.run_id}", "schedule.epochs=3", "preflight=error", "variant=longer"]
    )
    assert longer.run_id == short.run_id
    assert [epoch.cost for epoch in longer.epochs] == [epoch.cost for epoch in whole.epochs]
    assert final_weights(longer.run_id) == final_weights(whole.run_id)
    steps = [step for step, _ in histories(workdir, short.run_id)["train/cost"]]
    assert steps == [1, 2, 3]
    # Each of the 60 steps is a point, because they are fewer than a hundred.
    points = histories(workdir, short.run_id)["train/step_cost"]
    assert [step for step, _ in points] == list(range(1, 61))
    assert points == histories(workdir, whole.run_id)["train/step_cost"]
    assert only_run(workdir).data.params["schedule.epochs"] == "1"  # which MLflow never changes
    read = Store().select(Selection(run_ids=(short.run_id, whole.run_id))).params
    assert set(read["schedule.epochs"]) == {"3"}
    assert set(read["schedule.max_steps"]) == {"None"}


@pytest.mark.usefixtures("bare_runs")
def test_refusals(workdir: Path) -> None:
    done = run([*SMALL, "schedule.epochs=1"])
    with pytest.raises(UserError, match="has done 20 steps, and schedule asks for 20"):
        run([f"resume={done.run_id}"])
    with pytest.raises(UserError, match="model.dropout was 0.3 and is now 0.1"):
        run([f"resume={done.run_id}", "model.dropout=0.1", "schedule.epochs=2"])
    with pytest.raises(
        ConfigError, match=f"resume=nothing: no checkpoint of that run.*\n.*{done.run_id}"
    ):
        run(["resume=nothing"])
    partial = run([*SMALL, "schedule.max_steps=5"])
    with pytest.raises(UserError, match="ended inside epoch 1, at step 5"):
        run([f"resume={partial.run_id}", "schedule.max_steps=50"])
    cosine = run([*SMALL, "schedule=cosine", "schedule.epochs=1"])
    with pytest.raises(UserError, match="schedule.kind=cosine spreads the learning rate"):
        run([f"resume={cosine.run_id}", "schedule.epochs=2"])
    for manifest in checkpoint.run_folder(done.run_id).glob("*/manifest.json"):
        manifest.write_text("{}")
    with pytest.raises(UserError, match=f"resume={done.run_id}: no checkpoint in .* can be used$"):
        run([f"resume={done.run_id}", "schedule.epochs=2"])


@pytest.mark.usefixtures("bare_runs")
def test_a_run_is_locked_from_when_it_is_found(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process that comes between the look and the training must not reopen the run."""
    from mnist_exp.training import startup

    done = run([*SMALL, "schedule.epochs=1"])
    seen: list[bool] = []
    original = startup.import_tensorflow

    def look(*arguments: object) -> None:
        seen.append(checkpoint.is_in_use(checkpoint.run_folder(done.run_id)))
        with pytest.raises(
            UserError, match=f"resume={done.run_id}: another process is training that run"
        ):
            run([f"resume={done.run_id}", "schedule.epochs=2"])
        original(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(startup, "import_tensorflow", look)
    run([f"resume={done.run_id}", "schedule.epochs=2"])
    assert seen == [True]
    assert only_run(workdir).info.status == "FINISHED"
    assert "failure_reason" not in only_run(workdir).data.tags
    assert not checkpoint.is_in_use(checkpoint.run_folder(done.run_id))


@pytest.mark.usefixtures("bare_runs")
def test_a_run_that_the_store_does_not_have_is_not_gone_on_with(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was deleted in the UI, or is in another store.

    `auto` begins anew, an id is refused; nothing is trained in vain.
    """
    overrides = [*SMALL, "schedule.epochs=1"]
    interrupt_at(1, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        run(overrides)
    stopped = only_run(workdir).info.run_id
    client = mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")
    client.delete_run(stopped)
    with pytest.raises(
        UserError, match=rf"resume={stopped}: run {stopped} was deleted: `\S+ mlflow runs restore"
    ):
        run([f"resume={stopped}"])
    capsys.readouterr()
    anew = run([*overrides, "resume=auto"])
    assert anew.run_id != stopped
    assert f"warning: resume=auto: run {stopped} was deleted" in capsys.readouterr().out
    (workdir / "other").mkdir()
    elsewhere = f"tracking.uri=sqlite:///{workdir}/other/mlflow.db"
    (workdir / "other" / "mlflow.db").write_bytes((workdir / "mlflow.db").read_bytes())
    other = mlflow.MlflowClient(elsewhere.removeprefix("tracking.uri="))
    other.restore_run(stopped)
    assert run([*overrides, "resume=auto", elsewhere]).run_id == stopped
    client.restore_run(stopped)


@pytest.mark.usefixtures("bare_runs")
def test_a_run_goes_on_in_its_experiment_and_records_no_more_of_the_code_than_it_did(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if the experiment of other runs is in the trash."""
    client = mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")
    client.delete_experiment(client.create_experiment("mnist_exp"))
    interrupt_at(1, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        run([*SMALL, "schedule.epochs=1", "tracking.experiment=mine", "tracking.code=off"])
    (mine,) = (e for e in client.search_experiments() if e.name == "mine")
    (stopped,) = client.search_runs([mine.experiment_id])
    before = dict(stopped.data.tags)
    run([f"resume={stopped.info.run_id}"])
    (ended,) = client.search_runs([mine.experiment_id])
    assert ended.info.status == "FINISHED"
    of_code = [key for key in ended.data.tags if "git" in key]
    assert {key: ended.data.tags[key] for key in of_code} == {
        key: text for key, text in before.items() if "git" in key
    }
    resolved = mlflow.artifacts.load_text(f"{ended.info.artifact_uri}/config/resolved.yaml")
    assert "experiment: mine" in resolved
    assert "code: 'off'" in resolved or 'code: "off"' in resolved


@pytest.mark.first_cases(1)
@pytest.mark.usefixtures("bare_runs")
@pytest.mark.parametrize("checkpoint_is_old", [False, True])
def test_changed_data_is_refused(
    workdir: Path, idx_folder: Path, monkeypatch: pytest.MonkeyPatch, checkpoint_is_old: bool
) -> None:
    """The digest in the checkpoint decides, or the run's if an older version wrote it."""
    if checkpoint_is_old:
        from mnist_exp.experiment import resume

        recorded = resume.record
        monkeypatch.setattr(
            resume,
            "record",
            lambda *a: {key: value for key, value in recorded(*a).items() if key != "data_digest"},
        )
    overrides = [
        "preflight=off",
        "model=softmax",
        "schedule.epochs=3",
        "data.validation_size=50",
        f"data.dir={idx_folder}",
    ]
    interrupt_at(1, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        run(overrides)
    before = only_run(workdir)
    labels = idx_folder / "train-labels-idx1-ubyte"
    content = labels.read_bytes()
    labels.write_bytes(content[:-1] + bytes([(content[-1] + 1) % 10]))
    digest = before.data.tags["data.digest"]
    for resumed in ([f"resume={before.info.run_id}"], [*overrides, "resume=auto"]):
        with pytest.raises(
            UserError, match=rf"the data .* its digest was {digest} and is now [0-9a-f]{{64}}"
        ):
            run(resumed)
    after = only_run(workdir)
    assert (after.info.status, after.data.tags) == (before.info.status, before.data.tags)
    labels.write_bytes(content)
    assert run([*overrides, "resume=auto"]).run_id == before.info.run_id


@pytest.mark.usefixtures("bare_runs")
def test_what_an_interrupted_run_says(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    interrupt_at(25, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        run([*SMALL, "schedule.epochs=3"])
    run_id = only_run(workdir).info.run_id
    last = capsys.readouterr().out.strip().splitlines()[-2:]
    state = checkpoint.load_newest(checkpoint.run_folder(run_id), warn=print)
    assert state is not None
    where = f"in epoch {state.progress.epoch}, at step {state.progress.step}"
    assert last == [
        f"Interrupted; a checkpoint of run {run_id} is saved {where}.",
        f"To go on: run(['resume={run_id}'])",
    ]


@pytest.mark.usefixtures("bare_runs")
def test_damaged_newest_checkpoint_costs_a_warning(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    overrides = [*SMALL, "schedule.epochs=3", "checkpoint.every_seconds=0.001"]
    monkeypatch.setattr(checkpoint, "_SHARE", 0)
    whole = run([*overrides, "tracking.experiment=whole"])
    interrupt_at(45, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        run(overrides)
    folder = checkpoint.run_folder(only_run(workdir).info.run_id)
    newest = max(folder.glob("0*")) / "arrays.npz"
    newest.write_bytes(newest.read_bytes()[:-10])
    resumed = run([*overrides, "resume=auto"])
    assert "damaged checkpoint" in capsys.readouterr().out
    assert final_weights(resumed.run_id) == final_weights(whole.run_id)
    assert histories(workdir, resumed.run_id) == histories(workdir, whole.run_id)


@pytest.mark.usefixtures("bare_runs")
def test_nan_is_not_resumed(workdir: Path) -> None:
    for _ in range(2):
        with pytest.raises(UserError, match="the cost became nan in epoch 1"):
            run([*NOT_FINITE, "resume=auto"])
    client = mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")
    runs = client.search_runs(["1"])
    assert [tracked.info.status for tracked in runs] == ["FAILED", "FAILED"]
