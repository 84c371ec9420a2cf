"""A model, its loss and its optimizer, compiled: training steps and evaluation."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from mnist_exp.config.group_schemas import OwnModelConfig, ScheduleConfig
from mnist_exp.config.schema import Config
from mnist_exp.data import MNIST, Form, Split
from mnist_exp.errors import ConfigError
from mnist_exp.own_code.code import NOTHING_OWN, Own
from mnist_exp.training import losses, models, optimizers, penalties
from mnist_exp.training.own_names import own_names
from mnist_exp.training.precision import training_in
from mnist_exp.training.random_layers import EVALUATION, RandomLayers
from mnist_exp.training.results import Evaluation, Progress

_EVAL_BATCH = 500  # larger batches use more memory and are not faster

# A tensor made outside of the graph: TensorFlow replaces the division by a number with a product
# with its inexact inverse.
_WHITE = tf.constant(255.0)


class Totals(NamedTuple):
    """Sums over the batches of an epoch, carried from call to call.

    A call returns them [n] as they were at `n` of its steps.
    """

    cost: tf.Tensor
    """The sum of the examples' losses: float64 [] or [n]."""
    correct: tf.Tensor
    """How many examples were right: int64 [] or [n]."""
    bad_step: tf.Tensor
    """The first step, counted from 0, with a NaN or infinite cost; -1 if none: int64 [] or [n]."""

    @staticmethod
    def of(progress: Progress) -> "Totals":
        """Return the sums with which the next call begins."""
        return Totals(
            tf.constant(progress.cost_sum, tf.float64),
            tf.constant(progress.correct, tf.int64),
            tf.constant(progress.bad_step, tf.int64),
        )


