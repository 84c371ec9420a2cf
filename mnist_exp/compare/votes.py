"""Let the seeds of a group vote on each test image, and test two predictions of the same images."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Test images by which of two predictions is right, and McNemar's exact p."""

    both: int
    only_baseline: int
    only_group: int
    neither: int
    p: float
    p_holm: float = math.nan


def majority(
    predictions: Sequence[NDArray[np.integer]], probabilities: Sequence[NDArray[np.floating]]
) -> NDArray[np.int64]:
    """Return the class that most seeds predict for each image, [N].

    Of classes with as many votes, the one with the higher mean probability counts, and then the
    first. A seed's predictions are [N], its probabilities [N, K]. Only classes that have a vote
    are looked at, because an array [seeds, N, K] of many classes is large.
    """
    candidates = np.stack(predictions, axis=1).astype(np.int64)  # [N, seeds]
    votes = (candidates[:, :, None] == candidates[:, None, :]).sum(axis=2)
    means = sum(np.take_along_axis(p, candidates, axis=1).astype(float) for p in probabilities)
    score = votes + 0.5 * np.asarray(means) / len(probabilities)
    is_best = score == score.max(axis=1, keepdims=True)
    first = np.where(is_best, candidates, np.iinfo(np.int64).max).min(axis=1)
    return np.asarray(first)


def agreement(
    labels: NDArray[np.integer], baseline: NDArray[np.integer], group: NDArray[np.integer]
) -> Agreement:
    """Test two predictions of the same images, all of shape [images], with McNemar's exact test.

    Its hypothesis (McNemar 1947) is that each image that only one gets right is a coin's toss.
    """
    baseline_right, group_right = baseline == labels, group == labels
    only_baseline = int((baseline_right & ~group_right).sum())
    only_group = int((~baseline_right & group_right).sum())
    one_right = only_baseline + only_group
    return Agreement(
        both=int((baseline_right & group_right).sum()),
        only_baseline=only_baseline,
        only_group=only_group,
        neither=int((~baseline_right & ~group_right).sum()),
        p=float(stats.binomtest(only_group, one_right, 0.5).pvalue) if one_right else 1.0,
    )
