"""The compiled inner loop, evaluation, and `fit`, which yields one frozen result per epoch."""

import time
from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from mnist_exp.config.group_schemas import ScheduleConfig
from mnist_exp.data import Dataset, Split
from mnist_exp.errors import NonFiniteCost
from mnist_exp.training.program import Program, _Totals, evaluate
from mnist_exp.training.results import EpochResult, Progress
from mnist_exp.training.seeds import epoch_order

# Python takes over about this often, for the progress bar and for signals; results do not depend on it.
_SECONDS_PER_CALL = 0.5


_BEGINNING = Progress()


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
