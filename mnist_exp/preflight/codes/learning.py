"""Findings about training: what the optimizer does, and whether the program can learn at all."""

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.codes.case import Case, Severity

_RAISE = (
    "Raise the learning rate (or a clipnorm that is tiny); 0.01 to 0.5 for SGD on a mean loss, "
    "1e-3 for Adam and 1 for Adadelta are usual."
)

CASES: dict[tuple[str, str], Case] = {
    ("GRADIENT_NON_FINITE", "loss"): Case(
        seen="the loss or a gradient is NaN or infinite at the initial weights (the outputs are "
        "finite), or soon and at every learning rate",
        cause="`log(softmax)` that underflows; `sqrt(0)`",
        advice="Compute the cross entropy from logits instead of log(softmax), and look for "
        "log(0), 0/0 or sqrt(0).",
    ),
    ("GRADIENT_NON_FINITE", "slope"): Case(
        seen="the same, but only the gradient is NaN or infinite: the loss is finite",
        cause="`sqrt(0)` or a norm of zeros; a `where` that hides 0/0",
        advice="Look for sqrt(0), a norm of zeros, or a where that hides 0/0: their slope is not "
        "finite. Add a small number, such as 1e-7, inside the root.",
    ),
    ("GRADIENT_NON_FINITE", "model"): Case(
        seen="the outputs are NaN or infinite, with finite weights",
        cause="`exp` of a large number; a recurrent layer with ReLU that grows at every step; "
        "float16",
        advice="The model itself overflows: look for exp, division, and what grows at every step.",
    ),
    ("GRADIENT_NON_FINITE", "weights"): Case(
        seen="weights are NaN or infinite",
        cause="NaN in loaded weights; an optimizer that divides by 0",
        advice="Look at where the weights come from; if a step makes them so, give the optimizer "
        "its default epsilon, and a lower learning rate.",
    ),
    ("GRADIENT_NON_FINITE", "equal"): Case(
        seen="the gradient is NaN or infinite where two inputs are equal",
        cause="the root of a squared distance that becomes 0, as of one picture twice",
        advice="Add a small number inside the root: sqrt(maximum(squares, 1e-7)).",
        severity=Severity.WARNING,
    ),
    ("GRADIENT_NON_FINITE", "states"): Case(
        seen="with weights three times as large, the states of a recurrent layer become "
        f"{thresholds.STATES_GROW:.0e} times as large, and the optimizer clips no gradient",
        cause='activation="relu" in a recurrent layer over a long series',
        advice='Keep the activation of recurrent layers ("tanh"), or give the optimizer a '
        "clipnorm.",
        severity=Severity.WARNING,
    ),
    ("LEARNING_RATE_TOO_HIGH", ""): Case(
        seen="after 15 steps the loss has not fallen by 5%, is NaN, or all outputs are equal, and "
        "a far lower learning rate does much better",
        cause="a learning rate for another loss or optimizer; a sum instead of a mean",
        advice="Divide the learning rate by 10 until the loss falls (a summed loss needs one "
        "smaller by the batch size).",
    ),
    ("LEARNING_RATE_TOO_LOW", "nothing"): Case(
        seen="all steps of the run together lower the loss by less than "
        f"{thresholds.NOTHING:.0%} of what a few steps with a higher rate do",
        cause="a slip of the exponent; `clipnorm` of almost nothing",
        advice=_RAISE,
    ),
    ("LEARNING_RATE_TOO_LOW", "slow"): Case(
        seen=f"all steps of the run together lower the loss by less than {thresholds.SLOW:.0%}, "
        f"and by less than {thresholds.REACHED:.0%} of what a few steps with a higher rate do",
        cause="Adadelta's default; a rate for another optimizer",
        advice=_RAISE,
        severity=Severity.WARNING,
    ),
    ("SCHEDULE_COLLAPSES", "vanishes"): Case(
        seen=f"all steps of the run go as far as {thresholds.FULL_STEPS} or fewer at the "
        "schedule's highest rate, and training does better if that is held",
        cause="`decay_steps` in epochs where a schedule counts steps; a decay per step that was "
        "meant per epoch",
        advice="A schedule counts steps, not epochs: multiply decay_steps by the steps of an "
        "epoch.",
    ),
    ("SCHEDULE_COLLAPSES", "negative"): Case(
        seen="the learning rate becomes negative within the run",
        cause="a straight decline without an end",
        advice="End the decline above 0, with max(rate, lowest) or PolynomialDecay.",
    ),
    ("SCHEDULE_COLLAPSES", "grows"): Case(
        seen="the learning rate grows without end",
        cause="a `decay_rate` above 1",
        advice="A decay_rate is below 1; a warm-up ends after some hundred steps.",
        severity=Severity.WARNING,
    ),
    ("MOMENTUM_TOO_HIGH", ""): Case(
        seen="momentum, beta_1, beta_2 or rho is 1, or far from the usual, which does much better",
        cause="momentum of 1 or 0.999; beta_1 and beta_2 exchanged",
        advice="Leave them at 0.9 (momentum, beta_1) and 0.999 (beta_2).",
    ),
    ("MOMENTUM_TOO_HIGH", "exchanged"): Case(
        seen="beta_1 is above the usual and above beta_2; a few steps show no harm",
        cause="beta_1 and beta_2 exchanged",
        advice="Give beta_1 the lower one: 0.9, and beta_2 0.999.",
        severity=Severity.WARNING,
    ),
    ("WEIGHT_DECAY_TOO_HIGH", ""): Case(
        seen="the optimizer's weight decay keeps the loss from falling",
        cause="a weight decay of 1 or more; a value meant for another rate",
        advice="Lower weight_decay: 1e-4 to 1e-2 are usual.",
    ),
    ("PENALTY_DOMINATES", ""): Case(
        seen="with the layers' own losses training lowers the loss on the data far less than "
        "without them",
        cause="l2 or l1 of 0.1 or more; an activity regulariser or `add_loss` that is summed",
        advice="Lower the factor of the regulariser or of add_loss: 1e-4 to 1e-2 are usual for l2.",
    ),
    ("CANNOT_OVERFIT", "change"): Case(
        seen="Adam does not get all of 20 examples right, but does after one change",
        cause="what the message names: a ReLU on the outputs, a loss for another task, dropout "
        "near 1, inputs or initial weights of a wrong size",
        advice="Make that change.",
    ),
    ("CANNOT_OVERFIT", ""): Case(
        seen="Adam, with several learning rates, does not get half of 20 examples right beyond a "
        "guess, although there are weights enough and it may go on while the loss falls",
        cause="a layer too narrow; a ReLU on the outputs; inputs lost on the way",
        advice="Something on the way from the images to the loss loses information: look at the "
        "other findings first, then at the narrowest layer, at a ReLU on the outputs, and at "
        "dropout near 1.",
    ),
}
