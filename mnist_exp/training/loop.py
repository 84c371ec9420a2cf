"""The compiled inner loop, evaluation, and `fit`, which yields one frozen result per epoch."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from mnist_exp import preflight
from mnist_exp.config.tree import Config, ScheduleConfig
from mnist_exp.data import Dataset, Split, epoch_order
from mnist_exp.errors import NonFiniteCost
from mnist_exp.preflight import PreflightReport
from mnist_exp.training import losses, models, optimizers, seeds
from mnist_exp.training.results import EpochResult, Evaluation, Progress

_EVAL_BATCH = 500  # twice as many take more memory and no less time
_PREFLIGHT_EXAMPLES = 1000
# Python takes over about this often, for the progress bar and for signals; results do not depend on it.
_SECONDS_PER_CALL = 0.5


# A tensor made outside of the graph: TensorFlow turns the division by a number into a product with its inexact inverse.
_WHITE = tf.constant(255.0)


_BEGINNING = Progress()


class _Totals(NamedTuple):
    """Sums over the batches of an epoch; carried through calls, so that their number changes no digit."""

    cost: tf.Tensor  # float64 []
    correct: tf.Tensor  # int64 []
    bad_step: (
        tf.Tensor
    )  # int64 []: first step, counted from 0, with a NaN or infinite cost; -1 if none

    @staticmethod
    def of(progress: Progress) -> "_Totals":
        return _Totals(
            tf.constant(progress.cost_sum, tf.float64),
            tf.constant(progress.correct, tf.int64),
            tf.constant(progress.bad_step, tf.int64),
        )


@dataclass(frozen=True)
class Program:
    """A model, how it is scored and how it is trained. `seed` sets the dropout masks and the order of examples."""

    model: keras.Model
    loss: losses.PerExampleLoss
    reduce: Callable[[tf.Tensor], tf.Tensor]
    optimizer: keras.optimizers.Optimizer
    batch_size: int
    seed: int

    @cached_property
    def train_steps(self) -> Any:
        """(images, labels, order [steps * batch_size], first step, totals) -> totals, the whole loop in one call."""

        counter = tf.TensorSpec([], tf.int64)

        @_graph(
            tf.TensorSpec([None, *self.model.input_shape[1:]], tf.uint8),
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([None], tf.int32),
            counter,
            _Totals(tf.TensorSpec([], tf.float64), counter, counter),
        )
        def train_steps(
            images: tf.Tensor,
            labels: tf.Tensor,
            order: tf.Tensor,
            first_step: tf.Tensor,
            totals: _Totals,
        ) -> _Totals:
            # One gather of bytes for all steps: a softmax step takes 0.9 of the time it takes with a gather of its own.
            images, labels = tf.gather(images, order), tf.gather(labels, order)
            size = self.batch_size

            def step(offset: tf.Tensor, totals: _Totals) -> tuple[tf.Tensor, _Totals]:
                start = tf.cast(offset, tf.int32) * size
                x = tf.slice(images, [start, 0, 0, 0], [size, *images.shape[1:]])
                y = tf.slice(labels, [start], [size])
                return offset + 1, self._step(x, y, first_step + offset, totals)

            steps = tf.cast(tf.shape(order)[0] // size, tf.int64)
            begin = (tf.constant(0, tf.int64), totals)
            _, totals = tf.while_loop(lambda offset, _: offset < steps, step, begin)
            return totals

        return train_steps

    @cached_property
    def train_remainder(self) -> Callable[..., _Totals]:
        """As `train_steps`, for the one smaller batch at the end of an epoch."""

        @_graph()
        def train_remainder(
            images: tf.Tensor, labels: tf.Tensor, batch: tf.Tensor, step: tf.Tensor, totals: _Totals
        ) -> _Totals:
            return self._step(tf.gather(images, batch), tf.gather(labels, batch), step, totals)

        return train_remainder

    def _step(self, images: tf.Tensor, y: tf.Tensor, step: tf.Tensor, totals: _Totals) -> _Totals:
        """One update of the weights with a batch: images uint8 [B, 28, 28, 1], labels int32 [B]."""
        x = to_float(images)
        self._seed_dropout(step)
        with tf.GradientTape() as tape:
            logits = self.model(x, training=True)
            loss = self.loss(y, logits)
            objective = self.reduce(loss)
        variables = self.model.trainable_variables
        self.optimizer.apply(tape.gradient(objective, [v.value for v in variables]), variables)
        cost = tf.cast(tf.reduce_sum(loss), tf.float64)
        is_first_bad = tf.logical_and(totals.bad_step < 0, tf.logical_not(tf.math.is_finite(cost)))
        return _Totals(
            totals.cost + cost,
            totals.correct + _count_correct(logits, y),
            tf.where(is_first_bad, step, totals.bad_step),
        )

    def _seed_dropout(self, step: tf.Tensor) -> None:
        """Masks depend on (seed, step) alone, so that a resumed run draws the same ones."""
        droppers = [layer for layer in self.model.layers if isinstance(layer, keras.layers.Dropout)]
        for index, layer in enumerate(droppers):
            state = layer.seed_generator.state
            key = tf.constant(seeds.integer(self.seed, "dropout", index), state.dtype)
            state.assign(tf.stack([key, tf.cast(step, state.dtype)]))

    @cached_property
    def logits(self) -> Callable[[tf.Tensor], tf.Tensor]:
        """Images uint8 [N, 28, 28, 1] -> logits [N, 10], dropout off."""

        @_graph(tf.TensorSpec([None, *self.model.input_shape[1:]], tf.uint8))
        def logits(images: tf.Tensor) -> tf.Tensor:
            count = tf.shape(images)[0]
            batches = (count + _EVAL_BATCH - 1) // _EVAL_BATCH
            parts = tf.TensorArray(
                tf.float32,
                batches,
                infer_shape=False,
                element_shape=[None, self.model.output_shape[1]],
            )

            def evaluate_batch(
                i: tf.Tensor, parts: tf.TensorArray
            ) -> tuple[tf.Tensor, tf.TensorArray]:
                x = to_float(images[i * _EVAL_BATCH : (i + 1) * _EVAL_BATCH])
                return i + 1, parts.write(i, self.model(x, training=False))

            _, parts = tf.while_loop(
                lambda i, _: i < batches, evaluate_batch, (tf.constant(0), parts)
            )
            return parts.concat()

        return logits


def _graph(*signature: Any) -> Any:
    """tf.function without AutoGraph, which takes up to a second to rewrite Python and has nothing to rewrite here."""
    return tf.function(input_signature=signature or None, autograph=False)


def build_program(config: Config, num_train: int) -> Program:
    """The program a config describes, for a training split of `num_train` examples."""
    schedule = config.schedule
    model = models.build(config.model, config.init, config.seed)
    optimizer = optimizers.build(config.optimizer, schedule, schedule.total_steps(num_train))
    optimizer.build(model.trainable_variables)
    return Program(
        model=model,
        loss=losses.build(config.loss),
        reduce=losses.reduction(config.loss),
        optimizer=optimizer,
        batch_size=schedule.batch_size,
        seed=config.seed,
    )


def to_float(images: tf.Tensor) -> tf.Tensor:
    """uint8 0..255 -> float32 in [0, 1], exactly pixel / 255."""
    return tf.cast(images, tf.float32) / _WHITE


def evaluate(program: Program, split: Split) -> Evaluation:
    """Every example of the split counts once."""
    logits = program.logits(tf.constant(split.images))
    labels = tf.constant(split.labels)
    cost = tf.reduce_sum(tf.cast(program.loss(labels, logits), tf.float64))
    return Evaluation(float(cost) / len(split), int(_count_correct(logits, labels)) / len(split))


def predict_probabilities(program: Program, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Images uint8 [N, 28, 28, 1] -> class probabilities [N, 10]."""
    return tf.nn.softmax(program.logits(tf.constant(images))).numpy()


