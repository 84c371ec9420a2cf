"""Checkpoints are whole or not there, and restore a run to the last bit."""

import resource
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mnist_exp import data
from mnist_exp.config.schema import Config
from mnist_exp.errors import UserError
from mnist_exp.training import checkpoint
from mnist_exp.training.loop import fit
from mnist_exp.training.program import Program, build_program
from mnist_exp.training.results import EpochResult, Evaluation, Progress, StepPoint, Sums
from tests.support.results import an_epoch

Compose = Callable[..., Config]
RESULT = an_epoch(
    cost=0.1 + 0.2,
    val=Evaluation(1 / 3, 0.25),
    test=Evaluation(2 / 3, 0.75),
    batch_accuracies=((0, 0.1), (4, 0.7)),
    step_points=(StepPoint(4, 0.1 + 0.2, 1 / 3), StepPoint(5, 1 / 7, 0.5)),
    after_point=Sums(0.1 + 0.7, 2, 50),
)


def state(step: int, size: int = 10, evaluated: bool = True) -> checkpoint.RunState:
    weights = (np.arange(size, dtype=np.float32) + step, np.array([0.1], np.float32))
    progress = Progress(
        epoch=1,
        step=step,
        examples=50,
        cost_sum=0.1 + 0.2,
        correct=3,
        batch_accuracies=((0, 0.1),),
        step_points=(StepPoint(3, 0.1 + 0.2, 2 / 3),),
        at_point=Sums(0.1 + 0.2, -2, 10),
        evaluated=evaluated,
    )
    return checkpoint.RunState(
        progress=progress,
        results=(RESULT,),
        weights=weights,
        optimizer=(np.array(7, np.int64),),
        record={"run_id": "x"},
    )


def warnings_of(folder: Path) -> tuple[checkpoint.RunState | None, list[str]]:
    warnings: list[str] = []
    return checkpoint.load_newest(folder, warnings.append), warnings


def test_everything_comes_back_to_the_last_bit(tmp_path: Path) -> None:
    saved = state(5)
    checkpoint.save(saved, tmp_path)
    loaded, said = warnings_of(tmp_path)
    assert loaded is not None
    assert said == []
    assert (loaded.progress, loaded.results, loaded.record) == (
        saved.progress,
        saved.results,
        saved.record,
    )
    for ours, theirs in zip(
        (*loaded.weights, *loaded.optimizer), (*saved.weights, *saved.optimizer), strict=True
    ):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)


