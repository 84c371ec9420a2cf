"""Findings about a loss, outputs and labels that are not of one task."""

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.codes.case import Case, Severity

_ONE_PER_CLASS = (
    'Give the model one output per class, such as Dense(classes, activation="softmax") with '
    "sparse_categorical_crossentropy."
)
_YES_OR_NO = (
    "For two classes use one sigmoid with binary_crossentropy and labels 0 and 1, for more one "
    "softmax output per class."
)
_NO_ACTIVATION = (
    "Take the activation off the last layer, or scale the targets into what it can give."
)
_NO_LOGIT_ACTIVATION = "Take the activation off the last layer: logits need none."

CASES: dict[tuple[str, str], Case] = {
    ("LOSS_MISMATCH", "refused"): Case(
        seen="the loss cannot be computed from labels and outputs of these shapes",
        cause="one-hot labels under a sparse cross entropy; class numbers under another one",
        advice="Use sparse_categorical_crossentropy for class numbers, and "
        "categorical_crossentropy for one-hot labels.",
    ),
    ("LOSS_MISMATCH", "one output"): Case(
        seen="the loss is the same whatever the only output is, or cannot be computed from one",
        cause="a categorical cross entropy over one unit",
        advice=_YES_OR_NO,
    ),
    ("LOSS_MISMATCH", "numbers"): Case(
        seen="labels that are numbers, under a cross entropy",
        cause="a regression compiled with the loss of a classifier",
        advice="Use a loss of numbers, such as mse or mae, and no activation on the last layer.",
    ),
    ("LOSS_MISMATCH", "below 0"): Case(
        seen=f"a loss that takes targets below 0 for 0, and loses more than "
        f"{thresholds.RANGE_LOST_ERROR:.0%} of their variance by it",
        cause="a mean squared logarithmic error of targets that were standardised",
        advice="Use mse or mae: a logarithmic error is for targets from 0 on.",
    ),
    ("LOSS_MISMATCH", "zeros"): Case(
        seen="a loss that divides by the target, and targets of 0",
        cause="a mean absolute percentage error of numbers that can be 0",
        advice="Use mae or msle, or leave out the examples whose target is 0.",
    ),
    ("LOSS_MISMATCH", "class numbers"): Case(
        seen="one output fitted to whole numbers that look like classes",
        cause="a squared error of class numbers",
        advice=_ONE_PER_CLASS,
        severity=Severity.WARNING,
    ),
    ("LOSS_MISMATCH", "number and outputs"): Case(
        seen="class numbers compared with each of the outputs of the classes",
        cause="a squared error, or a binary cross entropy, of class numbers",
        advice="Use sparse_categorical_crossentropy for class numbers.",
    ),
    ("LOSS_MISMATCH", "several labels"): Case(
        seen="several labels at once, under a cross entropy for one of several classes",
        cause="softmax and categorical cross entropy for several labels",
        advice="Use sigmoid outputs and binary_crossentropy: each label is a yes or no of its own.",
    ),
    ("LOSS_MISMATCH", "absolute"): Case(
        seen="classes under an absolute error",
        cause="a loss of numbers for classes",
        advice="Use a cross entropy, which pulls hardest where the answer is wrong.",
        severity=Severity.WARNING,
    ),
    ("LOSS_MISMATCH", "squares"): Case(
        seen="one of several classes under an error of numbers",
        cause="a squared error for classes",
        advice="Use a cross entropy, which pulls hardest where the answer is wrong.",
        severity=Severity.WARNING,
    ),
    ("LOSS_MISMATCH", "yes or no"): Case(
        seen="softmax over three or more classes, under a binary cross entropy",
        cause="a binary cross entropy for several classes",
        advice="Use categorical_crossentropy: this loss learns more slowly, and Keras counts its "
        "accuracy for each output.",
        severity=Severity.WARNING,
    ),
    ("OUTPUT_UNITS", "one for classes"): Case(
        seen="three or more classes, and one output with yes or no",
        cause="a readout with one unit for several classes",
        advice=_ONE_PER_CLASS,
    ),
    ("OUTPUT_UNITS", "shape"): Case(
        seen="the loss cannot be computed, because labels and outputs have different sizes",
        cause="Flatten or pooling missing; `return_sequences=True` in the last layer",
        advice="Give the model one output for each entry of a label: look for a Flatten that is "
        "missing, and for return_sequences=True in the last recurrent layer.",
    ),
    ("OUTPUT_UNITS", "spread"): Case(
        seen="labels and outputs of different sizes, each compared with each",
        cause="one output for several targets; `return_sequences=True` in the last layer",
        advice="Give the last layer as many units as a label has entries, and no positions that "
        "the labels do not have (return_sequences=False).",
    ),
    ("OUTPUT_UNITS", "too many"): Case(
        seen=f"more than {thresholds.UNITS_PER_CLASS} times as many outputs as classes",
        cause="the readout of another data set",
        advice="Give the model one output per class.",
        severity=Severity.WARNING,
    ),
    ("OUTPUT_ACTIVATION", "softmax of one"): Case(
        seen="the outputs are 1, whatever the weights are",
        cause="softmax over one unit",
        advice="Use sigmoid for a yes or no, and no activation for a number.",
    ),
    ("OUTPUT_ACTIVATION", "axis"): Case(
        seen="the outputs sum to 1 over another axis than the last",
        cause="softmax over positions or over the batch",
        advice="Apply softmax to the last axis.",
    ),
    ("OUTPUT_ACTIVATION", "compete"): Case(
        seen="outputs with sum 1 for several labels at once",
        cause="softmax where each label is a yes or no of its own",
        advice="Use sigmoid outputs and binary_crossentropy.",
    ),
    ("OUTPUT_ACTIVATION", "rectified probabilities"): Case(
        seen="outputs of a ReLU, under a loss that takes probabilities",
        cause="ReLU in place of softmax",
        advice="Use softmax on the last layer: the logarithm of an exact 0 teaches nothing.",
    ),
    ("OUTPUT_ACTIVATION", "squeezed"): Case(
        seen="probabilities that can never come near 1, or never near 0",
        cause="softmax or sigmoid twice in the model; ReLU or tanh before one of them",
        advice="Use one activation on the last layer: softmax for classes, or sigmoid for yes or "
        "no.",
    ),
    ("OUTPUT_ACTIVATION", "logits"): Case(
        seen="logits that cannot be negative, or not large",
        cause="ReLU or tanh on the logits, or before softmax",
        advice=_NO_LOGIT_ACTIVATION,
        severity=Severity.WARNING,
    ),
    ("OUTPUT_ACTIVATION", "no negative"): Case(
        seen="logits of yes or no that cannot be negative",
        cause="ReLU on the logit",
        advice=_NO_LOGIT_ACTIVATION,
    ),
    ("OUTPUT_ACTIVATION", "sum"): Case(
        seen="outputs with sum 1 for targets with another sum",
        cause="softmax on the outputs of a regression",
        advice=_NO_ACTIVATION,
    ),
    ("OUTPUT_ACTIVATION", "range"): Case(
        seen=f"more than {thresholds.RANGE_LOST_ERROR:.0%} of the variance of the targets lies "
        "outside of what the outputs can be",
        cause="ReLU, sigmoid, tanh or a clip on outputs that are numbers",
        advice=_NO_ACTIVATION,
    ),
    ("OUTPUT_ACTIVATION", "out of reach"): Case(
        seen=f"more than {thresholds.RANGE_LOST:.0%} of it does; or labels -1, and outputs that "
        "are never negative",
        cause="the same; sigmoid under a hinge loss",
        advice=_NO_ACTIVATION,
        severity=Severity.WARNING,
    ),
}
