"""The packages of preflight import in one direction."""

import pytest

from tests.test_architecture import MODULES, imports

# From bottom to top: the checks of data and loss look at what short trainings have shown.
PACKAGES = ("program", "learning", "structure", "loss", "data")


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_from_those_below_it(package: str) -> None:
    above = tuple(
        f"mnist_exp.preflight.{name}." for name in PACKAGES[PACKAGES.index(package) + 1 :]
    )
    own = [module for module in MODULES if module.startswith(f"mnist_exp.preflight.{package}.")]
    assert own
    for module in own:
        assert not [name for name in imports(module) if name.startswith(above)], module
