"""Which runs of a store count, and which of them are gone on with."""

from pathlib import Path

import pytest

from benchmarks.fake_runs import FakeRuns, trial
from mnist_exp.errors import UserError
from mnist_exp.reproduce import runs
from mnist_exp.reproduce.completing import complete_runs
from mnist_exp.reproduce.presets import PRESETS
from mnist_exp.tracking.code_digest import code_digest
from mnist_exp.tracking.runs import Store
from mnist_exp.training import checkpoint

NAME = "notebook_softmax"


@pytest.fixture
def preset() -> runs.Preset:
    return runs.preset(NAME)


def tags(preset: runs.Preset, **more: str) -> dict[str, str]:
    own = {"config_hash": preset.settings.config.hash(), "code_digest": code_digest()}
    return own | more


def test_finished_runs_of_the_same_config_and_code_count(
    workdir: Path, preset: runs.Preset
) -> None:
    store = FakeRuns(workdir)
    store.add(0, 0.90, tags=tags(preset))
    newest = store.add(0, 0.91, tags=tags(preset))
    of_study = store.add(1, 0.92, tags=tags(preset) | trial("variants", 3, "seed"))
    store.add(2, 0.5, tags=tags(preset, code_digest="other"))
    store.add(2, 0.5, tags=tags(preset, config_hash="other"))
    store.add(2, 0.5, tags=tags(preset, rerun_of=newest))
    store.add(
        3, 0.5, tags=tags(preset, failure_reason="NonFiniteCost: it became nan"), status="FAILED"
    )
    store.add(4, 0.5, tags=tags(preset), status="RUNNING")
    store.add(5, 0.5, tags=tags(preset))
    preset_runs = runs.find(Store(), preset, range(5))
    assert preset_runs.run_ids == {0: newest, 1: of_study}
    assert preset_runs.accuracies == {0: 0.91, 1: 0.92}
    assert preset_runs.missing[2] == "no run"
    assert preset_runs.missing[3].startswith("failed (run ")
    assert "it became nan" in preset_runs.missing[3]
    assert preset_runs.missing[4].startswith("running")


def test_a_rerun_alone_does_not_count(workdir: Path, preset: runs.Preset) -> None:
    FakeRuns(workdir).add(0, 0.9, tags=tags(preset, rerun_of="x"))
    assert runs.find(Store(), preset, range(1)).missing == {0: "no run"}


def test_a_finished_run_without_the_metric_does_not_count(
    workdir: Path, preset: runs.Preset
) -> None:
    FakeRuns(workdir).add(0, [], tags=tags(preset))
    found = runs.find(Store(), preset, range(1))
    assert not found.run_ids
    assert found.missing[0].startswith("finished (run ")


def test_an_empty_store(workdir: Path, preset: runs.Preset) -> None:
    FakeRuns(workdir)
    assert runs.find(Store(), preset, range(2), {1: "failed: why"}).missing == {
        0: "no run",
        1: "failed: why",
    }


def test_the_time_of_a_run_is_the_sum_of_its_epochs(workdir: Path, preset: runs.Preset) -> None:
    store = FakeRuns(workdir)
    run_id = store.add(0, 0.9, tags=tags(preset))
    for epoch, seconds in enumerate([2.5, 1.5], start=1):
        store.client.log_metric(run_id, "time/epoch_seconds", seconds, step=epoch)
    preset_runs = runs.find(Store(), preset, range(1))
    assert runs.training_seconds(Store(), preset_runs) == {0: 4.0}


def test_a_run_that_fails_does_not_stop_the_others(
    workdir: Path, preset: runs.Preset, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mnist_exp.experiment import runner

    def fail(error: Exception) -> object:
        def run_experiment(settings: object) -> None:
            raise error

        return run_experiment

    messages: list[str] = []
    preset_runs = runs.PresetRuns(preset=preset, missing={0: "no run"})
    monkeypatch.setattr(runner, "run_experiment", fail(ValueError("out of\nluck")))
    assert runs.train(preset_runs, 0, messages.append) == "failed: out of"
    assert len(messages) == 1
    monkeypatch.setattr(runner, "run_experiment", fail(UserError("no such store")))
    with pytest.raises(UserError, match="no such store"):
        runs.train(preset_runs, 0, messages.append)


def test_a_run_that_another_process_trains_is_left_to_it(
    workdir: Path, preset: runs.Preset
) -> None:
    run_id = FakeRuns(workdir).add(0, 0.5, tags=tags(preset), status="RUNNING")
    folder = checkpoint.run_folder(run_id)
    (folder / "000000001.0").mkdir(parents=True)
    preset_runs = runs.find(Store(), preset, range(1))
    with checkpoint.alone(folder):
        assert runs.train(preset_runs, 0, print) == "another process is training it"


def test_quick_changes_only_what_takes_long() -> None:
    for name in PRESETS:
        whole, short = runs.preset(name), runs.preset(name, quick=True)
        assert not whole.shortened
        same = whole.settings.config.hash() == short.settings.config.hash()
        assert same != short.shortened == ("cnn" in name)


def test_a_store_of_any_name() -> None:
    """Hydra reads commas, brackets and parentheses in an override's value."""
    uri = "sqlite:////tmp/my runs (2)/a,b[c]/x.db"
    assert runs.preset("blog_cnn3x3", quick=True, uri=uri).settings.config.tracking.uri == uri


def test_what_another_command_trains_meanwhile_is_not_trained_again(
    workdir: Path, preset: runs.Preset, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, trained = FakeRuns(workdir), []

    def train(missing: runs.PresetRuns, seed: int, say: object) -> None:
        trained.append(seed)
        for own_or_other in (seed, seed + 1):
            store.add(own_or_other, 0.9, tags=tags(preset))

    monkeypatch.setattr(runs, "train", train)
    (found,) = complete_runs(None, [(preset, range(4))])
    assert trained == [0, 2]
    assert sorted(found.run_ids) == [0, 1, 2, 3]
