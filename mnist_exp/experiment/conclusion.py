"""What the result of a run means, where a beginner may miss it: a sentence below the summary."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mnist_exp.outside.printing import plural
from mnist_exp.tracking.form_words import quoted
from mnist_exp.tracking.job import Job
from mnist_exp.training.results import EpochResult, final_test

_DEVIATIONS = 3.0  # by which an accuracy must exceed that of one answer for all images


def conclusion(job: Job, epochs: Sequence[EpochResult]) -> str:
    """Return the answer of a run on its own training images, or that a run learned nothing.

    Empty for a run that learned something.
    """
    return _by_heart(job, epochs) if job.is_scored_on_train else _at_chance(job, epochs)


def _by_heart(job: Job, epochs: Sequence[EpochResult]) -> str:
    """Return whether the run can learn its training images by heart."""
    last, count = epochs[-1], len(job.dataset.train)
    accuracy = final_test(epochs).accuracy
    is_batch = count <= job.settings.config.schedule.batch_size
    images = plural(count, "image")
    question = f"Can it learn {'one batch of' if is_batch else 'its'} {images} by heart?"
    if accuracy == 1:
        return f"{question} Yes, in {plural(last.step, 'step')}."
    right = round(accuracy * count)
    return (
        f"{question} Not in {plural(last.step, 'step')}: it gets {right:,} of them right. "
        "More steps or another learning rate may help; else look for a mistake."
    )


def _at_chance(job: Job, epochs: Sequence[EpochResult]) -> str:
    """Return that the run gets no more test images right than one answer for all of them does.

    More than that may be luck, too. A network may be at chance on other images alone.
    """
    last, labels = epochs[-1], job.dataset.test.labels
    val, train = job.dataset.val.labels, job.dataset.train.labels
    accuracy, count = final_test(epochs).accuracy, len(labels)
    counts = np.bincount(labels)
    share = float(counts.max() / count)
    if accuracy > _most_by_luck(labels):
        return ""
    answer = f"the answer {quoted(job.dataset.form, int(counts.argmax()))} for every image"
    steps = plural(last.step, "step")
    if last.val.accuracy > _most_by_luck(val):
        if not _is_below(accuracy, count, last.val.accuracy, len(val)):
            return ""
        return (
            f"That is no better than chance: {answer} would have a test accuracy of {share:.4f}. "
            f"The validation accuracy is {last.val.accuracy:.4f}, though: look whether the test "
            "images, or their labels, are prepared as the others are."
        )
    if share == 1:
        return (
            f"The test images cannot show whether anything was learned: {answer} would have a test "
            "accuracy of 1.0000."
        )
    if last.train_accuracy > _most_by_luck(train):
        if not _is_below(accuracy, count, last.train_accuracy, len(train)):
            return (
                f"That may be chance: {answer} would have a test accuracy of {share:.4f}, and "
                f"{plural(count, 'test image')} cannot tell."
            )
        return (
            f"That may be chance: {answer} would have a test accuracy of {share:.4f}. In training "
            f"the last epoch had {last.train_accuracy:.4f}, though: with batch normalisation, "
            f"whose averages follow slowly, {steps} may be too few; else the images were learned "
            "by heart."
        )
    if accuracy > share:
        return (
            f"That may be chance: {answer} would have a test accuracy of {share:.4f}, and on "
            f"{plural(count, 'test image')} the difference may be luck. Perhaps nothing was "
            f"learned in {steps}."
        )
    classes = len(job.dataset.form.class_names)
    rarest = float(np.bincount(labels, minlength=classes).min() / count)
    if _is_below(accuracy, count, rarest, count):
        return (
            f"That is less than chance: {answer} would have a test accuracy of {share:.4f}. "
            "Something else than these labels was learned: look whether they are shifted or "
            "exchanged, in the data or in the loss."
        )
    return (
        f"That is chance: {answer} would have a test accuracy of {share:.4f}. Nothing was learned "
        f"in {steps}."
    )


def _is_below(accuracy: float, count: int, other: float, of: int) -> bool:
    """Return whether the accuracy on so many images is lower than another, and not by luck.

    It is by luck within three standard deviations of the difference of two shares that are one.
    """
    share = (accuracy * count + other * of) / (count + of)
    deviation = math.sqrt(max(share * (1 - share), 0.0) * (1 / count + 1 / of))
    return other - accuracy > _DEVIATIONS * deviation


def _most_by_luck(labels: NDArray[np.int32]) -> float:
    """Return the accuracy that one answer for all images may have on such labels by luck.

    It is three standard deviations of a binomial count above the share of the most frequent class.
    """
    share = float(np.bincount(labels).max() / len(labels))
    return share + _DEVIATIONS * math.sqrt(share * (1 - share) / len(labels))
