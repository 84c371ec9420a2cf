"""Findings about the layers of a model and their variables."""

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.codes.case import Case, Severity

_LIFT_BIASES = (
    "Start biases at 0 or slightly above, centre the inputs, and look for a sign error before the "
    "ReLU."
)

CASES: dict[tuple[str, str], Case] = {
    ("DEAD_UNITS", "most"): Case(
        seen=f"more than {thresholds.DEAD_SHARE_ERROR:.0%} of the units of a ReLU give 0 for all "
        "of 256 examples",
        cause="a large negative bias; a minus before the ReLU",
        advice=_LIFT_BIASES,
    ),
    ("DEAD_UNITS", "many"): Case(
        seen=f"more than {thresholds.DEAD_SHARE_WARNING:.0%} of the units of a ReLU, and more "
        "than by chance, give 0 for all of 256 examples",
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
    ("VARIABLE_NOT_TRAINED", "no loss"): Case(
        seen="the same, where an output of the model has no loss",
        cause="compile with loss=None, or without a loss, for one of several outputs",
        advice="Give each output a loss that is to be learned; leave the others out of the model "
        "that is trained, or take no notice.",
        severity=Severity.WARNING,
    ),
    ("VARIABLE_NOT_TRAINED", "not listed"): Case(
        seen="the model reads a variable that `trainable_variables` leaves out",
        cause="a layer that Keras does not track",
        advice="Assign the layer to an attribute of the model, or add the variable to the list.",
    ),
    ("VARIABLE_NOT_TRAINED", "all frozen"): Case(
        seen="all variables of two or more dimensions are marked as not trainable, with the values "
        "of fresh layers",
        cause="model.trainable = False, or a loop over all layers",
        advice="Set trainable = True, at least for the last layers, and compile again.",
    ),
    ("VARIABLE_NOT_TRAINED", "frozen"): Case(
        seen="a variable of two or more dimensions is marked as not trainable, with the values of "
        "a fresh layer",
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
    ("SYMMETRIC_INIT", "constant"): Case(
        seen="all weights of a hidden kernel or an embedding are the same number, not 0",
        cause='a constant or "ones" as the initialiser of the kernels',
        advice="Initialise hidden weights at random; constants are for biases and scales.",
        severity=Severity.WARNING,
    ),
    ("TRAIN_EVAL_MISMATCH", ""): Case(
        seen="evaluating the same images twice gives different outputs, or a normalisation uses "
        "the statistics of the batch while evaluating",
        cause="`training=True` by hand; dropout in a plain function",
        advice="Pass the training flag through to dropout and batch normalisation, and evaluate "
        "with training=False.",
    ),
    ("GRADIENT_ZERO", ""): Case(
        seen="the gradient of a variable is exactly 0, or that of all variables is 0 but for "
        "rounding, at first and during a short run",
        cause="zero weights under a ReLU (`SYMMETRIC_INIT`); `DEAD_UNITS`; an accuracy as the loss",
        advice="No signal comes through: zero weights with ReLU, dead or saturated units, or a "
        "loss without a slope.",
    ),
    ("GRADIENT_ZERO", "weights"): Case(
        seen="the weights of all examples are 0",
        cause="sample_weight or class_weight of zeros, such as a mask turned into whole numbers",
        advice="Give the examples that count a weight above 0, or leave the weights out.",
    ),
    ("GRADIENT_ZERO", "branch"): Case(
        seen="the same for a part of the network, and the program learns without it",
        cause="a normalisation over an axis of one number; a branch that is multiplied by 0; dead "
        "units beside a shortcut",
        advice="This part does nothing: look for a normalisation over one number, a factor of 0 or "
        "dead units in it, or leave it out.",
        severity=Severity.WARNING,
    ),
    ("GRADIENT_VANISHES", ""): Case(
        seen=f"the gradient of the first third of six or more layers is less than "
        f"{thresholds.GRADIENT_VANISHES:g} of that of the last third, at first and during a short "
        "run",
        cause="sigmoid or tanh in many layers; small initial weights; a scale at the end of each "
        "block",
        advice='Use activation="relu" with "he_normal" weights, or add normalisation or skip '
        "connections.",
        severity=Severity.WARNING,
    ),
    ("ACTIVATION_MISSING", "affine"): Case(
        seen="the outputs, before their activation, are an affine function of the inputs, although "
        "several layers of weights follow each other",
        cause="`activation=` forgotten in hidden layers",
        advice='Give every hidden layer an activation, such as activation="relu".',
    ),
    ("ACTIVATION_MISSING", "linear"): Case(
        seen="the same in an autoencoder, behind an embedding, or with a layer between that is "
        "narrower than the outputs",
        cause="`activation=` forgotten in hidden layers; a linear model on purpose",
        advice="Give the hidden layers an activation, unless the model is linear on purpose.",
        severity=Severity.WARNING,
    ),
    ("ACTIVATION_MISSING", "pooling"): Case(
        seen="several layers of weights follow each other, and nothing but max pooling bends",
        cause="`activation=` forgotten in convolutions",
        advice='Give the hidden layers an activation, such as activation="relu".',
        severity=Severity.WARNING,
    ),
    ("INNER_BOTTLENECK", "softmax"): Case(
        seen="the values of a softmax are all that the next layer of weights gets",
        cause="softmax as the activation of a hidden layer; two output layers",
        advice="Use ReLU in hidden layers; softmax belongs to the outputs (and into attention).",
    ),
    ("INNER_BOTTLENECK", "empty"): Case(
        seen="a layer gives no numbers",
        cause="an empty slice; a crop as large as the picture",
        advice="Print the shapes of the layers (model.summary()) and look where a dimension "
        "becomes 0.",
    ),
    ("INNER_BOTTLENECK", "one number"): Case(
        seen=f"all outputs of at least {thresholds.NARROW_CLASSES} classes depend on one number "
        "per example",
        cause="a hidden layer of one unit; pooling over all axes",
        advice="Give the layer more units than there are classes, or pool over positions only.",
    ),
    ("INNER_BOTTLENECK", "few numbers"): Case(
        seen=f"all outputs of at least {thresholds.NARROW_CLASSES} classes depend on two numbers "
        "per example, or on fewer pooled inputs than there are classes",
        cause="a hidden layer of two units; a space to draw the examples in; pooling before the "
        "first weights",
        advice="Give the layer more units, unless it is there to draw the examples; pool behind "
        "convolutions, not before them.",
        severity=Severity.WARNING,
    ),
    ("INNER_BOTTLENECK", "code"): Case(
        seen="an autoencoder has a code of one number, and no single direction holds half of how "
        "its inputs vary",
        cause="a code of one unit",
        advice="Give the code more units, as many as the inputs have ways to vary.",
        severity=Severity.WARNING,
    ),
    ("DROPOUT_MISPLACED", "outputs"): Case(
        seen="a dropout lies behind the last weights",
        cause="a dropout layer after the output layer",
        advice="Take it out, or put it before the output layer.",
    ),
    ("DROPOUT_MISPLACED", "noise on outputs"): Case(
        seen="another noise lies behind the last weights",
        cause="a noise layer after the output layer",
        advice="Put the noise before the output layer, unless the outputs are drawn on purpose.",
        severity=Severity.WARNING,
    ),
    ("DROPOUT_MISPLACED", "nearly all"): Case(
        seen=f"a dropout sets {thresholds.DROPOUT_NEAR_ONE:.0%} or more to 0",
        cause="the share to keep given as the rate",
        advice="The rate is the share that is dropped, not the share that is kept: 0.1 to 0.5.",
    ),
    ("DROPOUT_MISPLACED", "most"): Case(
        seen=f"a dropout sets {thresholds.DROPOUT_HIGH:.0%} or more to 0",
        cause="the share to keep given as the rate",
        advice="The rate is the share that is dropped, not the share that is kept: 0.1 to 0.5.",
        severity=Severity.WARNING,
    ),
    ("DROPOUT_MISPLACED", "inputs"): Case(
        seen=f"a dropout sets {thresholds.DROPOUT_HEAVY:.0%} or more of the inputs to 0, and the "
        "model is no autoencoder",
        cause="a dropout layer at the beginning",
        advice="Put the dropout behind hidden layers; inputs bear 0.1 to 0.2.",
        severity=Severity.WARNING,
    ),
    ("DROPOUT_MISPLACED", "often"): Case(
        seen=f"{thresholds.DROPOUT_LAYERS} or more dropouts of at least "
        f"{thresholds.DROPOUT_HEAVY:.0%} lie one after the other",
        cause="a dropout in every block",
        advice="Keep one of 0.5 before the last layer, and 0.1 to 0.25 between convolutions.",
        severity=Severity.WARNING,
    ),
    ("MOVING_AVERAGES_FIXED", "never"): Case(
        seen="averages that evaluation uses do not change in a short run, although training "
        "normalises with the statistics of its batches",
        cause="a momentum of 1; updates that are computed and not assigned",
        advice="The averages must follow the batches: a momentum of 0.9 to 0.99, and an assign in "
        "every training step.",
    ),
    ("MOVING_AVERAGES_FIXED", "frozen"): Case(
        seen="a batch normalisation with mean 0 and variance 1 does not learn others",
        cause="`training=False` in the call; `trainable=False` without pretrained weights",
        advice="Let the training flag through to the layer, or load the averages of a trained one.",
        severity=Severity.WARNING,
    ),
    ("MOVING_AVERAGES_FIXED", "slow"): Case(
        seen=f"more than {thresholds.AVERAGES_LEFT:.0%} of the first averages are left after the "
        "training (of 500 steps or five epochs, if their number is not known)",
        cause="a momentum near 1 for a long training",
        advice="Lower the momentum: the averages need about 3 / (1 - momentum) steps.",
        severity=Severity.WARNING,
    ),
    ("INPUT_IGNORED", "one input"): Case(
        seen="the outputs stay the same when one of several inputs is exchanged between examples",
        cause="a branch that is left out or used twice; an input multiplied by 0",
        advice="Follow this input through the model to the outputs.",
    ),
    ("INPUT_IGNORED", "part"): Case(
        seen="the outputs stay exactly the same when half of the features, steps or rows is "
        "exchanged between examples",
        cause="a slice of the inputs in the model; a window shorter than the series",
        advice="Look for slices and crops at the beginning of the model, unless they are meant.",
        severity=Severity.WARNING,
    ),
    ("INPUT_IGNORED", "masked"): Case(
        seen="an embedding masks token 0, and most zeros stand between other tokens, as words do",
        cause="mask_zero=True with token 0 as a word",
        advice="Number the words from 1 and leave 0 to the padding, or set mask_zero=False.",
        severity=Severity.WARNING,
    ),
    ("INPUT_LAYOUT", ""): Case(
        seen="a convolution with the channels last takes square pictures with 1 or 3 rows",
        cause="pictures [N, C, H, W] from another framework",
        advice="Move the channels to the end: x.transpose(0, 2, 3, 1).",
        severity=Severity.WARNING,
    ),
    ("INPUT_LAYOUT", "reshaped"): Case(
        seen="pictures with the channels last are smoother along both sides when their values are "
        "read channel by channel",
        cause="pictures [N, C, H, W], or rows of a file, brought to [N, H, W, C] by a reshape",
        advice="Reshape to [N, C, H, W] and then move the channels: "
        "x.reshape(-1, C, H, W).transpose(0, 2, 3, 1).",
        severity=Severity.WARNING,
    ),
    ("VARIABLE_NOT_TRAINED", "unused"): Case(
        seen="a variable is listed as trainable, and no training step reads it",
        cause="a layer that is made and not called",
        advice="Call the layer, or take it out of the model.",
        severity=Severity.WARNING,
    ),
    ("EMBEDDING_TOO_SMALL", "outside"): Case(
        seen="a number is looked up in a table that has no row for it",
        cause="`input_dim` without the padding or the unknown word, or from another vocabulary",
        advice="Let the embedding have input_dim = largest number + 1. A CPU stops with an error, "
        "a GPU silently gives zeros.",
    ),
    ("EMBEDDING_TOO_SMALL", "negative"): Case(
        seen="a negative number is looked up, which counts from the end of the table",
        cause="-1 for padding or for unknown words",
        advice="Number the tokens from 0, with a number of its own for padding.",
        severity=Severity.WARNING,
    ),
}
