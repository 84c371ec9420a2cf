"""Estimate how many labels are wrong."""

from collections.abc import Sequence

import numpy as np

from mnist_exp.preflight import thresholds
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.data.probes import Probe, surest_probe
from mnist_exp.preflight.data.views import views
from mnist_exp.preflight.program.tasks import Target, Task


def check_noise(
    checkup: Checkup, target: Target, arrays: Sequence[np.ndarray], labels: np.ndarray, probe: Probe
) -> None:
    """Check for LABELS_NOISY.

    Where classes overlap, a probe errs where it is unsure, and takes the label for its second
    choice. Where labels are wrong at random, it differs from them just as often where it is sure,
    and they are any class. So the share among the quarter of which it is most sure is an estimate,
    if it is nearly the share of all (the idea of confident learning, arXiv:1911.00068).

    arrays, labels: of a task with classes, [N, ...] each. probe: the best that is known.
    """
    wanted, predicted = _of_all_classes(target, labels[: len(probe.predicted)], probe.predicted)
    count, classes = wanted.shape
    if count < thresholds.NOISE_MIN_EXAMPLES or count < thresholds.NOISE_MIN_PER_CLASS * classes:
        return
    if np.mean(np.argmax(predicted, axis=1) == np.argmax(wanted, axis=1)) > thresholds.NOISE_CLEAN:
        return
    predicted = surest_probe(views([a[:count] for a in arrays]), wanted)
    choices = np.argsort(-predicted, axis=1)
    given = np.argmax(wanted, axis=1)
    differs = choices[:, 0] != given
    lead = np.take_along_axis(predicted, choices[:, :2], axis=1) @ [1, -1]
    surest = np.argsort(-lead, kind="stable")[: count // 4]
    share, overall = float(differs[surest].mean()), float(differs.mean())
    error = np.sqrt(share * (1 - share) / len(surest))
    checkup.measure("data.wrong_labels", share - 2 * error)
    if share - 2 * error < thresholds.NOISE_SHARE or share > thresholds.NOISE_MOST:
        return
    guess = float(wanted.mean(axis=0).max())  # always the largest class
    known = (1 - overall - guess) / np.sqrt(guess * (1 - guess) / count)
    if 1 - overall < thresholds.NOISE_RIGHT or known < thresholds.PROBE_SIGMAS:
        return
    if classes >= thresholds.NOISE_CLASSES:
        wrong = surest[differs[surest]]
        second = float(np.mean(choices[wrong, 1] == given[wrong])) * (classes - 1)
        most = 1 + thresholds.NOISE_SIGMAS * np.sqrt((classes - 1) / len(wrong))
        if second > most or share < thresholds.NOISE_FLAT_CLASSES * overall:
            return
    elif share < thresholds.NOISE_FLAT * overall:
        return
    checkup.find(
        "LABELS_NOISY",
        f"About {share:.0%} of the labels look wrong: in {differs[surest].sum()} of the "
        f"{len(surest)} examples of which a probe is surest they are another class than it finds.",
        {"share": share, "overall": overall, "examples": count},
    )


def _of_all_classes(
    target: Target, labels: np.ndarray, predicted: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return 1 for the class of each example, and what is predicted for each class, [N, C]."""
    if target.task is Task.BINARY:
        yes = target.yes(labels).reshape(-1, 1).astype(np.float64)
        share = predicted.reshape(-1, 1) if labels.min() >= 0 else (predicted + 1) / 2
        return np.hstack([1 - yes, yes]), np.hstack([1 - share, share])
    answers = target.answers(labels)
    return (answers[:, None] == np.unique(answers)).astype(np.float64), predicted
