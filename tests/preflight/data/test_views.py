"""Inputs of any kind become tables for probes."""

import numpy as np
import pytest

from mnist_exp.preflight.data.views import MAX_FEATURES, is_tokens, views

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize(
    "arrays",
    [
        [RANDOM.random((20, 4))],
        [RANDOM.random((20, 28, 28, 1))],
        [RANDOM.random((20, 65, 40, 3))],
        [RANDOM.random((20, 4, 6, 8, 40))],
        [RANDOM.random((20, 48, 2))],
        [RANDOM.integers(0, 5000, (20, 30))],
        [RANDOM.integers(0, 9, (20, 30)), RANDOM.random((20, 4))],
        [np.zeros((20, 3))],
    ],
)
def test_views_are_finite_tables_about_zero(arrays: list[np.ndarray]) -> None:
    for table in views(arrays):
        assert table.shape[0] == 20
        assert 0 < table.shape[1] <= MAX_FEATURES + 10
        assert np.isfinite(table).all()
        assert np.abs(table.mean(axis=0)).max() < 1


def test_columns_of_a_table_count_the_same_whatever_their_unit() -> None:
    (table,) = views([RANDOM.normal(size=(50, 3)) * [1, 1e5, 1e-4]])
    assert table.std(axis=0) == pytest.approx(1)


def test_order_of_tokens_does_not_count_in_the_first_view() -> None:
    tokens = RANDOM.integers(0, 50, (20, 12))
    assert is_tokens(tokens)
    shuffled = RANDOM.permuted(tokens, axis=1)
    assert np.array_equal(views([tokens])[0], views([shuffled])[0])


def test_frequencies_do_not_depend_on_where_a_wave_begins() -> None:
    wave = np.sin(np.arange(64) * 2 * np.pi / 8)
    series = np.stack([np.roll(wave, step) for step in range(8)] + [wave * 2] * 8)[..., None]
    table = views([series])[1]
    assert np.allclose(table[0], table[5], atol=1e-6)
    assert not np.allclose(table[0], table[12], atol=0.1)
