"""The blog post's own graph at full length: docs/reproduce.md has what its costs were.

    python -m benchmarks.blog_costs --seeds 3                  # with our weights and our order
    python -m benchmarks.blog_costs --seeds 5 --independent    # with neither

Trains the graph with TensorFlow 1's API, and prints the mean cost of each epoch as the blog does.
With the weights and the order of our runs the costs have to be those of our runs. With weights from
NumPy, and with the order of the reader that the blog used, they have to be spread as ours.
"""

import argparse
from collections.abc import Iterator

import numpy as np

from benchmarks.tutorials import blog_cnn3x3, v1
from mnist_exp import data
from mnist_exp.config.tree import compose
from mnist_exp.training.program import build_program
from mnist_exp.training.seeds import epoch_order

_BATCH = 100


def our_weights(seed: int, images: int) -> list[np.ndarray]:
    """The initial weights of our run with this seed."""
    config = compose(["experiment=blog_cnn3x3", f"seed={seed}"]).config
    program = build_program(config, images)
    return [variable.numpy() for variable in program.model.trainable_variables]


def independent_weights(seed: int) -> list[np.ndarray]:
    """Weights from the distributions that the blog names, drawn by NumPy."""
    rng = np.random.RandomState(20_000 + seed)
    limit = np.sqrt(6 / (3136 + 10))
    values = (
        rng.normal(0, 0.01, (3, 3, 1, 32)),
        rng.normal(0, 0.01, (3, 3, 32, 64)),
        rng.uniform(-limit, limit, (3136, 10)),
        rng.normal(0, 1, 10),
    )
    return [value.astype(np.float32) for value in values]


def our_orders(seed: int, images: int) -> Iterator[np.ndarray]:
    """The order of the images in each epoch of our run."""
    for epoch in range(1, 1_000):
        yield epoch_order(images, seed, epoch)


def reader_orders(seed: int, images: int) -> Iterator[np.ndarray]:
    """The order of `tensorflow.examples.tutorials.mnist`: what is shuffled is shuffled again.

    A batch lies in two epochs if the batch size does not divide the number of images; it does.
    """
    rng, order = np.random.RandomState(10_000 + seed), np.arange(images)
    while True:
        shuffled = np.arange(images)
        rng.shuffle(shuffled)
        order = order[shuffled]
        yield order


def costs(
    weights: list[np.ndarray], orders: Iterator[np.ndarray], split: data.Split, epochs: int
) -> Iterator[float]:
    """Train the graph; yield the mean of the batches' costs of each epoch."""
    images = split.images.reshape(len(split), -1).astype(np.float32) * np.float32(1 / 255)
    labels = np.eye(10, dtype=np.float32)[split.labels]
    with v1.Graph().as_default(), v1.Session() as session:
        x, y, cost, step, _ = blog_cnn3x3(weights)
        session.run(v1.global_variables_initializer())
        for _, order in zip(range(epochs), orders, strict=False):
            batches = np.split(order, len(split) // _BATCH)
            yield float(
                np.mean(
                    [
                        session.run([cost, step], {x: images[batch], y: labels[batch]})[0]
                        for batch in batches
                    ]
                )
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--independent", action="store_true", help="of our weights and order")
    given = parser.parse_args()
    split = data.load(dir=None).train
    for seed in range(given.seeds):
        if given.independent:
            weights, orders = independent_weights(seed), reader_orders(seed, len(split))
        else:
            weights, orders = our_weights(seed, len(split)), our_orders(seed, len(split))
        for epoch, cost in enumerate(costs(weights, orders, split, given.epochs), start=1):
            print(f"seed {seed}  Epoch: {epoch:04d} cost = {cost:.9f}", flush=True)


if __name__ == "__main__":
    main()
