"""Functions are traced where the caller's TensorFlow runs them eagerly."""

import tensorflow as tf

from mnist_exp.preflight.program.graph_mode import as_graphs


def test_functions_are_graphs_inside_and_as_before_after() -> None:
    tf.config.run_functions_eagerly(True)
    try:
        with as_graphs():
            assert not tf.config.functions_run_eagerly()
        assert tf.config.functions_run_eagerly()
    finally:
        tf.config.run_functions_eagerly(False)
