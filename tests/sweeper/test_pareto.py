"""Which values of several objectives are better."""

import pytest

from mnist_exp.sweeper.pareto import costs, dominates


def test_the_smaller_cost_is_better() -> None:
    assert costs((0.9, 3.0), (True, False)) == (-0.9, 3.0)


@pytest.mark.parametrize(
    ("one", "other", "is_better"),
    [
        ((1.0,), (2.0,), True),
        ((1.0,), (1.0,), False),
        ((1.0, 2.0), (1.0, 3.0), True),
        ((1.0, 3.0), (2.0, 2.0), False),
        ((2.0, 3.0), (1.0, 3.0), False),
    ],
)
def test_dominates(one: tuple[float, ...], other: tuple[float, ...], is_better: bool) -> None:
    assert dominates(one, other) is is_better
