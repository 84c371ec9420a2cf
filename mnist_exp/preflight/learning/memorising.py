"""Train a program on a few examples again and again, until it knows them by heart."""

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mnist_exp.preflight.learning.short_runs import Step
from mnist_exp.preflight.program.batches import Inputs, even
from mnist_exp.preflight.program.breakdown import Breakdown, breakdown
from mnist_exp.preflight.program.passes import Gradients
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.program.tasks import NUMBERS

FEW = 20
FEW_POSITIONS = 100  # answers of all examples together, of which one example may have many
LARGEST_SHARE = 0.7  # of the examples that may be of one class
BITS_OF_NUMBER = 4.0
KNOWN_NUMBERS = 0.95  # score from which numbers are known by heart


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """A few examples, and how a program is trained on them.

    gradients: one pass over the examples in training.
    score: how right outputs [B, ...] are, 1.0 if all are.
    outputs: those of the examples with dropout off; None where they are not to be looked at.
    chance: the score of the best guess that does not look at the inputs.
    enough: the score from which they are known by heart.
    """

    gradients: Callable[[], Gradients]
    score: Callable[[np.ndarray], float]
    outputs: Callable[[], np.ndarray] | None
    chance: float
    enough: float

    def skill(self, score: float) -> float:
        """Return how much of what is left beyond a guess a score is: 0 a guess, 1 all right."""
        return (score - self.chance) / max(1 - self.chance, 1e-6)


@dataclass(frozen=True, kw_only=True)
class Memorised:
    """What training on a few examples did.

    score: the best seen, with dropout on or off.
    steps: how many were taken.
    first_loss, last_loss: with dropout on.
    breakdown: why training stopped at a gradient that is NaN or infinite, None if it did not.
    """

    score: float
    steps: int
    first_loss: float
    last_loss: float
    breakdown: Breakdown | None


def few_examples(program: Program) -> tuple[Inputs, np.ndarray]:
    """Return the inputs and labels of a few examples, all different, and not all of one class.

    Equal inputs may have different labels, which nothing can learn by heart.
    """
    labels = program.labels
    answers = max(1, math.prod(labels.shape[1:]) // (1 if labels.ndim < 3 else labels.shape[-1]))
    count = FEW if labels.ndim == 1 else max(2, min(FEW, FEW_POSITIONS // answers))
    chosen: list[int] = []
    seen: set[bytes] = set()
    shares: dict[bytes, int] = {}
    spare: list[int] = []
    for row in range(len(program.inputs)):
        parts = [np.asarray(array[row]).tobytes() for array in program.inputs.arrays]
        key = hashlib.sha1(b"|".join(parts), usedforsecurity=False).digest()
        if key in seen:
            continue
        seen.add(key)
        answer = labels[row].tobytes()
        if shares.get(answer, 0) >= LARGEST_SHARE * count:
            spare.append(row)
            continue
        shares[answer] = shares.get(answer, 0) + 1
        chosen.append(row)
        if len(chosen) == count:
            break
    rows = np.array((chosen + spare)[:count])
    rows = np.resize(rows, even(len(rows) + 1))  # an odd number: the first one twice
    return program.inputs[rows], labels[rows]


def lesson(program: Program, inputs: Inputs, labels: np.ndarray, training: bool = True) -> Lesson:
    """Return the program's own way to learn these examples."""
    target, weights = program.target, _weights(program, inputs)
    constant = target.constant_outputs(labels)
    chance = 0.0 if constant is None else target.score(labels, constant, weights)
    return Lesson(
        gradients=lambda: program.gradients(inputs, labels, training),
        score=lambda outputs: target.score(labels, outputs, weights),
        outputs=lambda: program.outputs(inputs),
        chance=max(0.0, chance),
        enough=KNOWN_NUMBERS if target.task in NUMBERS else 1.0,
    )


def _weights(program: Program, inputs: Inputs) -> np.ndarray | None:
    """Return how much each example or position counts; padding that Keras masks does not."""
    weights, mask = inputs.weights, program.evaluate(inputs)[1].get("mask")
    if mask is None or len(mask) != len(inputs):
        return weights
    if weights is None or weights.ndim > mask.ndim:
        return mask if weights is None else weights
    return mask * weights.reshape(weights.shape + (1,) * (mask.ndim - weights.ndim))


def memorise(program: Program, given: Lesson, step: Step, steps: int) -> Memorised:
    """Train on a few examples until all are right.

    After `steps` it goes on for as long as the loss still falls by a fifth in 25 steps, at most
    four times as long. Random layers of Keras draw the same in every step: a picture that is
    shifted anew each time takes much longer to memorise. The trained weights stay in place.
    """
    best, losses, why = -math.inf, list[float](), None
    for taken in range(4 * steps + 1):
        program.rewind_streams()
        gradients = given.gradients()
        losses.append(gradients.loss)
        if not gradients.finite:
            why = breakdown(program, gradients)
            break
        best = max(best, given.score(gradients.outputs))
        # Dropout can keep the training outputs from ever being all right.
        if best < given.enough and taken % 5 == 0 and given.outputs is not None:
            best = max(best, given.score(given.outputs()))
        falling = taken >= 25 and 0 < losses[-1] < 0.8 * losses[-26]
        if best >= given.enough or (taken >= steps and not falling):
            break
        step(gradients.values)
    return Memorised(
        score=best, steps=taken, first_loss=losses[0], last_loss=losses[-1], breakdown=why
    )


def capacity(program: Program, labels: np.ndarray) -> float:
    """Return how many trained weights there are for each bit that these labels hold."""
    weights = sum(math.prod(variable.shape) for variable in program.trained)
    target = program.target
    counted = int(np.sum(target.counted(labels)))
    bits = math.log2(max(target.num_classes, 2)) if target.num_classes > 1 else 1.0
    per_answer = BITS_OF_NUMBER if target.task in NUMBERS else bits
    return float(weights / max(counted * per_answer, 1.0))
