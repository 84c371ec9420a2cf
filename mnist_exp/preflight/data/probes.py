"""Predict labels from tables of features without training a network."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

NEIGHBOURS = 5
RIDGE = 1.0  # penalty of the linear probe, relative to the mean squared length of a row


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What one probe predicts of each example, from all the others.

    predicted: [N, D], as the labels.
    sigmas: by how many standard deviations that fits better than to shuffled labels.
    """

    predicted: np.ndarray
    sigmas: float


def best_probe(tables: Sequence[np.ndarray], labels: np.ndarray, enough: float = np.inf) -> Probe:
    """Return the best of three probes on each table: linear, neighbours, and a round kernel.

    tables: [N, F] each, with the mean 0 in every column. labels: [N, D].
    enough: sigmas after which no other probe is tried.
    """
    centred = labels - labels.mean(axis=0)
    best = Probe(predicted=np.zeros_like(centred), sigmas=-np.inf)
    for predicted in (p for table in tables for p in _predictions(table, centred)):
        sigmas = fit_sigmas(predicted, centred)
        if sigmas > best.sigmas:
            best = Probe(predicted=predicted, sigmas=sigmas)
        if sigmas > enough:
            break
    return Probe(predicted=best.predicted + labels.mean(axis=0), sigmas=best.sigmas)


def surest_probe(tables: Sequence[np.ndarray], labels: np.ndarray) -> np.ndarray:
    """Return what the probe predicts that is right most often, [N, C].

    labels: 1 for the class of the example, else 0, [N, C].
    """
    mean = labels.mean(axis=0)
    predictions = [p + mean for table in tables for p in _predictions(table, labels - mean)]
    classes = np.argmax(labels, axis=1)
    return max(predictions, key=lambda p: float(np.mean(np.argmax(p, axis=1) == classes)))


def fit_sigmas(predicted: np.ndarray, labels: np.ndarray) -> float:
    """Return how far the predictions fit beyond chance, in standard deviations.

    Of the sum of products of two tables with the mean 0, the mean over all orders of the rows is 0
    and the variance <P'P, L'L> / (N - 1): exactly, whatever the distributions.
    """
    predicted, labels = predicted - predicted.mean(axis=0), labels - labels.mean(axis=0)
    variance = np.sum((predicted.T @ predicted) * (labels.T @ labels)) / (len(labels) - 1)
    if not np.isfinite(variance) or variance <= 0:
        return 0.0
    return float(np.sum(predicted * labels) / np.sqrt(variance))


def _predictions(table: np.ndarray, labels: np.ndarray) -> Iterator[np.ndarray]:
    products = table @ table.T
    yield _left_out(products, labels)
    lengths = np.diag(products)
    distances = lengths[:, None] + lengths[None, :] - 2 * products
    others = distances + np.diag(np.full(len(table), np.inf))
    count = min(NEIGHBOURS, len(table) - 1)
    yield labels[np.argpartition(others, count - 1, axis=1)[:, :count]].mean(axis=1)
    yield _left_out(np.exp(-distances / max(float(np.median(distances)), 1e-12)), labels)


def _left_out(kernel: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return what kernel ridge regression predicts of each example from all the others.

    It is the known short cut: with A = (K + penalty I)^-1, the example's error when it is left out
    is (A L)_i / A_ii. With Cholesky's factor C of K + penalty I, A is H'H for H = C^-1.

    TensorFlow computes it on one core: NumPy's library for matrices waits for its other threads in
    a busy loop, and takes many times as long where these have no core of their own.
    """
    middle = kernel.mean(axis=0)
    kernel = kernel - middle - middle[:, None] + middle.mean()
    penalty = RIDGE * float(np.trace(kernel)) / len(kernel)
    if penalty <= 1e-12:  # all examples are the same: nothing tells the labels
        return np.zeros_like(labels)
    unit = np.eye(len(kernel))
    try:
        half = tf.linalg.triangular_solve(tf.linalg.cholesky(kernel + penalty * unit), unit)
    except tf.errors.InvalidArgumentError:  # the numbers are too large for their products
        return np.full_like(labels, np.nan)
    solved = tf.matmul(half, tf.matmul(half, labels), transpose_a=True)
    predicted: np.ndarray = labels - (solved / tf.reduce_sum(half**2, axis=0)[:, None]).numpy()
    return predicted


def predict(known: np.ndarray, labels: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Return what linear ridge regression on `known` [N, F] predicts for `asked` [M, F].

    labels: [N, D].
    """
    middle, mean = known.mean(axis=0), labels.mean(axis=0)
    known, asked = known - middle, asked - middle
    kernel = known @ known.T
    penalty = RIDGE * max(float(np.trace(kernel)) / len(known), 1e-12)
    weights = np.linalg.solve(kernel + penalty * np.eye(len(known)), labels - mean)
    predicted: np.ndarray = asked @ (known.T @ weights) + mean
    return predicted
