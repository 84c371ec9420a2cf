"""Judge how large a loss is: its scale, and its first value."""

import math

import numpy as np

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.loss.function import LossFacts, Reduction
from mnist_exp.preflight.loss.reference import cross_entropy, reference_outputs, uniform_outputs
from mnist_exp.preflight.program.loss_kind import LossInput
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.program.tasks import ONE_OF_MANY, YES_OR_NO

_KERAS_MOST = -math.log(1e-7)  # Keras' cross entropy where the right class has a probability of 0


def check_multiple(
    checkup: Checkup, program: Program, facts: LossFacts, labels: np.ndarray
) -> None:
    """Check a cross entropy for INITIAL_LOSS_UNEXPECTED: is it one per answer, in nats?

    A loss that is not the same multiple of the cross entropy everywhere is another one, such as a
    focal or a weighted one, whose scale nobody expects. A sum over positions or labels is usual.
    """
    target = program.target
    uniform = uniform_outputs(target, labels)
    several = target.task in ONE_OF_MANY
    if not (several or target.task in YES_OR_NO) or uniform is None or labels.min() < 0:
        return
    if facts.takes is LossInput.NUMBERS or target.kind.ignored:
        return
    count = len(labels)
    value = facts.per_example(program.loss_of(labels, uniform), count)
    expected = cross_entropy(target, labels, uniform)
    ratio = value / expected
    checkup.measure("loss.at_uniform", ratio)
    answers = math.prod(target.shape[:-1] if several else target.shape)
    deviation = min(abs(ratio - 1), abs(ratio / answers - 1))
    checkup.measure("loss.deviation", deviation)
    if deviation <= thresholds.UNIFORM_LOSS:
        return
    exchanged = (1 - 1 / target.num_classes) * _KERAS_MOST
    if several and abs(value - exchanged) < thresholds.SAME_LOSS * exchanged:
        checkup.find(
            "INITIAL_LOSS_UNEXPECTED",
            f"Where every class gets 1/{target.num_classes}, the loss is {value:.4g} per example: "
            "that of a cross entropy whose labels are the outputs, and whose outputs the labels.",
            {"loss_at_uniform": value},
            case="exchanged",
        )
        return
    other = reference_outputs(target, labels, 0)
    elsewhere = facts.per_example(program.loss_of(labels, other), count)
    elsewhere /= cross_entropy(target, labels, other)
    if math.isfinite(ratio) and abs(elsewhere - ratio) > thresholds.SAME_MULTIPLE * abs(ratio):
        return
    classes = target.num_classes if several else 2
    checkup.find(
        "INITIAL_LOSS_UNEXPECTED",
        f"Where every {'class gets' if several else 'yes has'} 1/{classes}, the loss is "
        f"{value:.4g} per example (reduction: {facts.reduction}); a cross entropy is ln {classes} "
        f"= {math.log(classes):.4f} there.",
        {"loss_at_uniform": value, "ln_classes": math.log(classes), "reduction": facts.reduction},
        case="uniform" if several else "yes or no",
    )


def check_initial(
    checkup: Checkup,
    program: Program,
    facts: LossFacts,
    outputs: np.ndarray,
    trained_on: np.ndarray | None = None,
) -> None:
    """Check the model's own first outputs [B, ...] for INITIAL_LOSS_UNEXPECTED.

    A fresh model that is confident is confidently wrong: its loss is compared with that of a guess
    which does not look at the inputs. A loss whose scale is unusual was reported by
    `check_multiple`, and is not reported again.

    trained_on: what a training step gives for the first examples. Where its loss is no higher than
        usual, as with batch statistics in place of averages that do not follow yet, nothing is.
    """
    target, labels = program.target, program.labels[: len(outputs)]
    uniform = uniform_outputs(target, labels)
    if uniform is None:
        return
    guess = program.loss_of(labels, uniform)
    numbers = target.task not in ONE_OF_MANY | YES_OR_NO
    if numbers:  # a model that gives 0 knows nothing, either
        guess = max(guess, program.loss_of(labels, np.zeros_like(uniform)))
    first, score = program.loss_of(labels, outputs), target.score(labels, outputs)
    if not (math.isfinite(first) and guess > 0):
        return
    ratio = first / guess
    checkup.measure("loss.initial", ratio)
    if checkup.has("INITIAL_LOSS_UNEXPECTED"):
        return
    too_high = ratio > thresholds.INITIAL_LOSS_HIGH
    if too_high and trained_on is not None and facts.reduction is Reduction.MEAN:
        in_training = program.loss_of(labels[: len(trained_on)], trained_on)
        too_high = in_training > thresholds.INITIAL_LOSS_HIGH * guess
    too_low = ratio < thresholds.INITIAL_LOSS_LOW and score < 0.5 and not numbers
    if too_high or too_low:
        reduction = facts.reduction
        loss, known = (facts.per_example(value, len(outputs)) for value in (first, guess))
        how_right = "" if numbers else f" at accuracy {score:.0%}"
        checkup.find(
            "INITIAL_LOSS_UNEXPECTED",
            f"The first loss is {loss:.3g} per example (reduction: {reduction}){how_right}; a "
            f"model that knows nothing yet has about {known:.2f}.",
            {"loss": loss, "guess": known, "score": score, "reduction": reduction},
            case="high" if too_high else "low",
        )
