"""The tutorials' own graphs and loops: a session of TensorFlow 1 that is fed from NumPy."""

import time
from collections.abc import Callable
from functools import partial

import numpy as np

from benchmarks import tutorials
from benchmarks.tutorials import v1
from mnist_exp.config.group_schemas import ConvNetConfig, MlpConfig
from mnist_exp.config.schema import Config
from mnist_exp.data import Split
from mnist_exp.training import models


def prepare(config: Config, train: Split, bfloat16: bool = False) -> Callable[[int], float]:
    """Measure the tutorial's loop, whose batches are slices of float arrays.

    The tutorials' reader gives such batches, too; its shuffling is left out here.
    `bfloat16` lets TensorFlow rewrite the graph for it.
    """
    images = train.images.reshape(-1, 784).astype(np.float32) / 255
    labels = np.eye(10, dtype=np.float32)[train.labels]
    size = config.schedule.batch_size
    initial = [
        v.numpy() for v in models.build(config.model, config.init, config.seed).trainable_variables
    ]
    with v1.Graph().as_default():
        x, y_, cost, train_step, _ = _graph(config)(initial)
        settings = v1.ConfigProto()
        rewriting = settings.graph_options.rewrite_options
        rewriting.auto_mixed_precision_onednn_bfloat16 = rewriting.ON if bfloat16 else rewriting.OFF
        session = v1.Session(config=settings)
        session.run(v1.global_variables_initializer())
    # The blog adds up the costs of its steps; the notebook runs the step alone.
    fetches = [train_step] if (config.variant or "").startswith("notebook") else [train_step, cost]

    def run(steps: int) -> float:
        started = time.perf_counter()
        for step in range(steps):
            first = step * size % (len(images) - size + 1)
            session.run(
                fetches, {x: images[first : first + size], y_: labels[first : first + size]}
            )
        return (time.perf_counter() - started) / steps

    return run


def _graph(config: Config) -> Callable[[list[np.ndarray]], tutorials.Graph]:
    match config.model:
        case ConvNetConfig(kernel_size=5, dropout=dropout):
            return partial(tutorials.notebook_cnn5x5, keep_prob=1 - dropout)
        case ConvNetConfig():
            return tutorials.blog_cnn3x3
        case MlpConfig():
            return tutorials.mlp
        case _:
            return tutorials.notebook_softmax
