"""The loss as a function of (labels, outputs): cheap, and independent of how the model was initialised."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from . import thresholds
from .program import Program
from .report import Finding

LossInput = Literal["logits", "probabilities", "log-probabilities", "unknown"]
LOSS_EXAMPLES = 64


@dataclass(frozen=True)
class LossFacts:
    """takes: what the loss expects; scale: what a batch of n identical examples multiplies one's loss with, per n."""

    takes: LossInput
    reduction: Literal["mean", "sum", "unknown"]
    calibrated: bool  # at uniform outputs it is ln C per example: a cross entropy in nats


def reference_outputs(count: int, num_classes: int, seed: int) -> np.ndarray:
    """Random probabilities [count, num_classes]: valid as probabilities, and as (mild) logits."""
    logits = np.random.default_rng(seed).normal(size=(count, num_classes))
    exponentials = np.exp(logits)
    return (exponentials / exponentials.sum(1, keepdims=True)).astype(np.float32)


def check_loss(
    program: Program, outputs: np.ndarray, seed: int, statistics: dict[str, Any]
) -> tuple[LossFacts, list[Finding]]:
    """outputs [LOSS_EXAMPLES, C]: the model's own, for the first examples of the program's sample."""
    count = len(outputs)
    labels, classes = program.labels[:count], program.classes[:count]
    reference = reference_outputs(count, program.num_classes, seed)
    value, gradient, shape = program.loss_gradient(labels, reference)
    facts = LossFacts(
        takes=_what_it_takes(program, labels, classes, reference, gradient),
        reduction=_reduction(program, labels, reference, statistics),
        calibrated=False,
    )
    findings = _shape(shape, count, program.num_classes)
    if math.isfinite(value):
        findings += _leak(program, seed, statistics)
    ignores = _ignores_labels(program, labels, classes, [outputs, reference], seed, statistics)
    findings += ignores
    if not ignores and np.isfinite(gradient).all():
        findings += _direction(gradient, classes, program.num_classes, statistics)
    calibration = _calibration(program, labels, facts, statistics)
    findings += calibration
    return LossFacts(facts.takes, facts.reduction, calibrated=not calibration), findings


def per_example(facts: LossFacts, loss: float, count: int) -> float:
    return loss / count if facts.reduction == "sum" else loss


def _ignores_labels(
    program: Program,
    labels: np.ndarray,
    classes: np.ndarray,
    points: list[np.ndarray],
    seed: int,
    statistics: dict[str, Any],
) -> list[Finding]:
    """Deal the labels out anew and see whether the gradient with respect to the outputs notices.

    The gradient with respect to the outputs, because the weights hide it: in a network of zeros only the readout
    bias has a gradient, and that depends on the class counts alone, which a permutation keeps.
    """
    permutation = _deranged(classes, seed)
    if permutation is None:  # one class only: there is nothing to permute
        return []
    gradient_change = loss_change = -1.0
    has_slope = False
    for outputs in points:
        value, gradient, _ = program.loss_gradient(labels, outputs)
        other_value, other_gradient, _ = program.loss_gradient(labels[permutation], outputs)
        if not (np.isfinite(gradient).all() and np.isfinite(other_gradient).all()):
            continue
        size = max(np.linalg.norm(gradient), np.linalg.norm(other_gradient))
        change = float(np.linalg.norm(gradient - other_gradient) / size) if size > 0 else 0.0
        gradient_change = max(gradient_change, change)
        has_slope |= bool(size > 0)
        if math.isfinite(value) and math.isfinite(other_value):
            loss_change = max(loss_change, abs(value - other_value) / max(abs(value), 1e-12))
    statistics["loss.gradient_change"] = gradient_change
    statistics["loss.value_change"] = loss_change
    if not 0 <= gradient_change < thresholds.LABEL_SENSITIVITY:
        return []
    if not has_slope and loss_change >= thresholds.LABEL_SENSITIVITY:
        return []  # it uses the labels, but has no gradient at all: another check says so
    return [
        Finding(
            "LOSS_IGNORES_LABELS",
            "error",
            f"Dealing the labels of {len(labels)} examples out anew changes the loss by {max(loss_change, 0):.1%} and "
            f"its gradient by {gradient_change:.1%}: training cannot learn from the labels.",
            "Use the labels in the loss, such as -sum(labels * log(prediction)); this one compares the prediction "
            "with itself, or averages over all pairs of a label and an output.",
            {
                "gradient_change": gradient_change,
                "loss_change": loss_change,
                "examples": len(labels),
            },
        )
    ]


