"""How much each parameter of a study matters, and how sure that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SMALLEST = 10  # trials with a value; of fewer, a third is too few to predict
ROUNDS = 50
_TREES = 10  # of each round's forest
_LARGEST = 1e38  # of a setting, as the forest computes in float32
_T = 2.01  # Student's t of 95% for ROUNDS - 1
_SMALLEST_SHARE = 0.005  # less would be shown as 0%


@dataclass(frozen=True, kw_only=True)
class Importance:
    """The share of the differences between trials that a parameter explains.

    The share is 0 if the parameter does not matter, and 1 if nothing else does. `low` and `high`
    are the ends of its 95% interval.
    """

    parameter: str
    share: float
    low: float
    high: float

    @property
    def is_shown(self) -> bool:
        """Return whether the interval lies above zero, by half a percent or more."""
        return self.low >= _SMALLEST_SHARE


def importances(
    params: Sequence[Mapping[str, object]], values: Sequence[float], names: Sequence[str]
) -> list[Importance]:
    """Return the importance of each named parameter, the largest first.

    In each round a random forest learns from two thirds of the trials and predicts the rest, once
    as they are and once with one parameter taken from other trials (Breiman, Machine Learning 45
    (2001) 5). Half of what this adds to the squared error, divided by the
    variance of the values, estimates the parameter's total Sobol index (Jansen, Computer Physics
    Communications 117 (1999) 35). The rounds share trials, which Nadeau and Bengio's interval
    allows for (Machine Learning 52 (2003) 239). The list is empty if there are fewer than SMALLEST
    trials, or if their values do not differ.
    """
    y = np.asarray(values, float)
    if len(y) < SMALLEST or not names or np.ptp(y) == 0:
        return []
    x = np.column_stack([_as_numbers([trial.get(name) for trial in params]) for name in names])
    rng = np.random.default_rng(0)
    shares = np.array([_shares(x, y, rng) for _ in range(ROUNDS)])
    means = shares.mean(axis=0)
    widths = _T * np.sqrt((1 / ROUNDS + 1 / 2) * shares.var(axis=0, ddof=1))
    found = [
        Importance(parameter=name, share=mean, low=mean - width, high=mean + width)
        for name, mean, width in zip(names, means.tolist(), widths.tolist(), strict=True)
    ]
    return sorted(found, key=lambda importance: -importance.share)


def _as_numbers(column: Sequence[object]) -> NDArray[np.float64]:
    """Return numbers as they are, other values by their order, and NaN where there is no value.

    Infinite numbers become the largest that the forest takes.
    """
    present = [value for value in column if value is not None]
    if all(isinstance(value, int | float) for value in present):
        numbers: NDArray[np.float64] = np.array(
            [np.nan if value is None else value for value in column], float
        )
        return numbers.clip(-_LARGEST, _LARGEST)
    order = sorted({str(value) for value in present})
    return np.array([np.nan if v is None else order.index(str(v)) for v in column], float)


def _shares(
    x: NDArray[np.float64], y: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the share of each column of x [trials, parameters] in one round."""
    from sklearn.ensemble import RandomForestRegressor

    n, columns = x.shape
    drawn, others = np.split(rng.permutation(n), [round(n * 2 / 3)])
    forest = RandomForestRegressor(_TREES, random_state=int(rng.integers(2**31)))
    forest.fit(x[drawn], y[drawn])
    asked = np.repeat(x[others][None], columns + 1, axis=0)
    for column in range(columns):
        asked[column, :, column] = rng.permutation(x[:, column])[: len(others)]
    predicted = forest.predict(asked.reshape(-1, columns)).reshape(columns + 1, -1)
    errors = np.mean((predicted - y[others]) ** 2, axis=1)
    return np.asarray((errors[:-1] - errors[-1]) / 2 / y.var())
