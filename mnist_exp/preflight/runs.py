"""Short training runs on the caller's weights, which start from and go back to their initial values."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from .program import Gradients, Program

SHORT_RUN_STEPS = 15
SHORT_RUN_BATCH = 32
HELD_OUT = 128
OVERFIT_BATCH = 20
PROBE_STEPS = 100
PROBE_RATES = (
    3e-3,
    3e-4,
)  # the first needs the fewest steps on good programs, the second is for those it is too high for

Step = Callable[[Gradients], None]


@dataclass(frozen=True)
class ShortRun:
    """SHORT_RUN_STEPS steps over different batches. Losses are on held-out images, dropout off, as the loss gives them.

    promised: decrease of the loss to first order in the first step, -gradient . step, relative to the loss;
    downhill: cosine between that step and minus the gradient; largest, moved: max |gradient|, max |change| by variable;
    spread: largest difference between the outputs for different held-out images, relative to their size.
    """

    finite: bool
    steps: int
    loss_before: float
    loss_after: float
    promised: float
    downhill: float
    largest: list[float]
    moved: list[float]
    spread: float


@dataclass(frozen=True)
class Overfit:
    """One batch again and again. accuracy: the best seen, with dropout on or off."""

    accuracy: float
    steps: int
    first_loss: float
    last_loss: float
    finite: bool


def optimizer_step(program: Program, scale: float = 1.0) -> Step:
    """One step of a copy of the caller's optimizer, its learning rate multiplied by `scale`."""
    optimizer = program.optimizer_copy(scale)
    variables = program.optimized
    optimizer.build(variables)

    def apply(values: list[tf.Tensor]) -> None:
        optimizer.apply(values, variables)

    # Traced at once: TensorFlow warns of retracing when several programs are checked in one process.
    traced = tf.function(apply, autograph=False).get_concrete_function(_specs(program))
    return lambda gradients: traced(gradients.values)


def adam_step(program: Program, rate: float) -> Step:
    """A sane optimizer, to tell a program that cannot learn from one that learns slowly."""
    moments = [
        (tf.Variable(tf.zeros_like(v)), tf.Variable(tf.zeros_like(v))) for v in program.trained
    ]

    def apply(values: list[tf.Tensor], first_decay: tf.Tensor, second_decay: tf.Tensor) -> None:
        for variable, (first, second), value in zip(program.trained, moments, values, strict=True):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=first.handle,
                v=second.handle,
                beta1_power=tf.cast(first_decay, variable.dtype),
                beta2_power=tf.cast(second_decay, variable.dtype),
                lr=rate,
                beta1=0.9,
                beta2=0.999,
                epsilon=1e-8,
                grad=tf.cast(value, variable.dtype),
            )

    scalar = tf.TensorSpec([], tf.float32)
    traced = tf.function(apply, autograph=False).get_concrete_function(
        _specs(program), scalar, scalar
    )
    powers = [1.0, 1.0]

    def step(gradients: Gradients) -> None:
        powers[:] = powers[0] * 0.9, powers[1] * 0.999
        traced(gradients.values, tf.constant(powers[0]), tf.constant(powers[1]))

    return step


def _specs(program: Program) -> list[tf.TensorSpec]:
    return [tf.TensorSpec(variable.shape, variable.dtype) for variable in program.trained]


def short_run(program: Program, seed: int, scale: float = 1.0) -> ShortRun:
    """Leaves the trained weights in place; call `program.restore()` before and after."""
    images, labels = program.images, program.labels
    held_out = slice(max(0, len(images) - HELD_OUT), None)
    pool = max(len(images) - HELD_OUT, min(len(images), HELD_OUT))
    loss_before = program.loss_of(labels[held_out], program.outputs(images[held_out]))
    step = optimizer_step(program, scale)
    start = [v.numpy() for v in program.trained]
    generator = np.random.default_rng(seed)
    largest = [0.0] * len(start)
    promised = downhill = math.nan
    for taken in range(SHORT_RUN_STEPS):
        rows = generator.choice(pool, size=min(SHORT_RUN_BATCH, pool), replace=False)
        gradients = program.gradients(images[rows], labels[rows])
        if not gradients.finite:
            moved = _moved(program, start)
            return ShortRun(
                False, taken, loss_before, math.nan, promised, downhill, largest, moved, math.nan
            )
        sizes = [float(tf.reduce_max(tf.abs(value))) for value in gradients.values]
        largest = [max(old, new) for old, new in zip(largest, sizes, strict=True)]
        step(gradients)
        if taken == 0:
            promised, downhill = _first_step(program, start, gradients)
    outputs = program.outputs(images[held_out])
    loss_after = program.loss_of(labels[held_out], outputs)
    return ShortRun(
        math.isfinite(loss_after),
        SHORT_RUN_STEPS,
        loss_before,
        loss_after,
        promised,
        downhill,
        largest,
        _moved(program, start),
        _spread(outputs),
    )


def overfit(program: Program, step: Step, steps: int) -> Overfit:
    """Train on the first OVERFIT_BATCH examples until all are right. Leaves the weights as they are then.

    After `steps` it goes on for as long as the loss still falls by a fifth in 25 steps, at most four times as long.
    """
    images, labels, classes = (
        part[:OVERFIT_BATCH] for part in (program.images, program.labels, program.classes)
    )
    best, trace = 0.0, list[float]()
    for taken in range(4 * steps + 1):
        gradients = program.gradients(images, labels)
        trace.append(gradients.loss)
        if not gradients.finite:
            return Overfit(best, taken, trace[0], trace[-1], finite=False)
        best = max(best, program.accuracy(gradients.outputs, classes))
        # Dropout can keep the training outputs from ever being all right.
        if best < 1.0 and taken % 5 == 0:
            best = max(best, program.accuracy(program.outputs(images), classes))
        falling = taken >= 25 and 0 < trace[-1] < 0.8 * trace[-26]
        if best == 1.0 or (taken >= steps and not falling):
            break
        step(gradients)
    return Overfit(best, taken, trace[0], trace[-1], finite=True)


def _first_step(
    program: Program, start: list[np.ndarray], gradients: Gradients
) -> tuple[float, float]:
    pairs = [
        ((v.numpy() - before).astype(np.float64), value)
        for v, before, value in zip(program.trained, start, gradients.arrays(), strict=True)
    ]
    descent = -sum(float(np.sum(change * value)) for change, value in pairs)
    change_size = math.sqrt(sum(float(np.sum(change**2)) for change, _ in pairs))
    gradient_size = math.sqrt(
        sum(float(np.sum(value.astype(np.float64) ** 2)) for _, value in pairs)
    )
    size = change_size * gradient_size
    return descent / max(abs(gradients.loss), 1e-12), descent / size if size > 0 else math.nan


def _spread(outputs: np.ndarray) -> float:
    if not np.isfinite(outputs).all():
        return math.nan
    return float((outputs.max(0) - outputs.min(0)).max() / max(np.abs(outputs).max(), 1e-30))


def _moved(program: Program, start: list[np.ndarray]) -> list[float]:
    return [
        float(np.abs(v.numpy() - before).max())
        for v, before in zip(program.trained, start, strict=True)
    ]