def _deranged(classes: np.ndarray, seed: int) -> np.ndarray | None:
    """A permutation that gives most examples another class."""
    if len(np.unique(classes)) < 2:
        return None
    generator = np.random.default_rng(seed)
    candidates = [generator.permutation(len(classes)) for _ in range(8)]
    return max(candidates, key=lambda p: np.mean(classes[p] != classes))


def _direction(
    gradient: np.ndarray, classes: np.ndarray, num_classes: int, statistics: dict[str, Any]
) -> list[Finding]:
    """Does following the loss downhill raise the output of the right class above the others?"""
    toward_label = np.eye(num_classes)[classes] - 1 / num_classes
    downhill = -gradient
    norms = np.linalg.norm(downhill, axis=1) * np.linalg.norm(toward_label, axis=1)
    alignment = float(np.mean(np.sum(downhill * toward_label, axis=1) / np.maximum(norms, 1e-30)))
    statistics["loss.alignment"] = alignment
    if alignment >= thresholds.ALIGNMENT:
        return []
    flipped = alignment < -thresholds.ALIGNMENT
    return [
        Finding(
            "LOSS_NOT_MINIMISED",
            "error",
            f"A step that lowers the loss {'lowers' if flipped else 'does not raise'} the output of the right class: "
            f"cosine {alignment:+.2f} between the two (a cross entropy has +0.9).",
            "The sign of the loss is flipped; remove or add the minus."
            if flipped
            else "The loss pulls to other classes than the labels name: look for shifted or shuffled labels in it.",
            {"alignment": alignment},
        )
    ]


def _shape(shape: tuple[int, ...], count: int, num_classes: int) -> list[Finding]:
    if shape in ((), (count,)):
        return []
    wrong_axis = shape == (num_classes,)
    return [
        Finding(
            "EXAMPLES_LEAK",
            "error" if wrong_axis else "warning",
            f"For {count} examples the loss has shape {list(shape)}; expected one number, or one per example"
            + (": it is summed over the examples, not over the classes." if wrong_axis else "."),
            "Sum over the last axis (the classes), then take the mean over the first (the examples).",
            {"shape": list(shape), "examples": count},
        )
    ]


def _leak(program: Program, seed: int, statistics: dict[str, Any]) -> list[Finding]:
    """Replace the second half of a batch: the gradient at the first half must keep its direction.

    Only the direction, because a mean weighted by class counts legitimately rescales it.
    """
    half = LOSS_EXAMPLES // 2
    labels = program.labels
    if len(labels) < 3 * half:
        return []
    reference = reference_outputs(3 * half, program.num_classes, seed)
    rows = [np.arange(2 * half), np.r_[np.arange(half), np.arange(2 * half, 3 * half)]]
    first, second = (program.loss_gradient(labels[r], reference[r])[1][:half] for r in rows)
    if not (np.isfinite(first).all() and np.isfinite(second).all()):
        return []
    size = float(np.linalg.norm(first) * np.linalg.norm(second))
    leak = 1 - float(np.sum(first * second)) / size if size > 0 else 0.0
    statistics["loss.leak"] = leak
    if leak < thresholds.LOSS_LEAK:
        return []
    return [
        Finding(
            "EXAMPLES_LEAK",
            "error",
            f"Replacing {half} examples of a batch turns the loss gradient of the {half} others "
            f"(cosine {1 - leak:.3f} instead of 1).",
            "The loss mixes examples: a softmax or sum over the batch axis, or labels [B, 1] against outputs [B].",
            {"cosine": 1 - leak},
        )
    ]


