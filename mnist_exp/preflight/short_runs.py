"""Train the program for a few steps, on the caller's own weights."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.program import Gradients, Program

SHORT_RUN_STEPS = 15
SHORT_RUN_BATCH = 32
HELD_OUT = 128
OVERFIT_BATCH = 20
PROBE_STEPS = 100
# The first needs the fewest steps on good programs; for some of them it is too high.
PROBE_RATES = (3e-3, 3e-4)

Step = Callable[[Gradients], None]


@dataclass(frozen=True, kw_only=True)
class ShortRun:
    """What SHORT_RUN_STEPS steps over different batches did.

    Losses are on held-out examples, with dropout off, and of the size that the loss gives them.

    finite: False if a gradient or the last loss is NaN or infinite.
    steps: how many were taken.
    loss_before, loss_after: NaN after a run that stopped early.
    promised: decrease of the loss to first order in the first step, -gradient . step, relative to
        the loss.
    downhill: cosine between that step and minus the gradient.
    largest, moved: max |gradient| and max |change| of each trained variable.
    spread: largest difference between the outputs for different held-out examples, relative to
        their size.
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

    @property
    def collapsed(self) -> bool:
        """Return True if all held-out examples get the same outputs; False if these are NaN."""
        return self.spread <= thresholds.INPUT_SPREAD


@dataclass(frozen=True, kw_only=True)
class Overfit:
    """What training on one batch again and again did.

    accuracy: the best seen, with dropout on or off.
    steps: how many were taken.
    first_loss, last_loss: with dropout on.
    finite: False if training stopped at a gradient that is NaN or infinite.
    """

    accuracy: float
    steps: int
    first_loss: float
    last_loss: float
    finite: bool


def optimizer_step(program: Program, scale: float = 1.0) -> Step:
    """Return a step of a copy of the caller's optimizer, its learning rate times `scale`."""
    optimizer = program.optimizer_copy(scale)
    variables = program.optimized
    optimizer.build(variables)

    def apply(values: list[tf.Tensor]) -> None:
        optimizer.apply(values, variables)

    # Traced here, because TensorFlow warns of retracing when one process checks several programs.
    traced = tf.function(apply, autograph=False).get_concrete_function(_specs(program))
    return lambda gradients: traced(gradients.values)


def adam_step(program: Program, rate: float) -> Step:
    """Return a step of Adam, to tell a program that cannot learn from one that learns slowly."""
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
    """Take SHORT_RUN_STEPS steps with the caller's optimizer, its learning rate times `scale`.

    The trained weights stay in place: call `program.restore()` before and after.
    """
    inputs, labels = program.inputs, program.labels
    held_out = slice(max(0, len(inputs) - HELD_OUT), None)
    pool = max(len(inputs) - HELD_OUT, min(len(inputs), HELD_OUT))
    loss_before = program.loss_of(labels[held_out], program.outputs(inputs[held_out]))
    step = optimizer_step(program, scale)
    start = [v.numpy() for v in program.trained]
    generator = np.random.default_rng(seed)
    largest = [0.0] * len(start)
    promised = downhill = loss_after = spread = math.nan
    taken = 0
    while taken < SHORT_RUN_STEPS:
        rows = generator.choice(pool, size=min(SHORT_RUN_BATCH, pool), replace=False)
        gradients = program.gradients(inputs[rows], labels[rows])
        if not gradients.finite:
            break
        sizes = [float(tf.reduce_max(tf.abs(value))) for value in gradients.values]
        largest = [max(pair) for pair in zip(largest, sizes, strict=True)]
        step(gradients)
        if taken == 0:
            promised, downhill = _first_step(program, start, gradients)
        taken += 1
    else:
        outputs = program.outputs(inputs[held_out])
        loss_after, spread = program.loss_of(labels[held_out], outputs), _spread(outputs)
    return ShortRun(
        finite=math.isfinite(loss_after),
        steps=taken,
        loss_before=loss_before,
        loss_after=loss_after,
        promised=promised,
        downhill=downhill,
        largest=largest,
        moved=_moved(program, start),
        spread=spread,
    )


def overfit(program: Program, step: Step, steps: int) -> Overfit:
    """Train on the first OVERFIT_BATCH examples until all are right.

    After `steps` it goes on for as long as the loss still falls by a fifth in 25 steps, at most
    four times as long. Random layers of Keras draw the same in every step: a picture that is
    shifted anew each time takes much longer to memorise. The trained weights stay in place.
    """
    inputs, labels = program.inputs[:OVERFIT_BATCH], program.labels[:OVERFIT_BATCH]
    best, losses, finite = 0.0, list[float](), True
    for taken in range(4 * steps + 1):
        program.rewind_streams()
        gradients = program.gradients(inputs, labels)
        losses.append(gradients.loss)
        finite = gradients.finite
        if not finite:
            break
        best = max(best, program.target.score(labels, gradients.outputs))
        # Dropout can keep the training outputs from ever being all right.
        if best < 1.0 and taken % 5 == 0:
            best = max(best, program.target.score(labels, program.outputs(inputs)))
        falling = taken >= 25 and 0 < losses[-1] < 0.8 * losses[-26]
        if best == 1.0 or (taken >= steps and not falling):
            break
        step(gradients)
    return Overfit(
        accuracy=best, steps=taken, first_loss=losses[0], last_loss=losses[-1], finite=finite
    )


def _first_step(
    program: Program, start: list[np.ndarray], gradients: Gradients
) -> tuple[float, float]:
    """Return `promised` and `downhill` of a ShortRun, from the weights before the step."""
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
    """Return the largest difference between rows of `outputs`, relative to their size."""
    if not np.isfinite(outputs).all():
        return math.nan
    return float((outputs.max(0) - outputs.min(0)).max() / max(np.abs(outputs).max(), 1e-30))


def _moved(program: Program, start: list[np.ndarray]) -> list[float]:
    return [
        float(np.abs(v.numpy() - before).max())
        for v, before in zip(program.trained, start, strict=True)
    ]