def preflight_report(program: Program, split: Split) -> PreflightReport:
    """Look for mistakes in a program before it trains; its weights stay as they are."""
    sample = split.first(_PREFLIGHT_EXAMPLES)
    return preflight.check(
        program.model,
        lambda labels, logits: program.reduce(program.loss(labels, logits)),
        program.optimizer,
        to_float(tf.constant(sample.images)).numpy(),
        sample.labels,
        seed=program.seed,
    )


def fit(
    program: Program,
    data: Dataset,
    schedule: ScheduleConfig,
    *,
    start: Progress = _BEGINNING,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Iterator[EpochResult]:
    """Train, and yield a result at the end of every epoch, each example used exactly once an epoch.

    `on_progress` is called about twice a second, between steps; it may raise to stop. From `start`, with the weights
    and the optimizer's state of that moment, everything goes on exactly as it would have without a stop.
    Raises NonFiniteCost after the result of an epoch in which a batch had a NaN or infinite cost.
    """
    train = _Training(program, data.train, schedule)
    progress = start
    while not (progress.evaluated and progress.step >= train.end_of_run):
        if progress.evaluated:
            progress = Progress(epoch=progress.epoch + 1, step=progress.step, evaluated=False)
        for progress in train.epoch(progress):  # noqa: B020  # each goes on from the one before
            on_progress(progress)
        result = EpochResult(
            epoch=progress.epoch,
            step=progress.step,
            examples=progress.examples,
            complete=progress.examples == len(data.train),
            cost=progress.cost,
            train_accuracy=progress.accuracy,
            val=evaluate(program, data.val),
            test=evaluate(program, data.test),
            batch_accuracies=progress.batch_accuracies,
            seconds=progress.seconds,
        )
        yield result
        if progress.bad_step >= 0:
            raise NonFiniteCost(progress.cost, progress.epoch, progress.bad_step)
        progress = result.progress
        if (
            schedule.stop_at_accuracy is not None
            and result.val.accuracy >= schedule.stop_at_accuracy
        ):
            return


class _Training:
    """The training split as tensors, and how many steps one call into the graph makes."""

    def __init__(self, program: Program, split: Split, schedule: ScheduleConfig) -> None:
        self._program, self._split, self._schedule = program, split, schedule
        self._batch_size, self._every = schedule.batch_size, schedule.train_accuracy_every
        self._images, self._labels = tf.constant(split.images), tf.constant(split.labels)
        self.end_of_run = schedule.total_steps(len(split))
        self._steps_per_call = 1
        program.train_steps.get_concrete_function()  # traced here, so that no epoch's time includes it

    def epoch(self, progress: Progress) -> Iterator[Progress]:
        """Train to the end of the epoch that `progress` is in, or of the run; yields after every call."""
        in_epoch = self._schedule.steps_per_epoch(len(self._split))
        first_step = (progress.epoch - 1) * in_epoch
        order = epoch_order(len(self._split), self._program.seed, progress.epoch)
        while progress.step < min(first_step + in_epoch, self.end_of_run):
            rest = order[(progress.step - first_step) * self._batch_size :]
            progress = self._call(progress, rest)
            yield progress

    def _call(self, progress: Progress, rest: NDArray[np.int32]) -> Progress:
        """One call into the graph; `rest` is what the epoch's order has left."""
        points = progress.batch_accuracies
        if self._every is not None and progress.step % self._every == 0:
            batch = rest[: self._batch_size]
            upcoming = Split(self._split.images[batch], self._split.labels[batch])
            points = (*points, (progress.step, evaluate(self._program, upcoming).accuracy))
        steps = self._steps_in_call(progress.step, len(rest) // self._batch_size)
        started = time.perf_counter()
        run = self._program.train_steps if steps else self._program.train_remainder
        batches = rest[: steps * self._batch_size] if steps else rest
        first = tf.constant(progress.step, tf.int64)
        totals = run(self._images, self._labels, batches, first, _Totals.of(progress))
        cost_sum, correct, bad_step = (total.numpy() for total in totals)
        elapsed = time.perf_counter() - started
        if steps:
            self._steps_per_call = max(1, min(2 * steps, int(steps * _SECONDS_PER_CALL / elapsed)))
        return Progress(
            epoch=progress.epoch,
            step=progress.step + max(steps, 1),
            examples=progress.examples + len(batches),
            cost_sum=float(cost_sum),
            correct=int(correct),
            bad_step=int(bad_step),
            seconds=progress.seconds + elapsed,
            batch_accuracies=points,
            evaluated=False,
        )

    def _steps_in_call(self, step: int, full_batches: int) -> int:
        """0 means that only the smaller last batch is left."""
        limits = [self._steps_per_call, full_batches, self.end_of_run - step]
        if self._every is not None:
            limits.append(self._every - step % self._every)
        return min(limits)


def _count_correct(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """How many examples have their largest logit at the label: int64 []."""
    hits = tf.equal(tf.argmax(logits, axis=1, output_type=tf.int32), tf.cast(labels, tf.int32))
    return tf.math.count_nonzero(hits)
