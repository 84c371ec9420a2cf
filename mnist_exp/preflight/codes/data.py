"""Findings about the labels and the inputs."""

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.codes.case import Case, Severity

_SHUFFLE = (
    "Shuffle before taking a part of a sorted set; otherwise weigh the classes, and don't trust "
    "accuracy alone."
)

_TOGETHER = (
    "Check that inputs and labels were shuffled together, sorted together and read from the same "
    "split."
)

_STANDARDISE = (
    "Standardise each feature: (x - mean) / deviation of the training data, or a Normalization "
    "layer that is adapted to them."
)
_TARGETS = "Train on (y - mean) / deviation, and undo it after predicting."
_LEAK = "Take the feature out, unless it is known when the program is to predict."
_SPLIT = "Remove duplicates, and split before anything repeats or draws rows."
_SAME = "Prepare both splits with the same code and with the numbers of the training data."

CASES: dict[tuple[str, str], Case] = {
    ("LABELS_OUT_OF_RANGE", ""): Case(
        seen="a label is below 0, or not below the number of outputs",
        cause="classes numbered from 1; a readout that is too small",
        advice="Number the classes from 0, and give the model one output per class.",
    ),
    ("LABELS_OUT_OF_RANGE", "yes or no"): Case(
        seen="a label of yes or no is neither 0 nor 1, nor between them",
        cause="labels 1 and 2, -1 and 1, or masks of 0 and 255, under a cross entropy",
        advice="Make the labels 0 and 1, such as (labels > 0).astype('float32').",
    ),
    ("CLASS_IMBALANCE", "one class"): Case(
        seen="all labels are the same class",
        cause="the first part of a sorted set; a filter",
        advice=_SHUFFLE,
    ),
    ("CLASS_IMBALANCE", "uneven"): Case(
        seen=f"a class has more than {thresholds.LARGEST_CLASS:g} times its even share (of two "
        "classes: more than 90%) and most of the labels, or never occurs, and that is no chance",
        cause="the first part of a sorted set; a filter",
        advice=_SHUFFLE,
        severity=Severity.WARNING,
    ),
    ("CLASS_IMBALANCE", "weights"): Case(
        seen="the weights of a class are 0, or make a class that is large already count yet more",
        cause="class_weight with the shares of the classes, not with one over them",
        advice="Give rare classes the larger weights, such as "
        "class_weight={c: len(y) / (classes * count[c])}.",
        severity=Severity.WARNING,
    ),
    ("CLASS_IMBALANCE", "order"): Case(
        seen="the batches of a dataset come in the order of the classes",
        cause="files read folder by folder, with no shuffle or a small shuffle buffer",
        advice="Shuffle before batching, with a buffer as large as the set: ds.shuffle(len(y)).",
        severity=Severity.WARNING,
    ),
    ("CLASS_IMBALANCE", "positions"): Case(
        seen="of a label for every position, those whose weight is not 0 are all the same",
        cause="weights of 1 on the padding and 0 on the words; a mask negated",
        advice="Give the weight 1 to what is to be learned and 0 to the padding, such as "
        "(x != 0).astype('float32').",
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
        seen="neither simple probes nor the program itself, trained for 200 steps, predict the "
        "labels of other examples better than shuffled ones",
        cause="inputs and labels shuffled apart, shifted by one row, or from different splits",
        advice=_TOGETHER,
    ),
    ("LABELS_UNRELATED", "unsure"): Case(
        seen=f"the same, with fewer than {thresholds.PROBE_MIN_PER_CLASS} examples of a class on "
        "average, or a program that learns none of the examples that it trains on",
        cause="the same, or a task that needs more examples or steps",
        advice=_TOGETHER,
        severity=Severity.WARNING,
    ),
    ("LABELS_UNRELATED", "other output"): Case(
        seen="the labels of one of several outputs follow from inputs that it does not read, and "
        "not from its own",
        cause="lists of labels in another order than the outputs",
        advice="Give labels by the outputs' names: y={name: labels}.",
    ),
    ("INPUT_SCALE", ""): Case(
        seen="the root mean square of what reaches the first weights, after any rescaling layer, "
        f"is above {thresholds.INPUT_RMS_HIGH:g} or below {thresholds.INPUT_RMS_LOW:g}",
        cause="pixels fed as 0..255; division by 255 twice",
        advice="Divide the pixels by 255, once.",
    ),
    ("INPUT_SCALE", "tokens"): Case(
        seen="numbers with fractions are looked up in an embedding, and most become the same",
        cause="tokens divided by the size of the vocabulary, or standardised",
        advice="Give the embedding the token numbers as they are.",
    ),
    ("INPUT_SCALE", "unusual"): Case(
        seen=f"the same for a table or a series: above {thresholds.INPUT_RMS_HIGH:g} or below "
        f"{thresholds.INPUT_RMS_LOW:g}",
        cause="features in their own units",
        advice=_STANDARDISE,
        severity=Severity.WARNING,
    ),
    ("INPUT_SCALE", "units"): Case(
        seen="the program learns nothing in 150 steps, and much with standardised features",
        cause="columns of a table in units of their own, such as dollars beside shares",
        advice=_STANDARDISE,
    ),
    ("INPUT_SCALE", "slow"): Case(
        seen="with standardised features the program learns more in 150 steps than with these",
        cause="the same",
        advice=_STANDARDISE,
        severity=Severity.WARNING,
    ),
    ("TARGET_SCALE", "far"): Case(
        seen="the training cannot come near the targets, and could if they were standardised",
        cause="prices in dollars under a squared error",
        advice=_TARGETS,
    ),
    ("TARGET_SCALE", "slow"): Case(
        seen="much of the training is spent on coming near the targets",
        cause="the same",
        advice=_TARGETS,
        severity=Severity.WARNING,
    ),
    ("TARGET_SCALE", "outputs"): Case(
        seen="with large targets of one output another output learns far less than beside "
        "standardised ones",
        cause="an area in pixels or a price beside a class, under a squared error",
        advice=_TARGETS,
        severity=Severity.WARNING,
    ),
    ("INPUT_NON_FINITE", ""): Case(
        seen="an input is NaN or infinite",
        cause="missing values; a constant column divided by its deviation of 0; the logarithm of 0",
        advice="Fill or drop missing values, and add a small number before a division or a "
        "logarithm.",
    ),
    ("INPUT_NON_FINITE", "labels"): Case(
        seen="a label is NaN or infinite",
        cause="missing values in the column of the labels",
        advice="Drop the examples whose label is missing.",
    ),
    ("INPUT_CONSTANT", "features"): Case(
        seen=f"more than {thresholds.CONSTANT_SHARE:.0%} of a table's features, a channel, or one "
        "of several inputs never vary",
        cause="fractions turned into integers; a column that is filled with one value",
        advice="Look at what the input pipeline returns, and leave out what never varies.",
        severity=Severity.WARNING,
    ),
    ("INPUT_CONSTANT", "values"): Case(
        seen=f"more than {thresholds.SAME_SHARE:.0%} of the values of pictures or tokens are one "
        "value",
        cause="an integer division of pixels; nearly all words unknown; far too much padding",
        advice="Look at what the input pipeline returns: an integer division of 0..255 by 255, or "
        "a vocabulary that has none of the words, gives this.",
        severity=Severity.WARNING,
    ),
    ("LABELS_NOISY", ""): Case(
        seen="labels differ from what a probe finds just as often where it is sure as elsewhere",
        cause="wrong annotations; a part of the labels shuffled or moved by a row",
        advice="Look at some of the examples with their labels, and mend how they are joined or "
        "annotated.",
        severity=Severity.WARNING,
    ),
    ("LABEL_LEAK", "exact"): Case(
        seen="one feature gives the labels exactly, and the others do not",
        cause="the target left among the features; an index of sorted rows",
        advice=_LEAK,
    ),
    ("LABEL_LEAK", "nearly"): Case(
        seen="one feature nearly gives the labels, and the others do not",
        cause="a feature that is only known after the label",
        advice=_LEAK,
        severity=Severity.WARNING,
    ),
    ("LABEL_LEAK", "rows"): Case(
        seen="a feature in even steps has every class in one run, and the others do not tell them",
        cause="the row number or id of a file that is sorted by class",
        advice=_LEAK,
    ),
    ("SPLITS_OVERLAP", "many"): Case(
        seen=f"{thresholds.OVERLAP_SHARE_ERROR:.0%} of the validation examples or more are "
        "training examples",
        cause="rows repeated before the split; validation data taken out of the training data",
        advice=_SPLIT,
    ),
    ("SPLITS_OVERLAP", "some"): Case(
        seen=f"{thresholds.OVERLAP_SHARE:.0%} of the validation examples or more are training "
        "examples",
        cause="duplicates in the data",
        advice=_SPLIT,
        severity=Severity.WARNING,
    ),
    ("SPLIT_SCALE", "shape"): Case(
        seen="validation examples or labels have another shape than those of training",
        cause="one-hot labels in one split only; pictures of another size",
        advice=_SAME,
    ),
    ("SPLIT_SCALE", "scale"): Case(
        seen="the features of the validation data have another deviation or mean",
        cause="only one split divided by 255 or standardised",
        advice=_SAME,
    ),
    ("SPLIT_SCALE", "classes"): Case(
        seen="a split has classes that the other one never has",
        cause="a split of sorted rows; labels numbered from 1 in one split",
        advice="Shuffle before splitting, and number the classes of both splits alike.",
    ),
    ("SPLIT_SCALE", "targets"): Case(
        seen="the validation labels have another deviation",
        cause="only one split's targets scaled",
        advice=_SAME,
    ),
    ("SPLIT_SCALE", "channels"): Case(
        seen="the validation pictures have the colours of the training pictures, in other channels",
        cause="one split read as BGR, as OpenCV does, and the other as RGB",
        advice="Read both splits alike, such as with cv2.cvtColor(picture, cv2.COLOR_BGR2RGB).",
        severity=Severity.WARNING,
    ),
    ("SPLIT_SCALE", "numbering"): Case(
        seen="a probe of the training data takes several classes of validation for other ones, "
        "each for one",
        cause="classes numbered by the folders or labels that each split happens to have",
        advice="Number the classes of both splits with one list: class_names=, or one encoder "
        "fitted on the training labels.",
    ),
    ("SPLIT_SCALE", "relation"): Case(
        seen="what a probe learns from training holds for other training examples, and not for "
        "validation",
        cause="another order of classes, columns or channels; validation labels shuffled",
        advice="Check that both splits have the same order of classes, columns and channels, and "
        "that validation labels belong to their inputs.",
    ),
}
