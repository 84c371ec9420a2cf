"""The orders and weights with which the blog post's own graph is trained."""

from itertools import islice

import numpy as np
import pytest

from benchmarks import blog_costs


@pytest.mark.parametrize("orders", [blog_costs.our_orders, blog_costs.reader_orders])
def test_each_epoch_has_every_image_once_in_an_order_of_its_own(orders: object) -> None:
    assert callable(orders)
    first, second = islice(orders(0, 300), 2)
    for order in (first, second):
        assert sorted(order) == list(range(300))
    assert not np.array_equal(first, second)


def test_the_weights_are_spread_as_the_blog_says() -> None:
    conv1, conv2, readout, bias = blog_costs.independent_weights(0)
    assert conv2.std() == pytest.approx(0.01, rel=0.03)
    assert readout.std() == pytest.approx(np.sqrt(2 / 3146), rel=0.03)
    assert (conv1.shape, bias.shape) == ((3, 3, 1, 32), (10,))
    assert conv2.dtype == np.float32
