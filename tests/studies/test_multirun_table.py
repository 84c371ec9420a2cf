"""What a plain `-m` says when it has ended, however it ended."""

from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from benchmarks.fake_runs import FakeRuns
from mnist_exp.config.groups import use_folders
from mnist_exp.studies import multirun_table
from mnist_exp.training import checkpoint


def config(*overrides: str) -> DictConfig:
    """Return the part of a command's config that the table needs."""
    sources = [{"provider": "main", "path": "/x", "schema": "file"}]
    hydra: dict[str, Any] = {
        "sweeper": {"params": None},
        "overrides": {"task": list(overrides)},
        "runtime": {"config_sources": sources},
    }
    return OmegaConf.create({"hydra": hydra, "tracking": {"uri": None}})


def add(
    fake_runs: FakeRuns, job: int, accuracy: float, status: str = "FINISHED", **tags: str
) -> str:
    own = {"multirun": "mine", "multirun_job": str(job), **tags}
    run_id = fake_runs.add(job, accuracy, status=status, tags=own)
    fake_runs.client.log_metric(run_id, "val/accuracy", accuracy + 0.01)
    return run_id


def shown(capsys: pytest.CaptureFixture[str], *overrides: str) -> list[str]:
    multirun_table.show("mine", config(*overrides))
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    said = [line for line in lines if line.strip(" ─")]
    if COMPARE in said:
        assert said.pop().startswith("To see them: python -m mnist_exp.ui then open http://")
    return said


COMPARE = "To compare them: python -m mnist_exp.compare --filter \"tags.multirun = 'mine'\""
TAG = "+tags.multirun=mine"


def test_a_line_has_the_mean_over_seeds(
    fake_runs: FakeRuns, capsys: pytest.CaptureFixture[str]
) -> None:
    for job, accuracy in enumerate((0.8, 0.9, 0.5, 0.5)):
        add(fake_runs, job, accuracy)
    fake_runs.add(7, 0.1)  # another command's
    assert shown(capsys, "model=softmax,mlp", "seed=1,2", "schedule.epochs=3") == [
        "4 of 4 runs are done.",
        "model seeds validation accuracy (sd) test accuracy (sd)",
        "softmax 2 0.8600 (0.0707) 0.8500 (0.0707)",
        "mlp 2 0.5100 (0.0000) 0.5000 (0.0000)",
        COMPARE,
    ]


def test_without_seeds_a_line_is_a_run(
    fake_runs: FakeRuns, capsys: pytest.CaptureFixture[str]
) -> None:
    for job in (1, 0):
        add(fake_runs, job, 0.5 + job / 10)
    assert shown(capsys, "model=softmax", "'model.filters'=[1,2],[3,4]".replace("'", ""))[1:4] == [
        "model.filters validation accuracy test accuracy",
        "[1,2] 0.5100 0.5000",
        "[3,4] 0.6100 0.6000",
    ]


def test_what_did_not_end_well_has_its_reason_or_the_command_that_goes_on(
    fake_runs: FakeRuns, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    add(fake_runs, 0, 0.9)
    add(fake_runs, 1, 0.9, "FAILED", failure_reason="the cost became nan\nmore")
    stopped = add(fake_runs, 2, 0.9, "KILLED")
    monkeypatch.setattr(checkpoint, "known_runs", lambda: [stopped])
    add(fake_runs, 3, 0.9, "RUNNING")  # before its first checkpoint
    lines = shown(capsys, "model=mlp", "seed=1,2,3,4,5", "model.hidden_units=[8,8]")
    assert lines[0] == "1 of 5 runs is done."
    assert lines[-5:] == [
        "failed: model=mlp seed=2 model.hidden_units=[8,8] (the cost became nan)",
        f"stopped: python -m mnist_exp resume={stopped}",
        f"stopped: python -m mnist_exp model=mlp seed=4 'model.hidden_units=[8,8]' {TAG}",
        f"no run yet: python -m mnist_exp model=mlp seed=5 'model.hidden_units=[8,8]' {TAG}",
        COMPARE,
    ]


def test_every_run_that_is_left_has_its_command(
    fake_runs: FakeRuns, capsys: pytest.CaptureFixture[str]
) -> None:
    add(fake_runs, 0, 0.9)
    seeds = range(1, 151)
    lines = shown(capsys, f"seed={','.join(map(str, seeds))}")
    left = [f"no run yet: python -m mnist_exp seed={seed} {TAG}" for seed in seeds[1:]]
    assert lines[0] == "1 of 150 runs is done."
    assert lines[-150:] == [*left, COMPARE]


def test_options_of_ones_own_need_their_folder_again(
    fake_runs: FakeRuns, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = add(fake_runs, 0, 0.9, "KILLED")
    monkeypatch.setattr(checkpoint, "known_runs", lambda: [stopped])
    command = "python -m mnist_exp --config-dir 'my conf' experiment=mine"
    use_folders(["my conf"])
    assert shown(capsys, "experiment=mine", "seed=1,2")[1:] == [
        f"stopped: python -m mnist_exp --config-dir 'my conf' resume={stopped}",
        f"no run yet: {command} seed=2 {TAG}",
    ]


def test_nothing_is_said_of_no_runs_or_a_single_one(
    fake_runs: FakeRuns, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shown(capsys, "seed=1,2") == []
    add(fake_runs, 0, 0.9)
    assert shown(capsys, "seed=1") == []
