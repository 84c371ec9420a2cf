"""Findings about the loss, and about outputs that it does not fit."""

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.codes.case import Case, Severity

_SUM_OVER_CLASSES = (
    "Sum over the last axis (the classes), then take the mean over the first (the examples)."
)

CASES: dict[tuple[str, str], Case] = {
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
        cause="the prediction compared with itself, `-sum(y * log y)`",
        advice="Use the labels in the loss, such as -sum(labels * log(prediction)); this one may "
        "compare the prediction with itself.",
    ),
    ("LOSS_IGNORES_LABELS", "pairs"): Case(
        seen="shuffling the labels changes neither the loss nor its gradient with respect to the "
        "outputs, but other labels do",
        cause="labels `[B, 1]` against outputs `[B]`, or the other way round",
        advice="Give labels and outputs one shape, such as tf.reshape(outputs, [-1]) for labels "
        "[B]: [B, 1] against [B] is compared pair by pair, a table of [B, B].",
    ),
    ("LOSS_NOT_MINIMISED", "sign"): Case(
        seen="lowering the loss lowers the output of the right class, or brings numbers away from "
        "their targets",
        cause="a flipped sign",
        advice="The sign of the loss is flipped; remove or add the minus.",
    ),
    ("LOSS_NOT_MINIMISED", "other classes"): Case(
        seen="lowering the loss does not raise the output of the right class, or brings numbers no "
        "nearer to their targets",
        cause="labels shifted or shuffled inside the loss; a difference without a square",
        advice="The loss pulls elsewhere than the labels say: look for shifted or shuffled labels "
        "in it, and for a square or an absolute value that is missing.",
    ),
    ("LOSS_NOT_MINIMISED", "pairs"): Case(
        seen="a loss of distances brings those pairs together that are further apart at first",
        cause="labels 1 for the same, in a contrastive loss that takes 1 for different",
        advice="Exchange the two terms of the loss, or the labels: use 1 - labels.",
        severity=Severity.WARNING,
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
    ("INITIAL_LOSS_UNEXPECTED", "exchanged"): Case(
        seen="there it is that of a cross entropy of the labels, with the outputs as labels",
        cause="labels and outputs exchanged",
        advice="Exchange the arguments: Keras' losses take the labels first, "
        "loss(labels, outputs).",
    ),
    ("INITIAL_LOSS_UNEXPECTED", "yes or no"): Case(
        seen="the same for labels that say yes or no: where all have 1/2, the loss is not ln 2",
        cause="`log2`; an average taken twice",
        advice="Expect another scale than published learning rates assume: average over labels and "
        "examples, use the natural logarithm, and count each once.",
        severity=Severity.WARNING,
    ),
    ("INITIAL_LOSS_UNEXPECTED", "high"): Case(
        seen=f"the first loss is above {thresholds.INITIAL_LOSS_HIGH:g} times that of a model that "
        "knows nothing, such as ln C",
        cause="large initial weights",
        advice="Scale the initial weights down (or the inputs), so that the first outputs are of "
        "order 1.",
        severity=Severity.WARNING,
    ),
    ("INITIAL_LOSS_UNEXPECTED", "low"): Case(
        seen=f"the first loss is below {thresholds.INITIAL_LOSS_LOW:g} times that of a model that "
        "knows nothing, at an accuracy below 50%",
        cause="a loss that does not compare with the labels",
        advice="The loss is low without right answers: check that it compares with the labels.",
        severity=Severity.WARNING,
    ),
    ("OUTPUT_ALREADY_PROBABILITIES", ""): Case(
        seen="the loss applies softmax or sigmoid, and the outputs come from one of them already",
        cause="softmax or sigmoid twice",
        advice="Take the activation off the last layer, or, if the loss is Keras', set "
        "from_logits=False: probabilities taken for logits can never be certain.",
    ),
    ("OUTPUT_ALREADY_PROBABILITIES", "taken back"): Case(
        seen="the same, but Keras' loss finds the softmax or sigmoid, and trains on its logits",
        cause="an activation on the last layer, and `from_logits=True`",
        advice="Take the activation off the last layer, or set from_logits=False: training on "
        "TensorFlow is right, but a loss of saved outputs, or on another backend, is not.",
        severity=Severity.WARNING,
    ),
    ("OUTPUT_ALREADY_PROBABILITIES", "in the loss"): Case(
        seen="the loss applies softmax to the outputs, and then a cross entropy that does so again",
        cause="softmax twice within the loss",
        advice="Give the cross entropy the outputs as they are: it applies softmax itself.",
    ),
    ("OUTPUT_ACTIVATION", "normalised"): Case(
        seen="numbers are predicted, and in training the outputs of a batch have mean 0 and "
        "deviation 1",
        cause="batch normalisation as the last layer",
        advice="Take the normalisation from behind the last layer: it gives every batch the same "
        "mean and deviation.",
        severity=Severity.WARNING,
    ),
    ("OUTPUT_NOT_PROBABILITIES", "logarithm"): Case(
        seen="the loss takes the logarithm of outputs that are no probabilities",
        cause="softmax missing; `from_logits=True` missing",
        advice="Apply softmax to the outputs, or tell the loss that it gets logits "
        "(from_logits=True).",
    ),
    ("OUTPUT_NOT_PROBABILITIES", "yes or no"): Case(
        seen="the loss takes the logarithm of outputs that can be below 0 or above 1",
        cause="sigmoid missing; `from_logits=True` missing; tanh or ReLU in place of sigmoid",
        advice="Apply sigmoid to the outputs, or tell the loss that it gets logits "
        "(from_logits=True).",
    ),
    ("OUTPUT_NOT_PROBABILITIES", "in training"): Case(
        seen="the loss takes probabilities, and outputs of a training step are below 0",
        cause="batch normalisation or noise behind the last activation",
        advice="Let softmax or sigmoid be the last layer, and put a normalisation before it.",
    ),
    ("OUTPUT_NOT_PROBABILITIES", "log-probabilities"): Case(
        seen="the loss is minus the output of the right class, and the outputs are no logarithms "
        "of probabilities",
        cause="`log_softmax` missing",
        advice="Apply log_softmax to the outputs, or use a cross entropy that takes logits.",
    ),
}
