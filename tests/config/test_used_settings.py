"""Settings of layers that a model does not have are known to have no effect."""

from mnist_exp.config.identity import flatten
from mnist_exp.config.tree import compose
from mnist_exp.config.used_settings import without_effect


def unused(*overrides: str) -> list[str]:
    return without_effect(flatten(compose(overrides).config.to_dict()))


def test_a_softmax_regression_has_a_readout_alone() -> None:
    assert unused("model=softmax", "init=notebook") == [
        f"init.{role}.{name}"
        for role in ("conv_kernel", "dense_kernel")
        for name in ("distribution", "value", "stddev")
    ] + [
        "init.readout_kernel.value",
        "init.bias.distribution",
        "init.bias.value",
        "init.bias.stddev",
        "init.readout_bias.stddev",
    ]


def test_a_parameter_that_the_distribution_does_not_take() -> None:
    assert unused("model=cnn5x5", "init=notebook") == [
        *(f"init.{role}.value" for role in ("conv_kernel", "dense_kernel", "readout_kernel")),
        *(f"init.{role}.stddev" for role in ("bias", "readout_bias")),
    ]


def test_settings_of_others_are_left_alone() -> None:
    assert without_effect({"init.bias.distribution": "zeros", "units": 16}) == []
    assert without_effect({"model.kind": "tree", "init.bias.value": None}) == []
    assert (
        without_effect({"model.kind": "mlp", "model.dropout": 7.0, "init.bias.value": None}) == []
    )
