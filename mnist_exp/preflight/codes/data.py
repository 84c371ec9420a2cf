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
        seen="neither simple probes nor the program itself, trained for 200 steps, predict the "
        "labels of other examples better than shuffled ones",
        cause="inputs and labels shuffled apart, shifted by one row, or from different splits",
        advice=_TOGETHER,
    ),
    ("LABELS_UNRELATED", "few"): Case(
        seen="the same, with fewer than "
        f"{thresholds.PROBE_MIN_PER_CLASS} examples of a class on average",
        cause="the same, or classes that need more examples",
        advice=_TOGETHER,
        severity=Severity.WARNING,
    ),
    ("INPUT_SCALE", ""): Case(
        seen="the root mean square of what reaches the first weights, after any rescaling layer, "
        f"is above {thresholds.INPUT_RMS_HIGH:g} or below {thresholds.INPUT_RMS_LOW:g}",
        cause="pixels fed as 0..255; division by 255 twice",
        advice="Divide the pixels by 255, once.",
    ),
    ("INPUT_SCALE", "far"): Case(
        seen=f"the same for a table or a series, above {thresholds.TABLE_RMS_HIGH:g}",
        cause="features in their own units",
        advice="Standardise every feature with the mean and deviation of the training data, or put "
        "an adapted keras.layers.Normalization first.",
    ),
    ("INPUT_SCALE", "unusual"): Case(
        seen=f"the same for a table or a series, above {thresholds.INPUT_RMS_HIGH:g} or below "
        f"{thresholds.INPUT_RMS_LOW:g}",
        cause="features in their own units",
        advice="Standardise every feature with the mean and deviation of the training data, or put "
        "an adapted keras.layers.Normalization first.",
        severity=Severity.WARNING,
    ),
}
