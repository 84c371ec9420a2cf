import dataclasses
from collections.abc import Callable

import keras
import numpy as np
import pytest

from mnist_exp.config.group_schemas import ModelConfig
from mnist_exp.config.groups import group_options
from mnist_exp.config.schema import Config
from mnist_exp.config.used_settings import used_roles
from mnist_exp.training import models
from mnist_exp.training.initializers import RoleInitializers
from mnist_exp.training.layer_table import layer_table
from mnist_exp.training.memory import layer_sizes

Compose = Callable[..., Config]
OPTIONS = [option for option in group_options("model") if option != "own"]  # it has any layers


def shapes_and_parameters(config: Config) -> list[tuple[str, tuple[int, ...] | None, int]]:
    table = layer_table(models.build(config.model, config.init, config.seed))
    return [(row.name, row.shape, row.parameters) for row in table]


def test_cnn3x3_has_the_shapes_the_blog_prints(settings: Compose) -> None:
    assert shapes_and_parameters(settings("model=cnn3x3")) == [
        ("images", (28, 28, 1), 0),
        ("conv1", (28, 28, 32), 3 * 3 * 32),
        ("pool1", (14, 14, 32), 0),
        ("relu1", (14, 14, 32), 0),
        ("conv2", (14, 14, 64), 3 * 3 * 32 * 64),
        ("pool2", (7, 7, 64), 0),
        ("relu2", (7, 7, 64), 0),
        ("flatten", (3136,), 0),
        ("readout", (10,), 3136 * 10 + 10),
    ]


def test_cnn5x5_is_the_notebooks(settings: Compose) -> None:
    rows = {
        name: (shape, count)
        for name, shape, count in shapes_and_parameters(settings("model=cnn5x5"))
    }
    assert rows["conv1"] == ((28, 28, 32), 5 * 5 * 32 + 32)
    assert rows["conv2"] == ((14, 14, 64), 5 * 5 * 32 * 64 + 64)
    assert rows["dense1"] == ((1024,), 7 * 7 * 64 * 1024 + 1024)
    assert rows["dropout"] == ((1024,), 0)
    assert rows["readout"] == ((10,), 1024 * 10 + 10)


def test_softmax_regression(settings: Compose) -> None:
    assert [row[2] for row in shapes_and_parameters(settings("model=softmax"))] == [
        0,
        0,
        784 * 10 + 10,
    ]


def test_mlp(settings: Compose) -> None:
    config = settings("model=mlp", "model.hidden_units=[32,16]", "model.dropout=0.25")
    names = [row[0] for row in shapes_and_parameters(config)]
    assert names == ["images", "flatten", "dense1", "dense2", "dropout", "readout"]


def test_one_builder_takes_any_kernel_and_filters(settings: Compose) -> None:
    config = settings("model=cnn3x3", "model.kernel_size=7", "model.filters=[16,32,8]")
    rows = {name: (shape, count) for name, shape, count in shapes_and_parameters(config)}
    assert rows["conv2"] == ((14, 14, 32), 7 * 7 * 16 * 32)
    assert rows["pool3"] == ((4, 4, 8), 0)


def test_weights_follow_their_roles(settings: Compose) -> None:
    model = models.build(*_parts(settings("experiment=notebook_cnn5x5")))
    for layer in ("conv1", "conv2", "dense1", "readout"):
        kernel, bias = model.get_layer(layer).get_weights()
        assert abs(kernel).max() <= 0.2
        assert kernel.std() == pytest.approx(0.088, rel=0.1)
        assert (bias == np.float32(0.1)).all()


def test_blog_weights(settings: Compose) -> None:
    model = models.build(*_parts(settings("experiment=blog_cnn3x3")))
    (conv2,) = model.get_layer("conv2").get_weights()
    kernel, bias = model.get_layer("readout").get_weights()
    assert conv2.std() == pytest.approx(0.01, rel=0.05)
    assert abs(kernel).max() <= np.sqrt(6 / (3136 + 10))
    assert 0.3 < bias.std() < 2  # ten draws with standard deviation 1


def test_seed_decides_the_weights(settings: Compose) -> None:
    def weights(seed: int) -> np.ndarray:
        return models.build(*_parts(settings(f"seed={seed}"))).get_layer("readout").get_weights()[0]

    np.testing.assert_array_equal(weights(0), weights(0))
    assert not np.array_equal(weights(0), weights(1))


def _parts(config: Config) -> tuple:
    return config.model, config.init, config.seed


SIZES = {"hidden_units": [30, 20], "filters": [4, 8, 6], "dense_units": 12}


@pytest.mark.parametrize("with_sizes", [False, True])
@pytest.mark.parametrize("option", OPTIONS)
def test_the_memory_estimate_knows_the_layers_that_are_built(
    settings: Compose, option: str, with_sizes: bool
) -> None:
    config = settings(f"model={option}")
    if with_sizes:
        own = {name: size for name, size in SIZES.items() if hasattr(config.model, name)}
        config = settings(f"model={option}", *(f"model.{name}={own[name]}" for name in own))
    built = [
        (int(np.prod(layer.kernel.shape)), int(np.prod(layer.output.shape[1:])))
        for layer in models.build(*_parts(config)).layers
        if hasattr(layer, "kernel") and layer.name != "readout"
    ]
    assert layer_sizes(config.model) == built


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("with_dense", [False, True])
def test_the_config_knows_which_initial_values_the_layers_take(
    settings: Compose, monkeypatch: pytest.MonkeyPatch, option: str, with_dense: bool
) -> None:
    config = settings(f"model={option}")
    if hasattr(config.model, "dense_units"):
        for bias in ("true", "false"):
            units = "12" if with_dense else "null"
            chosen = [f"model.dense_units={units}", f"model.conv_bias={bias}"]
            check_roles(settings(f"model={option}", *chosen), monkeypatch)
    check_roles(config, monkeypatch)


def check_roles(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each role's weights be the role's number, and see which numbers the model has."""
    roles = [field.name for field in dataclasses.fields(config.init)]
    monkeypatch.setattr(
        RoleInitializers,
        "__call__",
        lambda self, role: keras.initializers.Constant(float(roles.index(role))),
    )
    weights = models.build(*_parts(config)).get_weights()
    assert used_roles(config.model) == {roles[int(w.flat[0])] for w in weights}


def test_an_unknown_model_takes_no_initial_values_that_are_known() -> None:
    with pytest.raises(TypeError, match="ModelConfig"):
        used_roles(ModelConfig(kind="new"))


def test_the_memory_estimate_refuses_a_model_that_it_does_not_know() -> None:
    with pytest.raises(TypeError, match="ModelConfig"):
        layer_sizes(ModelConfig(kind="new"))