@dataclass(frozen=True, kw_only=True)
class Program:
    """A model, how it is scored, and how it is trained on a split of one size."""

    model: keras.Model
    loss: losses.PerExampleLoss
    reduce: losses.Reduction
    """What turns a batch's losses [B] into the scalar whose gradient is taken."""
    optimizer: keras.optimizers.Optimizer
    schedule: ScheduleConfig
    num_train: int
    """The number of training examples."""
    seed: int
    """It sets what random layers draw and the order of the examples."""
    random_layers: RandomLayers
    precision: str = "float32"
    """What the layers compute in while they train."""
    own: str = ""
    """The settings that name a model, loss or optimizer that is not this project's; "" for none."""

    @property
    def batch_size(self) -> int:
        """The examples of a step; the last step of an epoch may have fewer."""
        return self.schedule.batch_size

    @cached_property
    def total_steps(self) -> int:
        """The training steps of a whole run."""
        return self.schedule.total_steps(self.num_train)

    @cached_property
    def train_steps(self) -> Any:
        """Make many steps in one call, as a compiled loop.

        (images, labels, order [steps * batch_size], first step, ends [n], totals []) -> totals [n]

        The ends are numbers of the call's steps, which grow up to that of all: after so many steps
        the totals are noted. One loop over the ends is outside of one over the steps between them,
        so that a step takes no longer than if nothing were noted.
        """

        def train_steps(
            images: tf.Tensor,
            labels: tf.Tensor,
            order: tf.Tensor,
            first_step: tf.Tensor,
            ends: tf.Tensor,
            totals: Totals,
        ) -> Totals:
            # One gather for all steps is faster than one in each.
            images, labels = tf.gather(images, order), tf.gather(labels, order)
            size = self.batch_size

            def step(offset: tf.Tensor, totals: Totals) -> tuple[tf.Tensor, Totals]:
                start = tf.cast(offset, tf.int32) * size
                x = tf.slice(images, [start, 0, 0, 0], [size, *images.shape[1:]])
                y = tf.slice(labels, [start], [size])
                return offset + 1, self._step(x, y, first_step + offset, totals)

            def steps_before(
                state: tuple[tf.Tensor, Totals], end: tf.Tensor
            ) -> tuple[tf.Tensor, Totals]:
                reached: tuple[tf.Tensor, Totals] = tf.while_loop(
                    lambda offset, _: offset < end, step, state
                )
                return reached

            noted: Totals
            _, noted = tf.scan(steps_before, ends, (tf.constant(0, tf.int64), totals))
            return noted

        indices, counter = tf.TensorSpec([None], tf.int32), tf.TensorSpec([], tf.int64)
        ends = tf.TensorSpec([None], tf.int64)
        totals = Totals(tf.TensorSpec([], tf.float64), counter, counter)
        return _graph(train_steps, self._images, indices, indices, counter, ends, totals)

    @cached_property
    def train_remainder(self) -> Callable[..., Totals]:
        """Make one step, as `train_steps` does, with the smaller batch at the end of an epoch.

        (images, labels, batch [B], step, totals []) -> totals [1]
        """

        def train_remainder(
            images: tf.Tensor, labels: tf.Tensor, batch: tf.Tensor, step: tf.Tensor, totals: Totals
        ) -> Totals:
            totals = self._step(tf.gather(images, batch), tf.gather(labels, batch), step, totals)
            return Totals(*(total[tf.newaxis] for total in totals))

        graph: Callable[..., Totals] = _graph(train_remainder)
        return graph

    def _step(self, images: tf.Tensor, y: tf.Tensor, step: tf.Tensor, totals: Totals) -> Totals:
        """Update the weights with a batch: images uint8 [B, H, W, C], labels int32 [B]."""
        self.random_layers.set(self.seed, step)
        with tf.GradientTape() as tape, self.random_layers.drawing(self.seed):
            with training_in(self.precision, self.model):
                outputs = self.model(to_float(images), training=True)
            logits = tf.cast(outputs, tf.float32)
            penalty = penalties.total(self.model)
            loss = self.loss(y, logits)
            objective = self.reduce(loss) if penalty is None else self.reduce(loss) + penalty
        self._update(tape, objective)
        cost = tf.cast(tf.reduce_sum(loss), tf.float64)
        if penalty is not None:
            cost += self._share(penalty, tf.size(y), tf.size(y))
        is_first_bad = tf.logical_and(totals.bad_step < 0, tf.logical_not(tf.math.is_finite(cost)))
        return Totals(
            totals.cost + cost,
            totals.correct + _count_correct(logits, y),
            tf.where(is_first_bad, step, totals.bad_step),
        )

    def _update(self, tape: tf.GradientTape, objective: tf.Tensor) -> None:
        """Change the weights on which the objective depends. Raises ConfigError if there is none.

        Keras would warn of the others; preflight finds them.
        """
        variables = self.model.trainable_variables
        gradients = tape.gradient(objective, [variable.value for variable in variables])
        pairs = [
            (gradient, variable)
            for gradient, variable in zip(gradients, variables, strict=True)
            if gradient is not None
        ]
        if not pairs:
            raise ConfigError(f"{self.own}: the loss does not depend on the weights of the model")
        self.optimizer.apply(*(list(part) for part in zip(*pairs, strict=True)))

    def _share(self, penalty: tf.Tensor, images: tf.Tensor, batch: tf.Tensor | int) -> tf.Tensor:
        """Return what a penalty adds to the summed cost of so many images: float64 [].

        It counts once a batch in the objective, so that under a sum its share per image is the
        smaller, the larger the batch.
        """
        weight = self.reduce(tf.ones([batch], tf.float64))  # 1 for a mean
        return tf.cast(penalty, tf.float64) * tf.cast(images, tf.float64) / weight

    def logits(self, images: tf.Tensor) -> tf.Tensor:
        """Compute logits with dropout off: images uint8 [N, H, W, C] -> logits [N, K]."""
        return self.outputs(images)[0]

    @cached_property
    def outputs(self) -> Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]:
        """Compute logits with dropout off, and what penalties add to the cost.

        images uint8 [N, H, W, C] -> logits [N, K], the sum over the images: float64 []
        """

        def outputs(images: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            count = tf.shape(images)[0]
            batches = (count + _EVAL_BATCH - 1) // _EVAL_BATCH
            parts = tf.TensorArray(
                tf.float32,
                batches,
                infer_shape=False,
                element_shape=[None, self.model.output_shape[1]],
            )
            if self.own:  # a model of this project draws nothing here
                self.random_layers.set(self.seed, tf.constant(EVALUATION))

            def evaluate_batch(
                i: tf.Tensor, parts: tf.TensorArray, added: tf.Tensor
            ) -> tuple[tf.Tensor, tf.TensorArray, tf.Tensor]:
                x = to_float(images[i * _EVAL_BATCH : (i + 1) * _EVAL_BATCH])
                with self.random_layers.drawing(self.seed):
                    logits = self.model(x, training=False)
                penalty = penalties.total(self.model)
                if penalty is not None:
                    added += self._share(penalty, tf.shape(x)[0], self.batch_size)
                return i + 1, parts.write(i, logits), added

            _, parts, added = tf.while_loop(
                lambda i, *_: i < batches,
                evaluate_batch,
                (tf.constant(0), parts, tf.constant(0.0, tf.float64)),
            )
            return parts.concat(), added

        graph: Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]
        graph = _graph(outputs, self._images)
        return graph

    @property
    def _images(self) -> tf.TensorSpec:
        """Describe images uint8 [N, H, W, C] for a graph."""
        return tf.TensorSpec([None, *self.model.input_shape[1:]], tf.uint8)


