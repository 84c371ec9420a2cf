"""A model, its loss and its optimizer, compiled: training steps and evaluation."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from mnist_exp.config.schema import Config
from mnist_exp.data import Split
from mnist_exp.training import losses, models, optimizers, seeds
from mnist_exp.training.results import Evaluation, Progress

_EVAL_BATCH = 500  # twice as many take more memory and no less time


# A tensor made outside of the graph: TensorFlow turns the division by a number into a product with its inexact inverse.
_WHITE = tf.constant(255.0)


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


def _count_correct(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """How many examples have their largest logit at the label: int64 []."""
    hits = tf.equal(tf.argmax(logits, axis=1, output_type=tf.int32), tf.cast(labels, tf.int32))
    return tf.math.count_nonzero(hits)
