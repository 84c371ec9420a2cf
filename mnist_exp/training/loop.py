"""The training loop: `fit` trains a program and yields one frozen result per epoch.

Two loops are nested. The outer one is Python, in this module: epoch after epoch, and within an
epoch call after call. The inner one is `Program.train_steps`, compiled by TensorFlow: a call makes
many steps, because a return to Python costs more than a step of a small model. `InnerLoop` chooses
how many steps a call makes. Between two calls Python shows the progress, saves checkpoints and
obeys signals. The results do not depend on the number of calls: the order of an epoch's examples is
fixed before its first call, and the sums over an epoch are carried from call to call. A call notes
them at the steps of the run's step curve, too.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from mnist_exp.data import Dataset, Split
from mnist_exp.errors import NonFiniteCost
from mnist_exp.training.program import Program, Totals, evaluate
from mnist_exp.training.results import EpochResult, Progress, Sums
from mnist_exp.training.seeds import epoch_order
from mnist_exp.training.step_curve import StepCurve

_SECONDS_PER_CALL = 0.5  # often enough for the progress bar and for signals
_BEGINNING = Progress()


def fit(
    program: Program,
    data: Dataset,
    *,
    start: Progress = _BEGINNING,
    tests_every_epoch: bool = True,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Iterator[EpochResult]:
    """Train, and yield a result at the end of every epoch, each example used exactly once an epoch.

    `on_progress` is called about twice a second, between steps; it may raise to stop. From `start`,
    with the weights and the optimizer's state of that moment, everything goes on exactly as it
    would have without a stop. Raises NonFiniteCost after the result of an epoch in which a batch
    had a NaN or infinite cost, and ValueError for another number of training examples than the
    program was built for. Unless `tests_every_epoch`, test is scored only after the last epoch.
    """
    steps, target = InnerLoop(program, data.train), program.schedule.stop_at_accuracy
    progress = start
    while not (progress.evaluated and progress.step >= program.total_steps):
        if progress.evaluated:
            progress = replace(progress, epoch=progress.epoch + 1, evaluated=False)
        for latest in steps.epoch(progress):
            progress = latest
            on_progress(progress)
        result = _result(program, data, progress)
        reached = target is not None and result.val.accuracy >= target
        is_last = reached or progress.bad_step >= 0 or progress.step >= program.total_steps
        yield with_test(result, program, data) if tests_every_epoch or is_last else result
        if progress.bad_step >= 0:
            raise NonFiniteCost(progress.cost, progress.epoch, progress.bad_step)
        progress = result.progress
        if reached:
            return


def with_test(result: EpochResult, program: Program, data: Dataset) -> EpochResult:
    """Return the result of the epoch that has just ended with the scores of the test images."""
    return replace(result, test=evaluate(program, data.test))


def _result(program: Program, data: Dataset, progress: Progress) -> EpochResult:
    """Return the result of the epoch that has ended, with the scores of validation alone."""
    return EpochResult(
        epoch=progress.epoch,
        step=progress.step,
        examples=progress.examples,
        complete=progress.examples == len(data.train),
        cost=progress.cost,
        train_accuracy=progress.accuracy,
        val=evaluate(program, data.val),
        test=None,
        batch_accuracies=progress.batch_accuracies,
        seconds=progress.seconds,
        step_points=progress.step_points,
        after_point=progress.sums.less(progress.at_point),
    )


class InnerLoop:
    """The compiled steps of a program on one training split, called as often as an epoch needs.

    A call makes about as many steps as take half a second, but none beyond the end of the epoch or
    of the run, or beyond a step before which a batch is to be scored. The smaller last batch of an
    epoch has a call of its own.
    """

    def __init__(self, program: Program, split: Split) -> None:
        if len(split) != program.num_train:
            raise ValueError(
                f"expected {program.num_train} training examples, for which the program was built, "
                f"got {len(split)}"
            )
        self._program, self._split = program, split
        self._images, self._labels = tf.constant(split.images), tf.constant(split.labels)
        self._steps_per_call = 1
        self._curve = StepCurve(program.total_steps)
        program.train_steps.get_concrete_function()  # compiled here: no epoch's time includes it

    def epoch(self, progress: Progress) -> Iterator[Progress]:
        """Train to the end of the epoch that has begun, or of the run; yield after each call."""
        program = self._program
        in_epoch = program.schedule.steps_per_epoch(len(self._split))
        first_step = (progress.epoch - 1) * in_epoch
        order = epoch_order(len(self._split), program.seed, progress.epoch)
        while progress.step < min(first_step + in_epoch, program.total_steps):
            rest = order[(progress.step - first_step) * program.batch_size :]
            progress = self.call(progress, rest)
            yield progress

    def call(self, progress: Progress, rest: NDArray[np.int32]) -> Progress:
        """Make one call into the graph; `rest` is what the epoch's order has left."""
        scored, size = self._scored(progress, rest), self._program.batch_size
        steps = self._steps_in_call(progress.step, len(rest) // size)
        last = progress.step + max(steps, 1)
        started = time.perf_counter()
        noted, bad_step = self._train(progress, rest[: steps * size] if steps else rest, last)
        elapsed = time.perf_counter() - started
        if steps:
            self._steps_per_call = max(1, min(2 * steps, int(steps * _SECONDS_PER_CALL / elapsed)))
        points, at_point = self._curve.extended(progress, noted)
        return Progress(
            epoch=progress.epoch,
            step=last,
            examples=noted[last].examples,
            cost_sum=noted[last].cost,
            correct=noted[last].correct,
            bad_step=bad_step,
            seconds=progress.seconds + elapsed,
            batch_accuracies=scored,
            step_points=points,
            at_point=at_point,
            evaluated=False,
        )

    def _train(
        self, progress: Progress, examples: NDArray[np.int32], last: int
    ) -> tuple[dict[int, Sums], int]:
        """Train with these examples up to step `last`; return sums by step, and the bad step.

        They are the epoch's sums at the points of the step curve and, at the end, at step `last`.
        """
        size, first = self._program.batch_size, tf.constant(progress.step, tf.int64)
        at = [*self._curve.between(progress.step, last), last]
        if len(examples) < size:
            run, batches = self._program.train_remainder, [examples, first]
        else:
            ends = tf.constant([step - progress.step for step in at], tf.int64)
            run, batches = self._program.train_steps, [examples, first, ends]
        totals = run(self._images, self._labels, *batches, Totals.of(progress))
        costs, corrects, bad_steps = (total.numpy().tolist() for total in totals)
        used = [min((step - progress.step) * size, len(examples)) for step in at]
        examples_so_far = [progress.examples + count for count in used]
        sums = map(Sums, costs, corrects, examples_so_far)
        return dict(zip(at, sums, strict=True)), bad_steps[-1]

    def _scored(self, progress: Progress, rest: NDArray[np.int32]) -> tuple[tuple[int, float], ...]:
        """Return the epoch's batch accuracies, with that of the next batch if it is its turn."""
        every = self._program.schedule.train_accuracy_every
        if every is None or progress.step % every:
            return progress.batch_accuracies
        batch = rest[: self._program.batch_size]
        upcoming = Split(self._split.images[batch], self._split.labels[batch])
        accuracy = evaluate(self._program, upcoming).accuracy
        return (*progress.batch_accuracies, (progress.step, accuracy))

    def _steps_in_call(self, step: int, full_batches: int) -> int:
        """Return how many steps the next call makes; 0 if only the smaller last batch is left."""
        limits = [self._steps_per_call, full_batches, self._program.total_steps - step]
        if (every := self._program.schedule.train_accuracy_every) is not None:
            limits.append(every - step % every)
        return min(limits)
