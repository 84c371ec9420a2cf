"""Findings about training: what the optimizer does, and whether the program can learn at all."""

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.codes.case import Case, Severity

CASES: dict[tuple[str, str], Case] = {
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
