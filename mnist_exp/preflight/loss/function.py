"""Judge the loss as a function of (labels, outputs).

That is cheap, and it does not depend on how the model was initialised.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.loss.reference import reference_outputs
from mnist_exp.preflight.program.loss_kind import LossInput
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.program.tasks import ONE_OF_MANY, YES_OR_NO, Target, Task

LOSS_EXAMPLES = 64
_MOST_OUTPUTS = 1_000_000  # of all examples together


class Reduction(StrEnum):
    """How a loss combines the examples of a batch."""

    MEAN = "mean"
    SUM = "sum"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class LossFacts:
    """What is known about a loss: what it expects as outputs, how it combines the examples."""

    takes: LossInput
    reduction: Reduction

    def per_example(self, loss: float, count: int) -> float:
        """Return the loss per example, from the loss of a batch of `count` examples."""
        return loss / count if self.reduction == Reduction.SUM else loss


@dataclass(frozen=True, kw_only=True)
class Batch:
    """The examples on which a loss is judged.

    labels [B, ...]: as the program gives them.
    outputs [B, ...]: such as any loss of the task can take.
    """

    labels: np.ndarray
    outputs: np.ndarray


def examples_for(target: Target) -> int:
    """Return how many examples a loss is judged on: fewer where each has very many outputs."""
    return min(LOSS_EXAMPLES, max(4, _MOST_OUTPUTS // max(1, math.prod(target.shape))))


def check_loss(checkup: Checkup, program: Program, outputs: np.ndarray, seed: int) -> LossFacts:
    """Check all that can be seen from the loss alone, but for its size.

    outputs [B, ...]: the model's own, for the first examples of the program's sample.
    """
    target, count = program.target, len(outputs)
    labels = program.labels[:count]
    batch = Batch(labels=labels, outputs=reference_outputs(target, labels, seed))
    known = target.task is not Task.UNKNOWN
    if not known:  # what its loss can take is not known, but that it takes these is
        batch = Batch(labels=labels, outputs=outputs)
    value, gradient, shape = program.loss_gradient(labels, batch.outputs)
    facts = LossFacts(takes=target.takes, reduction=_reduction(checkup, program, batch))
    if known:
        _check_shape(checkup, shape, count, target)
    if known and math.isfinite(value):
        _check_leak(checkup, program, seed)
    _check_labels_used(checkup, program, batch, outputs, seed)
    if known and not checkup.has("LOSS_IGNORES_LABELS") and np.isfinite(gradient).all():
        _check_direction(checkup, target, batch, gradient)
    return facts


def _check_shape(checkup: Checkup, shape: tuple[int, ...], count: int, target: Target) -> None:
    """Check that a loss gives one number, or one for each example, position or output."""
    several = target.task is Task.CLASSES
    if shape in ((), (count,)) or (not several and shape[0] == count and shape != (count, count)):
        return
    wrong_axis = several and shape == (target.num_classes,)
    if shape == (count, count):
        return  # labels [B, 1] against outputs [B]: LOSS_IGNORES_LABELS
    checkup.find(
        "EXAMPLES_LEAK",
        f"For {count} examples the loss has shape {list(shape)}; expected one number, or one per "
        "example"
        + (": it is summed over the examples, not over the classes." if wrong_axis else "."),
        {"shape": list(shape), "examples": count},
        case="shape by class" if wrong_axis else "shape",
    )


def _check_leak(checkup: Checkup, program: Program, seed: int) -> None:
    """Replace the second half of a batch: the gradient at the first half must keep its direction.

    Only the direction, because a mean weighted by class counts rightly changes the size. A loss of
    yes and no or of numbers may rightly look at the whole batch, such as the overlap of two masks;
    what is too much for these is a large turn.
    """
    half = examples_for(program.target) // 2
    target, labels = program.target, program.labels[: 3 * half]
    if len(labels) < 3 * half:
        return
    reference = reference_outputs(target, labels, seed)
    rows = [np.arange(2 * half), np.r_[np.arange(half), np.arange(2 * half, 3 * half)]]
    first, second = (program.loss_gradient(labels[r], reference[r])[1][:half] for r in rows)
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        return
    size = float(np.linalg.norm(first) * np.linalg.norm(second))
    leak = 1 - float(np.sum(first * second)) / size if size > 0 else 0.0
    several = target.task in ONE_OF_MANY
    checkup.measure("loss.leak" if several else "loss.leak_of_batch", leak)
    limit = thresholds.LOSS_LEAK if several else thresholds.LOSS_LEAK_OF_BATCH
    if leak >= limit:
        checkup.find(
            "EXAMPLES_LEAK",
            f"Replacing {half} examples of a batch turns the loss gradient of the {half} others "
            f"(cosine {1 - leak:.3f} instead of 1).",
            {"cosine": 1 - leak},
            case="loss",
        )


def _check_labels_used(
    checkup: Checkup, program: Program, batch: Batch, own_outputs: np.ndarray, seed: int
) -> None:
    """Permute the labels and see whether the gradient with respect to the outputs changes.

    With respect to the outputs, because the weights hide it: in a network of zeros only the readout
    bias has a gradient, and that depends on the class counts alone, which a permutation keeps.
    """
    permutation = _deranged(program.target.answers(batch.labels), seed)
    if permutation is None:  # one class only: there is nothing to permute
        return
    gradient_change = loss_change = -1.0
    has_slope = False
    for outputs in (own_outputs, batch.outputs):
        value, gradient, _ = program.loss_gradient(batch.labels, outputs)
        permuted_value, permuted, _ = program.loss_gradient(batch.labels[permutation], outputs)
        if not (np.isfinite(gradient).all() and np.isfinite(permuted).all()):
            continue
        size = max(np.linalg.norm(gradient), np.linalg.norm(permuted))
        change = float(np.linalg.norm(gradient - permuted) / size) if size > 0 else 0.0
        gradient_change = max(gradient_change, change)
        has_slope |= bool(size > 0)
        if math.isfinite(value) and math.isfinite(permuted_value):
            change = abs(value - permuted_value) / max(abs(value), 1e-12)
            loss_change = max(loss_change, change)
    checkup.measure("loss.gradient_change", gradient_change)
    checkup.measure("loss.value_change", loss_change)
    if not 0 <= gradient_change < thresholds.LABEL_SENSITIVITY:
        return
    if not has_slope and loss_change >= thresholds.LABEL_SENSITIVITY:
        return  # it uses the labels, but has no gradient at all: GRADIENT_ZERO reports that
    if has_slope and _is_the_same_everywhere(program, batch):
        checkup.find(
            "LOSS_NOT_MINIMISED",
            "The loss falls equally fast whatever the outputs and labels are: it has no minimum.",
            {"gradient_change": gradient_change},
            case="other classes",
        )
        return
    count = len(batch.labels)
    pairs = _compares_pairs(program, batch)
    why = (
        "it compares each output with the labels of all examples"
        if pairs
        else "training cannot learn from the labels"
    )
    checkup.find(
        "LOSS_IGNORES_LABELS",
        f"Shuffling the labels of {count} examples changes the loss by {max(loss_change, 0):.1%} "
        f"and its gradient by {gradient_change:.1%}: {why}.",
        {"gradient_change": gradient_change, "loss_change": loss_change, "examples": count},
        case="pairs" if pairs else "",
    )


def _is_the_same_everywhere(program: Program, batch: Batch) -> bool:
    """Return True if the slope is one number, at the batch's outputs and at larger ones."""
    slopes = [program.loss_gradient(batch.labels, size * batch.outputs)[1] for size in (1, 2)]
    return bool(np.ptp(slopes) <= thresholds.LABEL_SENSITIVITY * np.abs(slopes).max())


