"""Counts are checked against sums written by hand from the tutorials' layer shapes."""

import pytest

from benchmarks import cases, flop
from mnist_exp.training import models


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("softmax", 2 * 2 * 784 * 10),  # no gradient of the input: two products, not three
        ("mlp", 2 * 2 * 784 * 512 + 3 * 2 * 512 * 10),
        ("cnn3x3", 2 * 2 * 28**2 * 9 * 32 + 3 * (2 * 14**2 * 9 * 32 * 64 + 2 * 3136 * 10)),
        (
            "cnn5x5",
            2 * 2 * 28**2 * 25 * 32
            + 3 * (2 * 14**2 * 25 * 32 * 64 + 2 * 3136 * 1024 + 2 * 1024 * 10),
        ),
    ],
)
def test_training_flop_of_an_image(case: str, expected: int) -> None:
    config = cases.config(case)
    assert flop.training(models.build(config.model, config.init, seed=0)) == expected
