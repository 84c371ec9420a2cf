"""Checks of the inputs by themselves."""

import numpy as np

from mnist_exp.preflight.batches import Inputs
from mnist_exp.preflight.features import check_constant
from tests.support.programs import codes


def test_constant_images_carry_nothing() -> None:
    assert codes(check_constant, Inputs(np.ones((200, 28, 28, 1)))) == ["INPUT_IGNORED"]