def _deranged(answers: np.ndarray, seed: int) -> np.ndarray | None:
    """Return a permutation that gives most examples another answer, None if there is one only."""
    if len(np.unique(answers)) < 2:
        return None
    generator = np.random.default_rng(seed)
    candidates = [generator.permutation(len(answers)) for _ in range(8)]
    return max(candidates, key=lambda p: float(np.mean(answers[p] != answers)))


def _compares_pairs(program: Program, batch: Batch) -> bool:
    """Return True if a loss that no order of the labels changes is changed by other labels."""
    answers = program.target.answers(batch.labels).reshape(len(batch.labels), -1)
    lower = np.argsort(answers.mean(axis=1))[: (len(answers) + 1) // 2]
    others = batch.labels[np.resize(lower, len(answers))]
    before = program.loss_of(batch.labels, batch.outputs)
    after = program.loss_of(others, batch.outputs)
    return bool(abs(after - before) > thresholds.LABEL_SENSITIVITY * max(abs(before), 1e-12))


def _check_direction(checkup: Checkup, target: Target, batch: Batch, gradient: np.ndarray) -> None:
    """Check that following the loss downhill brings the outputs nearer to the labels.

    gradient: of the loss with respect to the outputs [B, ...].
    """
    toward, several = target.toward(batch.labels, batch.outputs), target.task in ONE_OF_MANY
    alignment = _cosine(-gradient, toward) if several else _agreement(-gradient, toward)
    checkup.measure("loss.alignment", alignment)
    if alignment >= thresholds.ALIGNMENT:
        return
    flipped = alignment < -thresholds.ALIGNMENT
    # A loss of several outputs together may rightly push single ones away from their labels, but
    # not all of them to one side.
    one_side = np.ptp(np.sign(gradient)) == 0
    if not (flipped or several or target.takes is not LossInput.UNKNOWN or one_side):
        return
    if several or target.task in YES_OR_NO:
        does = "lowers" if flipped else "does not raise"
        message = f"A step that lowers the loss {does} the output of the right class"
    else:
        does = "away from" if flipped else "no nearer to"
        message = f"A step that lowers the loss brings the outputs {does} their targets"
    checkup.find(
        "LOSS_NOT_MINIMISED",
        f"{message}: {'cosine' if several else 'agreement'} {alignment:+.2f} between the two "
        f"({'a cross entropy has +0.9' if several else 'it should be near +1'}).",
        {"alignment": alignment},
        case="sign" if flipped else "other classes",
    )


def _cosine(downhill: np.ndarray, toward: np.ndarray) -> float:
    """Return the mean cosine between the two for the outputs [..., C] of an answer."""
    norms = np.linalg.norm(downhill, axis=-1) * np.linalg.norm(toward, axis=-1)
    counted = np.linalg.norm(toward, axis=-1) > 0
    cosines = np.sum(downhill * toward, axis=-1) / np.maximum(norms, 1e-30)
    return float(np.mean(cosines[counted]))


def _agreement(downhill: np.ndarray, toward: np.ndarray) -> float:
    """Return the mean product of the signs of the two, over the outputs that have a slope.

    Not of the sizes: a loss of rare labels may weigh these a hundred times.
    """
    product = np.sign(downhill) * np.sign(toward)
    return float(product[product != 0].mean()) if product.any() else 1.0


def _reduction(checkup: Checkup, program: Program, batch: Batch) -> Reduction:
    """Repeat a batch once: a mean stays, a sum doubles."""
    labels, outputs = batch.labels, batch.outputs
    once = program.loss_of(labels, outputs)
    twice = program.loss_of(np.concatenate([labels, labels]), np.concatenate([outputs, outputs]))
    if not math.isfinite(once) or once == 0:
        return Reduction.UNKNOWN
    ratio = twice / once
    checkup.measure("loss.doubling", ratio)
    if abs(ratio - 1) < 0.02:
        return Reduction.MEAN
    return Reduction.SUM if abs(ratio - 2) < 0.02 else Reduction.UNKNOWN
