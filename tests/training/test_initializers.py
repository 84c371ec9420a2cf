import numpy as np
import pytest

from mnist_exp.config.init_schema import InitializerConfig
from mnist_exp.config.tree import compose
from mnist_exp.training import initializers


def draw(shape: tuple[int, ...] = (100, 1000), **settings: object) -> np.ndarray:
    return np.array(initializers.build(InitializerConfig(**settings), seed=1)(shape))  # type: ignore[arg-type]


def test_normal() -> None:
    values = draw(distribution="normal", stddev=0.01)
    assert values.std() == pytest.approx(0.01, rel=0.02)
    assert abs(values.mean()) < 2e-4
    assert abs(values).max() > 0.03  # not truncated


def test_truncated_normal_redraws_beyond_two_standard_deviations() -> None:
    values = draw(distribution="truncated_normal", stddev=0.1)
    assert 0.19 < abs(values).max() <= 0.2
    # The standard deviation of a standard normal cut at +-2 is 0.87962566.
    assert values.std() == pytest.approx(0.1 * 0.87962566, rel=0.02)


def test_glorot_uniform_is_xavier_uniform() -> None:
    limit = np.sqrt(6 / (100 + 1000))
    values = draw(distribution="glorot_uniform")
    assert 0.99 * limit < abs(values).max() <= limit
    assert values.std() == pytest.approx(limit / np.sqrt(3), rel=0.02)


def test_he_normal() -> None:
    assert draw(distribution="he_normal").std() == pytest.approx(np.sqrt(2 / 100), rel=0.02)


def test_constants() -> None:
    assert (draw(distribution="constant", value=0.1) == np.float32(0.1)).all()
    assert (draw(distribution="zeros") == 0).all()


def test_every_tensor_gets_its_own_seed() -> None:
    init = compose(["init=notebook"]).config.init
    hand_out = initializers.RoleInitializers(init, seed=0)
    first, second = hand_out("conv_kernel"), hand_out("conv_kernel")
    assert not np.array_equal(np.array(first((5, 5))), np.array(second((5, 5))))


def test_weights_depend_on_the_seed_alone() -> None:
    init = compose(["init=notebook"]).config.init

    def first(seed: int) -> np.ndarray:
        return np.array(initializers.RoleInitializers(init, seed)("dense_kernel")((5, 5)))

    np.testing.assert_array_equal(first(0), first(0))
    assert not np.array_equal(first(0), first(1))
