"""The step curve has about a hundred points, whose means are those of the steps between them."""

import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_exp import data
from mnist_exp.config.schema import Config
from mnist_exp.errors import NonFiniteCost
from mnist_exp.training import checkpoint, loop
from mnist_exp.training.loop import fit
from mnist_exp.training.program import Program, build_program
from mnist_exp.training.results import EpochResult, Progress, StepPoint, Sums
from mnist_exp.training.step_curve import StepCurve

Compose = Callable[..., Config]
# 43 steps an epoch, the last of 6 images.
SMALL = ("model=softmax", "schedule.batch_size=7")
# 165 steps with points at 1, 3, 4, 6, ... 42, 44 ... 85, 87 ...: no epoch ends at a point.
LONG = (*SMALL, "schedule.max_steps=165")


def points_of(results: list[EpochResult]) -> list[StepPoint]:
    return [point for result in results for point in result.step_points]


def train(config: Config, dataset: data.Dataset) -> list[EpochResult]:
    return list(fit(build_program(config, len(dataset.train)), dataset))


@given(st.integers(1, 10**7))
def test_points_are_spread_evenly_up_to_the_last_step(total: int) -> None:
    points = StepCurve(total).between(0, total + 1)
    gaps = np.diff([0, *points])
    assert len(points) == min(total, 100)
    assert points[-1] == total
    assert gaps.min() >= 1
    assert gaps.max() - gaps.min() <= 1


def test_points_between_two_steps_are_without_both() -> None:
    assert StepCurve(1000).between(10, 40) == [20, 30]


def test_each_step_is_a_point_if_they_are_few(settings: Compose, small_mnist: data.Dataset) -> None:
    """The points are then the costs of the batches: those of runs that end one step later each."""
    lengths = range(1, 6)
    runs = [
        train(settings(*SMALL, f"schedule.max_steps={steps}"), small_mnist) for steps in lengths
    ]
    sums = [0.0, *(result.cost * result.examples for (result,) in runs)]
    longest = points_of(runs[-1])
    assert [point.step for point in longest] == list(lengths)
    np.testing.assert_allclose([point.cost for point in longest], np.diff(sums) / 7, rtol=1e-12)


def test_means_between_points_make_up_the_epochs(
    settings: Compose, small_mnist: data.Dataset
) -> None:
    results = train(settings(*LONG), small_mnist)
    points = points_of(results)
    assert [point.step for point in points] == [i * 165 // 100 for i in range(1, 101)]
    ends = [0, *(point.step for point in points)]
    images = [300 * (step // 43) + 7 * (step % 43) for step in ends]
    weights = np.diff(images)
    whole = sum(result.cost * result.examples for result in results)
    assert np.dot([point.cost for point in points], weights) == pytest.approx(whole, rel=1e-12)
    right = np.dot([point.accuracy for point in points], weights)
    assert right == pytest.approx(sum(r.train_accuracy * r.examples for r in results), rel=1e-12)
    assert results[0].after_point != Sums()
    assert results[-1].after_point == Sums()


def test_number_of_calls_changes_no_point(
    settings: Compose, small_mnist: data.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = settings(*LONG)
    curves = []
    for seconds in (0.0, 1e9):  # one step a call, and as many as an epoch has
        monkeypatch.setattr(loop, "_SECONDS_PER_CALL", seconds)
        curves.append(points_of(train(config, small_mnist)))
    assert curves[0] == curves[1]


def stopped_at(program: Program, dataset: data.Dataset, step: int, folder: Path) -> None:
    """Train up to a step and leave a checkpoint, as a run does that is stopped there."""
    done: list[EpochResult] = []

    def on_progress(progress: Progress) -> None:
        if progress.step >= step:
            checkpoint.save(checkpoint.RunState.of(program, progress, tuple(done), {}), folder)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        done.extend(fit(program, dataset, on_progress=on_progress))


def gone_on(config: Config, dataset: data.Dataset, folder: Path) -> list[EpochResult]:
    """Return all epochs of a run that goes on from its checkpoint with this config."""
    state = checkpoint.load_newest(folder, lambda warning: None)
    assert state is not None
    program = build_program(config, len(dataset.train))
    state.restore(program)
    return [*state.results, *fit(program, dataset, start=state.progress)]


@pytest.mark.first_cases(2)
@pytest.mark.parametrize("stop", [1, 42, 43, 44, 88])
def test_a_run_that_goes_on_has_the_same_points(
    settings: Compose,
    small_mnist: data.Dataset,
    tmp_path: Path,
    stop: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop, "_SECONDS_PER_CALL", 0.0)  # so that it can be stopped at any step
    config = settings(*LONG)
    stopped_at(build_program(config, 300), small_mnist, stop, tmp_path)
    resumed = gone_on(config, small_mnist, tmp_path)
    assert points_of(resumed) == points_of(train(config, small_mnist))


def test_a_run_that_is_made_longer_goes_on_with_the_points_of_its_new_length(
    settings: Compose, small_mnist: data.Dataset, tmp_path: Path
) -> None:
    short, long = (settings(*SMALL, f"schedule.epochs={epochs}") for epochs in (2, 3))
    program = build_program(short, 300)
    before = list(fit(program, small_mnist))
    state = checkpoint.RunState.of(program, before[-1].progress, tuple(before), {})
    checkpoint.save(state, tmp_path)
    points = points_of(gone_on(long, small_mnist, tmp_path))
    kept, whole = points_of(before), points_of(train(long, small_mnist))
    assert [point.step for point in kept] == list(range(1, 87))
    assert points[:86] == kept
    assert points[86:] == [point for point in whole if point.step > 86]


def test_a_checkpoint_of_a_version_without_the_curve(
    settings: Compose, small_mnist: data.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first point is then the mean of the epoch so far."""
    monkeypatch.setattr(loop, "_SECONDS_PER_CALL", 0.0)
    config = settings(*SMALL, "schedule.epochs=2")
    stopped_at(build_program(config, 300), small_mnist, 50, tmp_path)
    (folder,) = tmp_path.glob("0*")
    plain = json.loads((folder / "state.json").read_text())
    for part in (plain["progress"], *plain["results"]):
        for name in {"step_points", "at_point", "after_point"} & set(part):
            del part[name]
    content = json.dumps(plain).encode()
    (folder / "state.json").write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["state.json"] = hashlib.sha256(content).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    points = points_of(gone_on(config, small_mnist, tmp_path))
    assert [point.step for point in points] == list(range(51, 87))


def test_a_cost_that_is_no_number_leaves_a_gap(
    settings: Compose, small_mnist: data.Dataset
) -> None:
    config = settings(
        *SMALL,
        "loss=cross_entropy_sum",
        "loss.from_probabilities=true",
        "optimizer=sgd",
        "optimizer.learning_rate=1000",
        "schedule.epochs=1",
    )
    results: list[EpochResult] = []
    with pytest.raises(NonFiniteCost):
        results.extend(fit(build_program(config, 300), small_mnist))
    (first,) = results
    assert [point.step for point in first.step_points] == [1]
    assert math.isfinite(first.step_points[0].cost)
