import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from mnist_exp import data
from mnist_exp.config.schema import Config
from mnist_exp.errors import NonFiniteCost
from mnist_exp.training import loop, results, seeds
from mnist_exp.training.loop import fit
from mnist_exp.training.program import (
    Totals,
    build_program,
    evaluate,
    predict_probabilities,
    to_float,
)
from mnist_exp.training.results import EpochResult, Progress

Compose = Callable[..., Config]


def train(
    config: Config, dataset: data.Dataset, **options: object
) -> tuple[list[EpochResult], list[np.ndarray]]:
    program = build_program(config, len(dataset.train))
    results = list(fit(program, dataset, **options))  # type: ignore[arg-type]
    return results, [variable.numpy() for variable in program.model.trainable_variables]


def without_time(results: list[EpochResult]) -> list[EpochResult]:
    return [replace(result, seconds=0.0) for result in results]


def test_pixels_are_exact_fractions() -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 256)
    converted = tf.function(to_float)(tf.constant(pixels)).numpy()
    np.testing.assert_array_equal(converted, pixels.astype(np.float32) / np.float32(255))


@pytest.mark.parametrize("model", ["softmax", "cnn3x3", "cnn5x5"])
def test_same_seed_gives_the_same_bits(
    settings: Compose, small_mnist: data.Dataset, model: str
) -> None:
    config = settings(f"model={model}", "schedule.epochs=2", "schedule.batch_size=64", "seed=7")
    first, first_weights = train(config, small_mnist)
    second, second_weights = train(config, small_mnist)
    assert without_time(first) == without_time(second)
    for one, other in zip(first_weights, second_weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_other_seed_gives_other_results(settings: Compose, small_mnist: data.Dataset) -> None:
    base = [
        "model=softmax",
        "init=zeros",
        "schedule.epochs=1",
    ]  # the same weights; the order differs
    (one,), _ = train(settings(*base, "seed=0"), small_mnist)
    (other,), _ = train(settings(*base, "seed=1"), small_mnist)
    assert one.cost != other.cost


def test_number_of_calls_changes_no_digit(
    settings: Compose, small_mnist: data.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = settings("model=softmax", "schedule.epochs=2", "schedule.batch_size=10")
    monkeypatch.setattr(loop, "_SECONDS_PER_CALL", 0.0)  # one step a call
    slow, slow_weights = train(config, small_mnist)
    monkeypatch.setattr(loop, "_SECONDS_PER_CALL", 1e9)
    fast, fast_weights = train(config, small_mnist)
    assert without_time(slow) == without_time(fast)
    np.testing.assert_array_equal(slow_weights[0], fast_weights[0])


@pytest.mark.parametrize("batch_size", [50, 64, 299, 300, 1000])
def test_every_example_once_an_epoch(
    settings: Compose, small_mnist: data.Dataset, batch_size: int
) -> None:
    """The epoch's cost is that of the split if the rate is too small to change a weight."""
    config = settings(
        "model=softmax",
        "schedule.epochs=1",
        f"schedule.batch_size={batch_size}",
        "optimizer=sgd",
        "optimizer.learning_rate=1e-30",
    )
    program = build_program(config, 300)
    (result,) = fit(program, small_mnist)
    whole = evaluate(program, small_mnist.train)
    assert result.examples == 300
    assert result.complete
    assert result.step == math.ceil(300 / batch_size)
    assert result.cost == pytest.approx(whole.cost, rel=1e-6)
    assert result.train_accuracy == whole.accuracy


def test_max_steps_ends_inside_an_epoch(settings: Compose, small_mnist: data.Dataset) -> None:
    config = settings("model=softmax", "schedule.max_steps=7", "schedule.batch_size=60")
    first, second = train(config, small_mnist)[0]
    assert (first.step, first.examples, first.complete) == (5, 300, True)
    assert (second.step, second.examples, second.complete) == (7, 120, False)


def test_epochs_and_max_steps_end_at_the_smaller(settings: Compose) -> None:
    assert settings("schedule.epochs=2", "schedule.max_steps=500").schedule.total_steps(1000) == 20
    assert settings("schedule.epochs=2", "schedule.max_steps=15").schedule.total_steps(1000) == 15


def test_evaluation_uses_every_example(settings: Compose, mnist: data.Dataset) -> None:
    """1,234 examples do not divide into evaluation batches."""
    program = build_program(settings("model=softmax"), 100)
    split = mnist.test.first(1234)
    kernel, bias = program.model.get_weights()
    logits = split.images.reshape(1234, 784).astype(np.float64) / 255 @ kernel + bias
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_likelihood = shifted[np.arange(1234), split.labels] - np.log(np.exp(shifted).sum(axis=1))
    found = evaluate(program, split)
    assert found.cost == pytest.approx(-log_likelihood.mean(), rel=1e-5)
    assert found.accuracy == (logits.argmax(axis=1) == split.labels).mean()


def test_probabilities_in_the_order_of_the_images(settings: Compose, mnist: data.Dataset) -> None:
    program = build_program(settings("model=softmax"), 100)
    images = mnist.test.images[:1500]
    probabilities = predict_probabilities(program, images)
    assert probabilities.shape == (1500, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(
        probabilities[1200:1210], predict_probabilities(program, images[1200:1210]), rtol=1e-4
    )


def test_batch_accuracy_is_scored_before_the_step(
    settings: Compose, small_mnist: data.Dataset
) -> None:
    config = settings(
        "model=softmax",
        "init=zeros",
        "schedule.epochs=2",
        "schedule.batch_size=30",
        "schedule.train_accuracy_every=4",
    )
    results, _ = train(config, small_mnist)
    points = [point for result in results for point in result.batch_accuracies]
    assert [step for step, _ in points] == [0, 4, 8, 12, 16]
    first_batch = seeds.epoch_order(300, config.seed, 1)[:30]
    assert points[0][1] == np.mean(
        small_mnist.train.labels[first_batch] == 0
    )  # zero weights say class 0


def test_dropout_masks_depend_on_seed_and_step(
    settings: Compose, small_mnist: data.Dataset
) -> None:
    def cost_of_one_step(step: int, seed: int) -> float:
        config = settings("model=mlp", "model.dropout=0.5", "schedule.batch_size=50")
        program = replace(build_program(config, 300), seed=seed)
        totals = program.train_steps(
            tf.constant(small_mnist.train.images),
            tf.constant(small_mnist.train.labels),
            np.arange(50, dtype=np.int32),
            tf.constant(step, tf.int64),
            tf.constant([1], tf.int64),
            Totals.of(results.Progress()),
        )
        return float(totals.cost[0])

    assert cost_of_one_step(3, seed=0) == cost_of_one_step(3, seed=0)
    assert cost_of_one_step(3, seed=0) != cost_of_one_step(4, seed=0)
    assert cost_of_one_step(3, seed=0) != cost_of_one_step(3, seed=1)


def test_non_finite_cost_stops_after_the_epoch_and_names_the_step(
    settings: Compose, small_mnist: data.Dataset
) -> None:
    config = settings(
        "model=softmax",
        "loss=cross_entropy_sum",
        "loss.from_probabilities=true",
        "optimizer=sgd",
        "optimizer.learning_rate=1000",
        "schedule.epochs=5",
        "schedule.batch_size=50",
    )
    program = build_program(config, 300)
    results: list[EpochResult] = []
    with pytest.raises(
        NonFiniteCost, match="the cost became nan in epoch 1; .* came after step 1"
    ) as caught:
        results.extend(fit(program, small_mnist))
    assert caught.value.step == 1  # step 0 starts from small weights


def test_another_number_of_examples_than_the_program_was_built_for(
    settings: Compose, small_mnist: data.Dataset
) -> None:
    program = build_program(settings("model=softmax"), 299)
    with pytest.raises(ValueError, match="expected 299 training examples, .* got 300"):
        next(fit(program, small_mnist))


def test_stop_at_accuracy(settings: Compose, small_mnist: data.Dataset) -> None:
    config = settings("model=softmax", "schedule.epochs=50", "schedule.stop_at_accuracy=0.5")
    results, _ = train(config, small_mnist)
    assert results[-1].val.accuracy >= 0.5
    assert all(result.val.accuracy < 0.5 for result in results[:-1])
    assert len(results) < 50


@pytest.mark.parametrize("ending", ["schedule.epochs=3", "schedule.stop_at_accuracy=0.2"])
def test_test_images_can_be_scored_after_the_last_epoch_alone(
    settings: Compose, small_mnist: data.Dataset, ending: str
) -> None:
    config = settings("model=softmax", ending)
    every, weights = train(config, small_mnist)
    end, same_weights = train(config, small_mnist, tests_every_epoch=False)
    assert all(result.test is not None for result in every)
    assert without_time(end) == without_time(
        [*(replace(result, test=None) for result in every[:-1]), every[-1]]
    )
    np.testing.assert_array_equal(weights[0], same_weights[0])


def test_progress_reports_every_step_once(settings: Compose, small_mnist: data.Dataset) -> None:
    seen: list[Progress] = []
    config = settings("model=softmax", "schedule.epochs=2", "schedule.batch_size=64")
    results, _ = train(config, small_mnist, on_progress=seen.append)
    steps = [progress.step for progress in seen]
    assert steps == sorted(set(steps))
    assert seen[-1].step == 10
    assert seen[-1].cost == results[-1].cost
