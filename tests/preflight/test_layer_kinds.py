"""No check that looks inside a network takes a kind of layer for a mistake."""

import pytest

from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.structure.dropout import check_dropout
from mnist_exp.preflight.structure.gradients import check_disconnected
from mnist_exp.preflight.structure.information import check_bends, check_bottleneck
from mnist_exp.preflight.structure.inputs import check_scale
from mnist_exp.preflight.structure.tokens import check_tokens
from mnist_exp.preflight.structure.units import check_activations, check_symmetry
from tests.support.layer_kinds import GOOD, good


@pytest.mark.first_cases(5)
@pytest.mark.parametrize("name", GOOD)
def test_layers_of_every_kind_are_right(name: str) -> None:
    checkup, checked = Checkup(), good(name)
    assert check_tokens(checkup, checked)
    measured = checked.evaluate(checked.inputs)[1]
    check_scale(checkup, checked, measured)
    check_bends(checkup, checked)
    check_bottleneck(checkup, checked)
    check_dropout(checkup, checked)
    check_activations(checkup, measured)
    check_disconnected(checkup, checked)
    check_symmetry(checkup, checked, checked.inputs, checked.labels)
    assert checkup.findings == []