def _graph(function: Callable[..., Any], *signature: Any) -> Any:
    """Compile a function without AutoGraph, which takes time and has nothing to rewrite here."""
    return tf.function(function, input_signature=signature or None, autograph=False)


def build_program(
    config: Config, num_train: int, form: Form = MNIST, own: Own = NOTHING_OWN
) -> Program:
    """Return the program that a config describes, for a training split of `num_train` examples.

    `form` is that of the data. Raises OwnCodeError for code of the user's own that cannot be used.
    """
    schedule, own_model = config.schedule, isinstance(config.model, OwnModelConfig)
    named = own_names(config, own)
    model = models.build(config.model, config.init, config.seed, form, own)
    optimizer = optimizers.build(config.optimizer, schedule, schedule.total_steps(num_train))
    optimizer.build(model.trainable_variables)
    return Program(
        model=model,
        loss=losses.build(config.loss, form.num_classes, own),
        reduce=losses.reduction(config.loss),
        optimizer=optimizer,
        schedule=schedule,
        num_train=num_train,
        seed=config.seed,
        random_layers=RandomLayers(model, draws_once=not own_model, has_default=bool(named)),
        precision=config.precision,
        own=named,
    )


def to_float(images: tf.Tensor) -> tf.Tensor:
    """Convert pixels: uint8 0..255 -> float32 in [0, 1], exactly pixel / 255."""
    return tf.cast(images, tf.float32) / _WHITE


def evaluate(program: Program, split: Split) -> Evaluation:
    """Return mean loss and accuracy over the split; every example counts once."""
    logits, added = program.outputs(tf.constant(split.images))
    labels = tf.constant(split.labels)
    with program.random_layers.drawing(program.seed):
        loss = program.loss(labels, logits)
    cost = tf.reduce_sum(tf.cast(loss, tf.float64)) + added
    return Evaluation(float(cost) / len(split), int(_count_correct(logits, labels)) / len(split))


def predict_probabilities(program: Program, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return class probabilities [N, K] of images uint8 [N, H, W, C]."""
    probabilities: NDArray[np.float32] = tf.nn.softmax(program.logits(tf.constant(images))).numpy()
    return probabilities


def _count_correct(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """Count the examples whose largest logit is at the label: int64 []."""
    hits = tf.equal(tf.argmax(logits, axis=1, output_type=tf.int32), tf.cast(labels, tf.int32))
    return tf.math.count_nonzero(hits)
