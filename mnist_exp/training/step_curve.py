"""The step curve of a run: its cost and accuracy at about a hundred of its training steps.

Half of the tutorials' programs end within one epoch, whose means are a single point.
"""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Mapping

from mnist_exp.training.results import Progress, StepPoint, Sums

_POINTS = 100


class StepCurve:
    """The curve of a run of so many steps. Its points depend on nothing else.

    They are spread evenly, and the last is the run's last step. A run that is made longer goes on
    with the points of its new length.
    """

    def __init__(self, total_steps: int) -> None:
        count = min(_POINTS, total_steps)
        self._steps = [number * total_steps // count for number in range(1, count + 1)]

    def between(self, first: int, last: int) -> list[int]:
        """Return the steps of the points after step `first` and before step `last`."""
        return self._steps[bisect_right(self._steps, first) : bisect_left(self._steps, last)]

    def extended(
        self, progress: Progress, noted: Mapping[int, Sums]
    ) -> tuple[tuple[StepPoint, ...], Sums]:
        """Return the epoch's points with the new ones, and the epoch's sums at the last of them.

        `noted` are the epoch's sums by step, in the order of the steps. A point whose cost is NaN
        or infinite is left out: MLflow would draw the largest number that it knows.
        """
        points, at_point = progress.step_points, progress.at_point
        for step, sums in noted.items():
            if step in self._steps:
                cost, correct, examples = sums.less(at_point)
                at_point = sums
                if math.isfinite(cost):
                    points = (*points, StepPoint(step, cost / examples, correct / examples))
        return points, at_point