def _what_it_takes(
    program: Program,
    labels: np.ndarray,
    classes: np.ndarray,
    reference: np.ndarray,
    gradient: np.ndarray,
) -> LossInput:
    """Told from the gradient: -1/p at the label, or no change when all outputs of an example are shifted."""
    if not np.isfinite(gradient).all() or not np.any(gradient):
        return "unknown"
    value = program.loss_of(labels, reference)
    shifts = np.linspace(1, 4, len(reference), dtype=np.float32)[:, None]
    shifted = program.loss_of(labels, reference + shifts)
    if math.isfinite(shifted) and abs(shifted - value) <= 1e-4 * max(abs(value), 1e-6):
        return "logits"
    rows = np.arange(len(classes))
    at_label = np.zeros_like(reference)
    at_label[rows, classes] = 1
    # Keras divides probabilities by their sum first, which adds a constant to each row of the gradient.
    others = (gradient.sum(1) - gradient[rows, classes]) / (reference.shape[1] - 1)
    centred = gradient - others[:, None]
    if _cosine(centred, at_label / reference) < -thresholds.PROBABILITY_COSINE:
        return "probabilities"
    if _cosine(centred, at_label) < -thresholds.LOG_PROBABILITY_COSINE:
        return "log-probabilities"
    return "unknown"


def _cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sum(a * b) / (np.linalg.norm(a) * np.linalg.norm(b)))


def _reduction(
    program: Program, labels: np.ndarray, reference: np.ndarray, statistics: dict[str, Any]
) -> Literal["mean", "sum", "unknown"]:
    """A batch repeated once keeps its mean and doubles its sum."""
    once = program.loss_of(labels, reference)
    twice = program.loss_of(
        np.concatenate([labels, labels]), np.concatenate([reference, reference])
    )
    if not math.isfinite(once) or once == 0:
        return "unknown"
    ratio = twice / once
    statistics["loss.doubling"] = ratio
    if abs(ratio - 1) < 0.02:
        return "mean"
    return "sum" if abs(ratio - 2) < 0.02 else "unknown"


def _calibration(
    program: Program, labels: np.ndarray, facts: LossFacts, statistics: dict[str, Any]
) -> list[Finding]:
    """A model that knows nothing gives every class 1/C, and a cross entropy is then ln C per example."""
    count, classes = len(labels), program.num_classes
    uniform = {"logits": 0.0, "probabilities": 1 / classes, "log-probabilities": -math.log(classes)}
    outputs = np.full((count, classes), uniform.get(facts.takes, 1 / classes), np.float32)
    value = per_example(facts, program.loss_of(labels, outputs), count)
    ratio = value / math.log(classes)
    statistics["loss.at_uniform"] = ratio
    if math.isfinite(ratio) and abs(ratio - 1) <= thresholds.UNIFORM_LOSS:
        return []
    return [
        Finding(
            "INITIAL_LOSS_UNEXPECTED",
            "warning",
            f"Where every class gets 1/{classes}, the loss is {value:.4g} per example "
            f"(reduction: {facts.reduction}); a cross entropy is ln {classes} = {math.log(classes):.4f} there.",
            "Expect another scale than published learning rates assume: sum over classes and average over "
            "examples, use the natural logarithm, and count each example once.",
            {
                "loss_at_uniform": value,
                "ln_classes": math.log(classes),
                "reduction": facts.reduction,
            },
        )
    ]


def check_initial(
    program: Program, facts: LossFacts, outputs: np.ndarray, statistics: dict[str, Any]
) -> list[Finding]:
    """INITIAL_LOSS_UNEXPECTED for the model's own first outputs. A confident fresh model is wrong with confidence."""
    count = len(outputs)
    loss = per_example(facts, program.loss_of(program.labels[:count], outputs), count)
    ratio = loss / math.log(program.num_classes)
    accuracy = program.accuracy(outputs, program.classes[:count])
    statistics["loss.initial"] = ratio
    if not facts.calibrated or not math.isfinite(ratio):
        return []
    too_high = ratio > thresholds.INITIAL_LOSS_HIGH
    too_low = ratio < thresholds.INITIAL_LOSS_LOW and accuracy < 0.5
    if not (too_high or too_low):
        return []
    return [
        Finding(
            "INITIAL_LOSS_UNEXPECTED",
            "warning",
            f"The first loss is {loss:.3g} per example (reduction: {facts.reduction}) at accuracy {accuracy:.0%}; "
            f"a model that knows nothing yet has about ln {program.num_classes} = {math.log(program.num_classes):.2f}.",
            "Scale the initial weights down (or the inputs), so that the first outputs are of order 1."
            if too_high
            else "The loss is low without right answers: check that it compares with the labels.",
            {"loss": loss, "accuracy": accuracy, "reduction": facts.reduction},
        )
    ]
