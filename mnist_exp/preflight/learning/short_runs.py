"""Train the program for a few steps, on the caller's own weights."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.program.batches import draw, even
from mnist_exp.preflight.program.breakdown import Breakdown, breakdown
from mnist_exp.preflight.program.passes import Gradients, spread_of
from mnist_exp.preflight.program.program import Program

SHORT_RUN_STEPS = 15
SHORT_RUN_BATCH = 32
LAST_STEPS = 5  # whose losses give the training loss
HELD_OUT = 128
# Of a longer run, with Adam, after which it is clear whether anything is learned.
CLEAR_STEPS, CLEAR_RATE = 100, 3e-3

Step = Callable[[list[tf.Tensor]], None]


@dataclass(frozen=True, kw_only=True)
class ShortRun:
    """What SHORT_RUN_STEPS steps over different batches did.

    Losses are on held-out examples, with dropout off, and of the size that the loss gives them.

    finite: False if a gradient or the last loss is NaN or infinite.
    steps: how many were taken.
    loss_before, loss_after: NaN after a run that stopped early.
    training_loss: mean over the last steps, on their own batches and with dropout on; that is how
        batch normalisation works while its moving averages do not follow yet.
    promised: decrease of the loss to first order in the first step, -gradient . step, relative to
        the loss.
    downhill: cosine between that step and minus the gradient.
    largest, moved: max |gradient| and max |change| of each trained variable.
    spread: largest difference between the outputs for different held-out examples, relative to
        their size. Where averages that do not follow yet make all of them equal, it is that
        between the outputs in training for the examples in one order and in another.
    breakdown: why it stopped early, None if it did not.
    """

    finite: bool
    steps: int
    loss_before: float
    loss_after: float
    training_loss: float
    promised: float
    downhill: float
    largest: list[float]
    moved: list[float]
    spread: float
    breakdown: Breakdown | None = None

    @property
    def lowest(self) -> float:
        """Return the lower one of the losses on held-out and on training examples."""
        return min(self.loss_after, self.training_loss) if self.finite else math.inf

    @property
    def fall(self) -> float:
        """Return by which share of itself the loss fell; minus infinity if it is not a number."""
        return 1 - self.lowest / self.loss_before if self.loss_before > 0 else -math.inf

    @property
    def collapsed(self) -> bool:
        """Return True if all held-out examples get the same outputs; False if these are NaN."""
        return self.spread <= thresholds.INPUT_SPREAD


def short_run(
    program: Program, seed: int, step: Step | None = None, steps: int = SHORT_RUN_STEPS
) -> ShortRun:
    """Train for some steps over different batches, with the caller's optimizer or another `step`.

    The trained weights stay in place: call `program.restore()` before and after.
    """
    inputs, labels = program.inputs, program.labels
    held_out = slice(max(0, len(inputs) - HELD_OUT), None)
    weights = inputs[held_out].weights
    pool = max(len(inputs) - HELD_OUT, min(len(inputs), HELD_OUT))
    loss_before = program.loss_of(labels[held_out], program.outputs(inputs[held_out]), weights)
    step = step or program.steps.own.start()
    start = [v.numpy() for v in program.trained]
    generator = np.random.default_rng(seed)
    largest, losses = [0.0] * len(start), list[float]()
    promised = downhill = loss_after = spread = math.nan
    why = None
    while len(losses) < steps:
        rows = draw(generator, pool, SHORT_RUN_BATCH)
        gradients = program.gradients(inputs[rows], labels[rows])
        if not gradients.finite:
            why = breakdown(program, gradients)
            break
        sizes = [float(tf.reduce_max(tf.abs(value))) for value in gradients.values]
        largest = [max(pair) for pair in zip(largest, sizes, strict=True)]
        step(gradients.values)
        if not losses:
            promised, downhill = _first_step(program, start, gradients)
        losses.append(gradients.loss)
    else:
        outputs = program.outputs(inputs[held_out])
        loss_after, spread = program.loss_of(labels[held_out], outputs, weights), spread_of(outputs)
        if spread <= thresholds.INPUT_SPREAD and _keeps_averages(program):
            spread = _spread_in_training(program, held_out)
    return ShortRun(
        finite=math.isfinite(loss_after),
        steps=len(losses),
        loss_before=loss_before,
        loss_after=loss_after,
        training_loss=float(np.mean(losses[-LAST_STEPS:])) if losses else math.nan,
        promised=promised,
        downhill=downhill,
        largest=largest,
        moved=_moved(program, start),
        spread=spread,
        breakdown=why,
    )


def fresh_run(
    program: Program, seed: int, step: Step | None = None, steps: int = SHORT_RUN_STEPS
) -> ShortRun:
    """Do a short run from the initial weights; the trained ones stay in place."""
    program.restore()
    return short_run(program, seed, step, steps)


def clear_run(program: Program, seed: int) -> ShortRun:
    """Train from the initial weights for so long, with Adam, that it is clear what is learned."""
    return fresh_run(program, seed, program.steps.adam.start(CLEAR_RATE), CLEAR_STEPS)


def gain(program: Program, run: ShortRun) -> float:
    """Return by which share a run lowered the loss of the best constant guess, or the first one."""
    constant = program.target.constant_loss(program.labels, program.loss_of)
    base = run.loss_before
    if 0 < constant < base:
        base = constant
    return 1 - run.lowest / base if base > 0 else -math.inf


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
    return descent / max(
        abs(gradients.loss + gradients.penalty), 1e-12
    ), descent / size if size > 0 else math.nan


def _keeps_averages(program: Program) -> bool:
    """Return True if the model has numbers that are not trained, as batch normalisation has."""
    trainable = {id(variable) for variable in program.trainable}
    return any(v.dtype.is_floating and id(v) not in trainable for v in program.variables)


def _spread_in_training(program: Program, rows: slice) -> float:
    """Return how far the outputs of a training step follow the examples, if these are turned round.

    What is drawn at random stays in its place. A deep network with batch normalisation may give
    all examples the same as long as it is evaluated with the first averages.
    """
    inputs, labels = program.inputs[rows], program.labels[rows]
    first = np.arange(even(len(inputs)))
    found = []
    for order in (first, first[::-1]):
        program.rewind_streams()
        found.append(program.gradients(inputs[order], labels[order]).outputs)
    return spread_of(np.stack(found))


def _moved(program: Program, start: list[np.ndarray]) -> list[float]:
    return [
        float(np.abs(v.numpy() - before).max())
        for v, before in zip(program.trained, start, strict=True)
    ]
