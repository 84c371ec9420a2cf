"""How long an optimizer remembers."""

from typing import Any

import keras
import pytest

from mnist_exp.preflight.learning.momentum import check_momentum
from mnist_exp.preflight.learning.schedules import Plan
from tests.support.programs import codes, make_program
from tests.support.zoo import models, programs

IMAGES, LABELS = programs.sample(0, 400)
SGD, Adam = keras.optimizers.SGD, keras.optimizers.Adam


@pytest.mark.first_cases(2)
@pytest.mark.parametrize(
    ("optimizer", "found"),
    [
        (SGD(0.1, momentum=1.0), True),
        (SGD(0.1, momentum=0.9), False),
        (Adam(1e-2, beta_1=1.0), True),
        (SGD(0.3, momentum=0.999), True),
        (SGD(1e-3, momentum=0.99), False),
        (Adam(1e-2, beta_1=0.5), False),
        (Adam(1e-2, beta_2=0.98), False),
        (Adam(1e-2, beta_1=0.999, beta_2=0.9), True),  # exchanged
    ],
)
def test_a_momentum_that_does_worse_than_the_usual_or_is_exchanged_is_found(
    optimizer: Any, found: bool
) -> None:
    program = make_program(
        models.softmax("zeros", 0), optimizer=optimizer, images=IMAGES, labels=LABELS
    )
    plan = Plan(optimizer=optimizer, steps=500)
    assert codes(check_momentum, program, plan, 0) == ["MOMENTUM_TOO_HIGH"] * found