def test_the_last_two_are_kept(tmp_path: Path) -> None:
    for step in (5, 10, 15):
        checkpoint.save(state(step), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000000010.1", "000000015.1"]


def test_an_evaluated_epoch_is_newer_than_its_last_step(tmp_path: Path) -> None:
    checkpoint.save(state(10, evaluated=True), tmp_path)
    checkpoint.save(state(10, evaluated=False), tmp_path)
    loaded, _ = warnings_of(tmp_path)
    assert loaded is not None
    assert loaded.progress.evaluated


@pytest.mark.parametrize("name", ["arrays.npz", "state.json", "manifest.json"])
@pytest.mark.parametrize("damage", ["flip", "truncate", "remove"])
def test_a_damaged_newest_falls_back_with_a_warning(tmp_path: Path, name: str, damage: str) -> None:
    checkpoint.save(state(5), tmp_path)
    checkpoint.save(state(10), tmp_path)
    path = tmp_path / "000000010.1" / name
    raw = bytearray(path.read_bytes())
    if damage == "flip":
        raw[len(raw) // 2] ^= 1
        path.write_bytes(raw)
    elif damage == "truncate":
        path.write_bytes(raw[:-1])
    else:
        path.unlink()
    loaded, said = warnings_of(tmp_path)
    assert loaded is not None
    assert loaded.progress.step == 5
    assert len(said) == 1
    assert "000000010.1: damaged checkpoint" in said[0]
    assert said[0].endswith("; the one before it is used")
    (tmp_path / "000000005.1" / name).unlink()
    loaded, said = warnings_of(tmp_path)
    assert loaded is None
    assert said[1].endswith("; there is none before it")


def test_a_write_cut_short_is_not_a_checkpoint(tmp_path: Path) -> None:
    checkpoint.save(state(5), tmp_path)
    (tmp_path / "000000005.1").rename(tmp_path / "writing-123")
    assert warnings_of(tmp_path) == (None, [])
    checkpoint.save(state(10), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["000000010.1"]


@pytest.fixture
def small_files_only() -> Iterator[None]:
    """No file of this process may grow beyond 64 KiB, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (65536, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, ignored)


def test_a_full_disk_leaves_the_ones_before_intact(tmp_path: Path, small_files_only: None) -> None:
    checkpoint.save(state(5), tmp_path)
    with pytest.raises(
        UserError, match="checkpoint of step 10 cannot be written \\(File too large\\)"
    ):
        checkpoint.save(state(10, size=100_000), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["000000005.1"]
    loaded, said = warnings_of(tmp_path)
    assert loaded is not None
    assert said == []


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_restored_program_goes_on_bit_for_bit(
    settings: Compose, small_mnist: data.Dataset, tmp_path: Path, precision: str
) -> None:
    """Dropout, Adam, a smaller last batch, batch accuracies, and a stop at every single step."""
    config = settings(
        "model=mlp",
        "model.dropout=0.5",
        "schedule=cosine",
        "schedule.epochs=2",
        "schedule.batch_size=70",
        "schedule.train_accuracy_every=3",
        f"precision={precision}",
    )

    def final(program: Program) -> list[np.ndarray]:
        return [
            v.numpy()
            for v in (*program.model.weights, *program.optimizer.variables)
            if "seed" not in v.path
        ]

    whole, stopped = (build_program(config, 300) for _ in range(2))
    start = checkpoint.RunState.of(stopped, Progress(), (), {})
    expected = list(fit(whole, small_mnist))
    for stop in range(1, 10):
        start.restore(stopped)
        done: list[EpochResult] = []

        def on_progress(
            progress: Progress, stop: int = stop, done: list[EpochResult] = done
        ) -> None:
            if progress.step >= stop:
                checkpoint.save(
                    checkpoint.RunState.of(stopped, progress, tuple(done), {}), tmp_path
                )
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            done.extend(fit(stopped, small_mnist, on_progress=on_progress))
        loaded, _ = warnings_of(tmp_path)
        assert loaded is not None
        resumed = build_program(config, 300)
        loaded.restore(resumed)
        rest = fit(resumed, small_mnist, start=loaded.progress)
        results = [*loaded.results, *rest]
        assert [r.cost for r in results] == [r.cost for r in expected]
        assert [(r.val, r.test, r.batch_accuracies) for r in results] == [
            (r.val, r.test, r.batch_accuracies) for r in expected
        ]
        for ours, theirs in zip(final(resumed), final(whole), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_a_run_stopped_before_its_first_step(
    settings: Compose, small_mnist: data.Dataset, tmp_path: Path
) -> None:
    config = settings("model=softmax", "schedule.epochs=1")
    program = build_program(config, 300)
    checkpoint.save(checkpoint.RunState.of(program, Progress(), (), {}), tmp_path)
    (expected,) = fit(program, small_mnist)
    resumed = build_program(config, 300)
    loaded, _ = warnings_of(tmp_path)
    assert loaded is not None
    loaded.restore(resumed)
    (result,) = fit(resumed, small_mnist, start=loaded.progress)
    assert result.cost == expected.cost


def test_writer_spends_little_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clock = [0.0]
    saved: list[int] = []

    def save(state: checkpoint.RunState, folder: Path) -> None:
        clock[0] += 0.1  # what a checkpoint costs
        saved.append(state.progress.step)

    monkeypatch.setattr(checkpoint, "save", save)
    monkeypatch.setattr("mnist_exp.training.checkpoint.time.monotonic", lambda: clock[0])
    monkeypatch.setattr(
        checkpoint.RunState, "of", lambda program, progress, results, record: state(progress.step)
    )
    writer = checkpoint.Writer(None, tmp_path, 60, {})  # type: ignore[arg-type]
    for step in range(1000):  # an epoch a second
        clock[0] += 1
        writer.after_epoch(Progress(epoch=1, step=step), [])
    assert len(saved) * 0.1 <= 0.02 * clock[0]
    assert len(saved) > 100


def test_writer_inside_a_long_epoch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clock = [0.0]
    saved: list[int] = []
    monkeypatch.setattr(checkpoint, "save", lambda state, folder: saved.append(state.progress.step))
    monkeypatch.setattr("mnist_exp.training.checkpoint.time.monotonic", lambda: clock[0])
    monkeypatch.setattr(
        checkpoint.RunState, "of", lambda program, progress, results, record: state(progress.step)
    )
    writer = checkpoint.Writer(None, tmp_path, 60, {})  # type: ignore[arg-type]
    for step in range(300):
        clock[0] += 1
        writer.in_epoch(Progress(epoch=1, step=step), [])
    assert saved == [0, 60, 120, 180, 240]


def test_arrays_of_another_network_are_refused(
    settings: Compose, small_mnist: data.Dataset
) -> None:
    program = build_program(settings("model=softmax"), 300)
    other = build_program(settings("model=mlp", "model.hidden_units=[4]"), 300)
    record = {"run_id": "a"}
    of_other = checkpoint.RunState.of(other, Progress(), (), record)
    for state in (of_other, replace(of_other, weights=(np.zeros(3),), optimizer=())):
        with pytest.raises(
            UserError, match="resume=a: the arrays of its checkpoint are not those of the network"
        ):
            state.restore(program)
