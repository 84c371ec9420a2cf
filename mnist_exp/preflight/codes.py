"""The table of codes: how grave each finding is, what it means, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum

from mnist_exp.preflight import thresholds


class Severity(StrEnum):
    """How grave a finding is."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One way in which a code comes about.

    seen: what preflight saw, for the table in docs/preflight.md.
    cause: the mistakes that usually cause it, for the same table.
    advice: what to do; the last sentence of the finding.
    severity: an error means that training cannot give what it should, a warning that something is
        unusual.
    """

    seen: str
    cause: str
    advice: str
    severity: Severity = Severity.ERROR


_SHUFFLE = (
    "Shuffle before taking a part of a sorted set; otherwise weigh the classes, and don't trust "
    "accuracy alone."
)
_SUM_OVER_CLASSES = (
    "Sum over the last axis (the classes), then take the mean over the first (the examples)."
)
_LIFT_BIASES = (
    "Start biases at 0 or slightly above, centre the inputs, and look for a sign error before the "
    "ReLU."
)

# By code and case; a code that comes about in one way only has the case "". Codes stand in the
# order of the checks.
CASES: dict[tuple[str, str], Case] = {
    ("LABELS_OUT_OF_RANGE", ""): Case(
        seen="a label is below 0, or not below the number of outputs",
        cause="classes numbered from 1; a readout that is too small",
        advice="Number the classes from 0, and give the model one output per class.",
    ),
    ("CLASS_IMBALANCE", "one class"): Case(
        seen="all labels are the same class",
        cause="the first part of a sorted set; a filter",
        advice=_SHUFFLE,
    ),
    ("CLASS_IMBALANCE", "uneven"): Case(
        seen=f"a class has more than {thresholds.LARGEST_CLASS:g} times its even share (of two "
        "classes: more than 90%), or never occurs, and that is no chance",
        cause="the first part of a sorted set; a filter",
        advice=_SHUFFLE,
        severity=Severity.WARNING,
    ),
    ("INPUT_IGNORED", "images"): Case(
        seen="all images are the same",
        cause="integer division of the pixels; images that are overwritten or multiplied by 0",
        advice="Look at what the input pipeline returns; an integer division of 0..255 by 255 "
        "gives this.",
    ),
    ("INPUT_IGNORED", "outputs"): Case(
        seen="after a short run all images get the same outputs",
        cause="images that are overwritten or multiplied by 0; dead layers",
        advice="Follow the images through the model: they are overwritten, multiplied by 0, or "
        "stopped by dead units.",
    ),
    ("LABELS_UNRELATED", ""): Case(
        seen="a linear probe and the nearest neighbour do no better than guessing the most "
        "frequent class",
        cause="images and labels shuffled apart, shifted by one row, or from different splits",
        advice="Check that images and labels were shuffled together, sorted together and read from "
        "the same split.",
    ),
    ("INPUT_SCALE", ""): Case(
        seen="the root mean square of what reaches the first weights, after any rescaling layer, "
        f"is above {thresholds.INPUT_RMS_HIGH:g} or below {thresholds.INPUT_RMS_LOW:g}",
        cause="pixels fed as 0..255; division by 255 twice",
        advice="Divide the pixels by 255, once.",
    ),
    ("EXAMPLES_LEAK", "shape by class"): Case(
        seen="the loss returns one value per class",
        cause="a sum over the batch axis",
        advice=_SUM_OVER_CLASSES,
    ),
    ("EXAMPLES_LEAK", "shape"): Case(
        seen="the loss returns neither one number nor one per example",
        cause="a sum over the wrong axis, or over none",
        advice=_SUM_OVER_CLASSES,
        severity=Severity.WARNING,
    ),
    ("EXAMPLES_LEAK", "loss"): Case(
        seen="exchanging other examples turns an example's loss gradient",
        cause="a softmax, mean or sum over the batch axis in the loss; labels `[B, 1]` against "
        "outputs `[B]`",
        advice="The loss mixes examples: a softmax or sum over the batch axis, or labels [B, 1] "
        "against outputs [B].",
    ),
    ("EXAMPLES_LEAK", "outputs"): Case(
        seen="exchanging other examples of the batch changes an example's output",
        cause="a softmax or mean over the batch axis in the model; a wrong reshape",
        advice="An operation runs over the batch axis: softmax or normalise over the last axis, "
        "reshape with -1 first.",
    ),
    ("LOSS_IGNORES_LABELS", ""): Case(
        seen="shuffling the labels changes neither the loss nor its gradient with respect to the "
        "outputs",
        cause="the prediction compared with itself, `-sum(y * log y)`; labels `[B, 1]` against "
        "outputs `[B]`",
        advice="Use the labels in the loss, such as -sum(labels * log(prediction)); this one "
        "compares the prediction with itself, or averages over all pairs of a label and an output.",
    ),
    ("LOSS_NOT_MINIMISED", "sign"): Case(
        seen="lowering the loss lowers the output of the right class",
        cause="a flipped sign",
        advice="The sign of the loss is flipped; remove or add the minus.",
    ),
    ("LOSS_NOT_MINIMISED", "other classes"): Case(
        seen="lowering the loss does not raise the output of the right class",
        cause="labels shifted or shuffled inside the loss",
        advice="The loss pulls to other classes than the labels name: look for shifted or shuffled "
        "labels in it.",
    ),
    ("LOSS_NOT_MINIMISED", "optimizer"): Case(
        seen="the first step of the optimizer goes up the loss",
        cause="a negative learning rate; an optimizer that adds the gradient",
        advice="The learning rate or the gradient has the wrong sign.",
    ),
    ("INITIAL_LOSS_UNEXPECTED", "uniform"): Case(
        seen="where all outputs are equal, the loss is not ln C per example (C classes)",
        cause="a mean over the classes; `log2`; an average taken twice",
        advice="Expect another scale than published learning rates assume: sum over classes and "
        "average over examples, use the natural logarithm, and count each example once.",
        severity=Severity.WARNING,
    ),
    ("INITIAL_LOSS_UNEXPECTED", "high"): Case(
        seen=f"the first loss is above {thresholds.INITIAL_LOSS_HIGH:g} ln C per example",
        cause="large initial weights",
        advice="Scale the initial weights down (or the inputs), so that the first outputs are of "
        "order 1.",
        severity=Severity.WARNING,
    ),
    ("INITIAL_LOSS_UNEXPECTED", "low"): Case(
        seen=f"the first loss is below {thresholds.INITIAL_LOSS_LOW:g} ln C per example, at an "
        "accuracy below 50%",
        cause="a loss that does not compare with the labels",
        advice="The loss is low without right answers: check that it compares with the labels.",
        severity=Severity.WARNING,
    ),
    ("OUTPUT_ALREADY_PROBABILITIES", ""): Case(
        seen="the loss applies softmax, and the outputs come from softmax or sigmoid already",
        cause="softmax twice",
        advice="Give the loss the logits, or use a loss on probabilities; twice softmax keeps the "
        "loss above 1.46.",
    ),
    ("OUTPUT_NOT_PROBABILITIES", "logarithm"): Case(
        seen="the loss takes the logarithm of outputs that are no probabilities",
        cause="softmax missing; `from_logits=True` missing",
        advice="Apply softmax to the outputs, or tell the loss that it gets logits "
        "(from_logits=True).",
    ),
    ("OUTPUT_NOT_PROBABILITIES", "log-probabilities"): Case(
        seen="the loss is minus the output of the right class, and the outputs are no logarithms "
        "of probabilities",
        cause="`log_softmax` missing",
        advice="Apply log_softmax to the outputs, or use a cross entropy that takes logits.",
    ),
    ("DEAD_UNITS", "most"): Case(
        seen=f"more than {thresholds.DEAD_SHARE_ERROR:.0%} of the units of a ReLU give 0 for all "
        "of 256 examples",
        cause="a large negative bias; a minus before the ReLU",
        advice=_LIFT_BIASES,
    ),
    ("DEAD_UNITS", "many"): Case(
        seen=f"more than {thresholds.DEAD_SHARE_WARNING:.0%} of the units of a ReLU give 0 for all "
        "of 256 examples",
        cause="a large negative bias; a minus before the ReLU",
        advice=_LIFT_BIASES,
        severity=Severity.WARNING,
    ),
    ("SATURATED_ACTIVATIONS", ""): Case(
        seen="more than half of the values of a sigmoid or tanh are within 1% of its limits",
        cause="large initial weights; large inputs",
        advice="Scale the initial weights by 1/sqrt(inputs) (Glorot), or the inputs to [0, 1].",
        severity=Severity.WARNING,
    ),
    ("VARIABLE_NOT_TRAINED", "disconnected"): Case(
        seen="the loss does not depend on a variable",
        cause="`stop_gradient` or numpy on the way; a layer that is not called",
        advice="Use the variable, and look for stop_gradient, argmax, rounding or numpy between it "
        "and the loss.",
    ),
    ("VARIABLE_NOT_TRAINED", "not listed"): Case(
        seen="the model reads a variable that `trainable_variables` leaves out",
        cause="a layer that Keras does not track",
        advice="Assign the layer to an attribute of the model, or add the variable to the list.",
    ),
    ("VARIABLE_NOT_TRAINED", "frozen"): Case(
        seen="a variable of two or more dimensions is marked as not trainable",
        cause="a layer that is still frozen",
        advice="Set layer.trainable = True, unless it is frozen on purpose.",
        severity=Severity.WARNING,
    ),
    ("VARIABLE_NOT_TRAINED", "unchanged"): Case(
        seen="a variable has a gradient, and the optimizer does not change it",
        cause="a learning rate of 0; a filter in the optimizer",
        advice="Check the learning rate (0, or too small for float32), clipping, and any filter on "
        "variables.",
    ),
    ("SYMMETRIC_INIT", ""): Case(
        seen="at least half of the units of a hidden layer have the same weights and the same "
        "gradient as another unit",
        cause="zeros or a constant as hidden weights (a linear model may have them: it is not "
        "reported)",
        advice="Initialise hidden weights at random (zeros are right for a linear model only).",
    ),
    ("GRADIENT_NON_FINITE", "loss"): Case(
        seen="the loss or a gradient is NaN or infinite at the initial weights (the outputs are "
        "finite), or soon and at every learning rate",
        cause="`log(softmax)` that underflows; `sqrt(0)`",
        advice="Compute the cross entropy from logits instead of log(softmax), and look for "
        "log(0), 0/0 or sqrt(0).",
    ),
    ("GRADIENT_NON_FINITE", "model"): Case(
        seen="the outputs are NaN or infinite at the initial weights",
        cause="NaN in the weights; `exp` of a large number",
        advice="The model itself overflows: look for NaN in the images or weights, and for exp or "
        "division.",
    ),
    ("TRAIN_EVAL_MISMATCH", ""): Case(
        seen="evaluating the same images twice gives different outputs, or a normalisation uses "
        "the statistics of the batch while evaluating",
        cause="`training=True` by hand; dropout in a plain function",
        advice="Pass the training flag through to dropout and batch normalisation, and evaluate "
        "with training=False.",
    ),
    ("GRADIENT_ZERO", ""): Case(
        seen="the gradient of a variable is exactly 0, at first and during a short run",
        cause="zero weights under a ReLU (`SYMMETRIC_INIT`); `DEAD_UNITS`; an accuracy as the loss",
        advice="No signal comes through: zero weights with ReLU, dead or saturated units, or a "
        "loss without a slope.",
    ),
    ("LEARNING_RATE_TOO_HIGH", ""): Case(
        seen="after 15 steps the loss has not fallen by 5%, is NaN, or all outputs are equal, and "
        "a far lower learning rate does much better",
        cause="a learning rate for another loss or optimizer; a sum instead of a mean",
        advice="Divide the learning rate by 10 until the loss falls (a summed loss needs one "
        "smaller by the batch size).",
    ),
    ("LEARNING_RATE_TOO_LOW", ""): Case(
        seen="a step (at the peak of a schedule) lowers the loss by less than "
        f"{thresholds.STEP_TOO_SMALL:.0e} of its value",
        cause="a slip of the exponent",
        advice="Raise the learning rate; 0.01 to 0.5 for SGD on a mean loss and 1e-3 for Adam are "
        "usual.",
        severity=Severity.WARNING,
    ),
    ("CANNOT_OVERFIT", ""): Case(
        seen="Adam, with the learning rates 3e-3 and 3e-4, does not get all of 20 images right, "
        "although it may go on while the loss falls",
        cause="a layer too narrow; a ReLU on the outputs; inputs lost on the way",
        advice="Something on the way from the images to the loss loses information: look at the "
        "other findings first, then at the narrowest layer, at a ReLU on the outputs, and at "
        "dropout near 1.",
    ),
}


def markdown_table() -> str:
    """Return the table in docs/preflight.md: a line for each case."""
    lines = [
        "| code | severity | what was seen | usual cause | what to do |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{code}` | {case.severity} | {case.seen} | {case.cause} | {case.advice} |"
        for (code, _), case in CASES.items()
    ]
    return "\n".join(lines)
