"""Judge the loss as a function of (labels, outputs).

That is cheap, and it does not depend on how the model was initialised.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.loss_kind import LossInput
from mnist_exp.preflight.program import Program

LOSS_EXAMPLES = 64


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

    labels: as the program gives them.
    classes: the same as integers [B].
    outputs: probabilities [B, C] drawn at random, which are also valid as (mild) logits.
    """

    labels: np.ndarray
    classes: np.ndarray
    outputs: np.ndarray


def reference_outputs(count: int, num_classes: int, seed: int) -> np.ndarray:
    """Draw probabilities [count, num_classes]: valid as probabilities, and as (mild) logits."""
    logits = np.random.default_rng(seed).normal(size=(count, num_classes))
    exponentials = np.exp(logits)
    probabilities: np.ndarray = exponentials / exponentials.sum(1, keepdims=True)
    return probabilities.astype(np.float32)


def check_loss(checkup: Checkup, program: Program, outputs: np.ndarray, seed: int) -> LossFacts:
    """Check all that can be seen from the loss alone.

    outputs [LOSS_EXAMPLES, C]: the model's own, for the first examples of the program's sample.
    """
    count = len(outputs)
    batch = Batch(
        labels=program.labels[:count],
        classes=program.classes[:count],
        outputs=reference_outputs(count, program.num_classes, seed),
    )
    value, gradient, shape = program.loss_gradient(batch.labels, batch.outputs)
    facts = LossFacts(takes=program.target.takes, reduction=_reduction(checkup, program, batch))
    _check_shape(checkup, shape, count, program.num_classes)
    if math.isfinite(value):
        _check_leak(checkup, program, seed)
    _check_labels_used(checkup, program, batch, outputs, seed)
    if not checkup.has("LOSS_IGNORES_LABELS") and np.isfinite(gradient).all():
        _check_direction(checkup, gradient, batch.classes)
    _check_calibration(checkup, program, batch.labels, facts)
    return facts


def _check_shape(checkup: Checkup, shape: tuple[int, ...], count: int, num_classes: int) -> None:
    if shape in ((), (count,)):
        return
    wrong_axis = shape == (num_classes,)
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

    Only the direction, because a mean weighted by class counts rightly changes the size.
    """
    half = LOSS_EXAMPLES // 2
    labels = program.labels
    if len(labels) < 3 * half:
        return
    reference = reference_outputs(3 * half, program.num_classes, seed)
    rows = [np.arange(2 * half), np.r_[np.arange(half), np.arange(2 * half, 3 * half)]]
    first, second = (program.loss_gradient(labels[r], reference[r])[1][:half] for r in rows)
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        return
    size = float(np.linalg.norm(first) * np.linalg.norm(second))
    leak = 1 - float(np.sum(first * second)) / size if size > 0 else 0.0
    checkup.measure("loss.leak", leak)
    if leak >= thresholds.LOSS_LEAK:
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
    permutation = _deranged(batch.classes, seed)
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
    count = len(batch.labels)
    checkup.find(
        "LOSS_IGNORES_LABELS",
        f"Shuffling the labels of {count} examples changes the loss by {max(loss_change, 0):.1%} "
        f"and its gradient by {gradient_change:.1%}: training cannot learn from the labels.",
        {"gradient_change": gradient_change, "loss_change": loss_change, "examples": count},
    )


def _deranged(classes: np.ndarray, seed: int) -> np.ndarray | None:
    """Return a permutation that gives most examples another class, None if there is one class."""
    if len(np.unique(classes)) < 2:
        return None
    generator = np.random.default_rng(seed)
    candidates = [generator.permutation(len(classes)) for _ in range(8)]
    return max(candidates, key=lambda p: float(np.mean(classes[p] != classes)))


def _check_direction(checkup: Checkup, gradient: np.ndarray, classes: np.ndarray) -> None:
    """Check that following the loss downhill raises the output of the right class most.

    gradient: of the loss with respect to the outputs [B, C]. classes [B].
    """
    num_classes = gradient.shape[1]
    toward_label = np.eye(num_classes)[classes] - 1 / num_classes
    downhill = -gradient
    norms = np.linalg.norm(downhill, axis=1) * np.linalg.norm(toward_label, axis=1)
    alignment = float(np.mean(np.sum(downhill * toward_label, axis=1) / np.maximum(norms, 1e-30)))
    checkup.measure("loss.alignment", alignment)
    if alignment >= thresholds.ALIGNMENT:
        return
    flipped = alignment < -thresholds.ALIGNMENT
    checkup.find(
        "LOSS_NOT_MINIMISED",
        f"A step that lowers the loss {'lowers' if flipped else 'does not raise'} the output of "
        f"the right class: cosine {alignment:+.2f} between the two (a cross entropy has +0.9).",
        {"alignment": alignment},
        case="sign" if flipped else "other classes",
    )


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


def _check_calibration(
    checkup: Checkup, program: Program, labels: np.ndarray, facts: LossFacts
) -> None:
    """Check that the loss is ln C per example where every class gets 1/C.

    A model that knows nothing gives these outputs, and a cross entropy is ln C there.
    """
    count, classes = len(labels), program.num_classes
    uniform = {LossInput.LOGITS: 0.0, LossInput.LOG_PROBABILITIES: -math.log(classes)}
    outputs = np.full((count, classes), uniform.get(facts.takes, 1 / classes), np.float32)
    value = facts.per_example(program.loss_of(labels, outputs), count)
    ratio = value / math.log(classes)
    checkup.measure("loss.at_uniform", ratio)
    if math.isfinite(ratio) and abs(ratio - 1) <= thresholds.UNIFORM_LOSS:
        return
    checkup.find(
        "INITIAL_LOSS_UNEXPECTED",
        f"Where every class gets 1/{classes}, the loss is {value:.4g} per example (reduction: "
        f"{facts.reduction}); a cross entropy is ln {classes} = {math.log(classes):.4f} there.",
        {"loss_at_uniform": value, "ln_classes": math.log(classes), "reduction": facts.reduction},
        case="uniform",
    )


def check_initial(
    checkup: Checkup, program: Program, facts: LossFacts, outputs: np.ndarray
) -> None:
    """Check the model's own first outputs [B, C] for INITIAL_LOSS_UNEXPECTED.

    A fresh model that is confident is confidently wrong. A loss whose scale is unusual at uniform
    outputs was reported by `check_loss`, and is not reported again.
    """
    count, classes = len(outputs), program.num_classes
    loss = facts.per_example(program.loss_of(program.labels[:count], outputs), count)
    ratio = loss / math.log(classes)
    accuracy = program.target.score(program.labels[:count], outputs)
    checkup.measure("loss.initial", ratio)
    if checkup.has("INITIAL_LOSS_UNEXPECTED") or not math.isfinite(ratio):
        return  # the scale of the loss itself is unusual
    too_high = ratio > thresholds.INITIAL_LOSS_HIGH
    too_low = ratio < thresholds.INITIAL_LOSS_LOW and accuracy < 0.5
    if too_high or too_low:
        checkup.find(
            "INITIAL_LOSS_UNEXPECTED",
            f"The first loss is {loss:.3g} per example (reduction: {facts.reduction}) at accuracy "
            f"{accuracy:.0%}; a model that knows nothing yet has about ln {classes} = "
            f"{math.log(classes):.2f}.",
            {"loss": loss, "accuracy": accuracy, "reduction": facts.reduction},
            case="high" if too_high else "low",
        )
