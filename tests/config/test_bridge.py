from itertools import pairwise

import pytest

from mnist_exp.config import bridge
from mnist_exp.config.tree import compose
from mnist_exp.errors import ConfigError


def decides(overrides: list[str]) -> dict[str, object]:
    """What the settings a bridge changes are in a composed config."""
    config = compose(overrides).config.to_dict()
    return {key: config[key] for key in ("model", "init", "loss", "optimizer")} | {
        "batch_size": config["schedule"]["batch_size"]
    }


def as_overrides(point: dict[str, object]) -> list[str]:
    return [f"{key}={value}" for key, value in point.items()]


def test_ends_are_the_two_presets() -> None:
    points = bridge.configurations(3, None, 1)
    assert decides(as_overrides(points[0])) == decides(["experiment=blog_cnn3x3"])
    assert decides(as_overrides(points[9])) == decides(["experiment=notebook_cnn5x5"])


def test_too_few_images_for_two_numbers_of_steps_are_refused() -> None:
    with pytest.raises(
        ConfigError, match="bridge.epochs=0.01: with 2 images both ends train for 1 step"
    ):
        bridge.search_space(0.01, 200, 1)


def test_neighbours_differ_in_one_setting_on_both_ways() -> None:
    points = bridge.configurations(3, None, 1)
    forwards, backwards = points[:10], [points[9], *points[10:], points[0]]
    for way in (forwards, backwards):
        changed = [[key for key in a if a[key] != b[key]] for a, b in pairwise(way)]
        assert changed == [[difference.key] for difference in bridge.differences(3, None)]


@pytest.mark.parametrize(("epochs", "limit", "images"), [(3, None, 165_000), (0.5, 10_000, 5_000)])
def test_both_ends_train_on_the_same_images(epochs: float, limit: int | None, images: int) -> None:
    points = bridge.configurations(epochs, limit, 1)
    for end in (points[0], points[9]):
        assert end["schedule.batch_size"] * end["schedule.max_steps"] == images


def test_every_configuration_once_a_seed() -> None:
    points = bridge.configurations(3, None, 3)
    assert len(points) == 3 * 18 == len({tuple(point.items()) for point in points})
    assert [point["seed"] for point in points] == [0] * 18 + [1] * 18 + [2] * 18
