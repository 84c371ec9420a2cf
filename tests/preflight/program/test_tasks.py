"""The task is told from loss, outputs and labels; outputs are judged by it."""

import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from mnist_exp.preflight.program.loss_kind import Compares, LossInput, tell_loss_kind
from mnist_exp.preflight.program.objective import mean_loss
from mnist_exp.preflight.program.tasks import Target, Task, tell_target
from tests.support import targets as t

L = keras.losses


def gradient_of(loss: Any) -> Any:
    """Return a loss as the probes take it."""

    def of(labels: np.ndarray, outputs: np.ndarray) -> Any:
        point = tf.constant(outputs)
        with tf.GradientTape() as tape:
            tape.watch(point)
            total = mean_loss(loss(tf.constant(labels), point))
        gradient = tape.gradient(total, point)
        return float(total), np.zeros_like(outputs) if gradient is None else gradient.numpy(), ()

    return of


def tell(loss: Any, labels: np.ndarray, shape: tuple[int, ...], activation: str = "") -> Target:
    kind = tell_loss_kind(gradient_of(loss), labels, shape)
    return tell_target(shape, labels, [t.PICTURES, t.ROWS], kind, activation)


BINARY_CE, BINARY_LOGITS = L.BinaryCrossentropy(), L.BinaryCrossentropy(from_logits=True)
SPARSE, SPARSE_LOGITS = (L.SparseCategoricalCrossentropy(from_logits=b) for b in (False, True))
ONE_HOT_CE, ONE_HOT_LOGITS = (L.CategoricalCrossentropy(from_logits=b) for b in (False, True))
SMOOTH = {"label_smoothing": 0.1}
MSE = L.MeanSquaredError()
PROGRAMS: list[tuple[Any, np.ndarray, tuple[int, ...], Task, str]] = [
    (BINARY_CE, t.YES, (1,), Task.BINARY, "probabilities"),
    (BINARY_CE, t.YES[:, 0], (1,), Task.BINARY, "probabilities"),
    (BINARY_LOGITS, t.YES.astype(np.float32), (1,), Task.BINARY, "logits"),
    (L.BinaryCrossentropy(**SMOOTH), t.YES, (1,), Task.BINARY, "probabilities"),
    (L.BinaryCrossentropy(True, **SMOOTH), t.YES, (1,), Task.BINARY, "logits"),
    (L.BinaryFocalCrossentropy(), t.YES, (1,), Task.BINARY, "probabilities"),
    (L.BinaryFocalCrossentropy(from_logits=True), t.YES, (1,), Task.BINARY, "logits"),
    (t.weighted_binary, t.YES, (1,), Task.BINARY, "probabilities"),
    (L.Hinge(), t.YES, (1,), Task.BINARY, "logits"),
    (L.Hinge(), 2 * t.YES - 1, (1,), Task.BINARY, "logits"),
    (L.SquaredHinge(), 2.0 * t.YES - 1, (1,), Task.BINARY, "logits"),
    (MSE, t.YES, (1,), Task.BINARY, "numbers"),
    (MSE, 2 * t.YES - 1, (1,), Task.BINARY, "numbers"),
    (BINARY_CE, t.CLASSES, (1,), Task.BINARY, "probabilities"),  # labels out of range
    (SPARSE, t.CLASSES, (10,), Task.CLASSES, "probabilities"),
    (SPARSE, t.CLASSES[:, None], (10,), Task.CLASSES, "probabilities"),
    (SPARSE, t.CLASSES + 1, (10,), Task.CLASSES, "probabilities"),
    (SPARSE_LOGITS, t.CLASSES.astype(np.float32), (10,), Task.CLASSES, "logits"),
    (SPARSE_LOGITS, t.YES, (2,), Task.CLASSES, "logits"),
    (SPARSE_LOGITS, t.TAGS, (12, 300), Task.CLASSES_PER_POSITION, "logits"),
    (ONE_HOT_CE, t.ONE_HOT, (10,), Task.CLASSES, "probabilities"),
    (ONE_HOT_CE, 0.9 * t.ONE_HOT + 0.01, (10,), Task.CLASSES, "probabilities"),
    (L.CategoricalCrossentropy(True, **SMOOTH), t.ONE_HOT, (10,), Task.CLASSES, "logits"),
    (L.CategoricalFocalCrossentropy(), t.ONE_HOT, (10,), Task.CLASSES, "probabilities"),
    (L.KLDivergence(), t.ONE_HOT, (10,), Task.CLASSES, "probabilities"),
    (L.CategoricalHinge(), t.ONE_HOT, (10,), Task.CLASSES, "logits"),
    (MSE, t.ONE_HOT, (10,), Task.CLASSES, "numbers"),
    (BINARY_CE, t.SEVERAL, (5,), Task.MULTILABEL, "probabilities"),
    (BINARY_LOGITS, t.SEVERAL, (5,), Task.MULTILABEL, "logits"),
    (BINARY_CE, t.ONE_HOT, (10,), Task.MULTILABEL, "probabilities"),  # one label each
    (MSE, t.NUMBERS, (1,), Task.REGRESSION, "numbers"),
    (MSE, t.NUMBERS[:, 0], (1,), Task.REGRESSION, "numbers"),
    (MSE, t.RATINGS, (1,), Task.REGRESSION, "numbers"),
    (MSE, t.PRICES.astype(np.int64), (1,), Task.REGRESSION, "numbers"),
    (L.MeanAbsoluteError(), t.NUMBERS, (1,), Task.REGRESSION, "numbers"),
    (L.Huber(), t.PRICES, (1,), Task.REGRESSION, "numbers"),
    (L.LogCosh(), t.NUMBERS, (1,), Task.REGRESSION, "numbers"),
    (L.MeanSquaredLogarithmicError(), t.PRICES, (1,), Task.REGRESSION, "numbers"),
    (L.MeanAbsolutePercentageError(), t.COUNTS, (1,), Task.REGRESSION, "numbers"),
    (L.Poisson(), t.COUNTS, (1,), Task.REGRESSION, "numbers"),
    (t.quantile, t.NUMBERS, (1,), Task.REGRESSION, "numbers"),
    (t.negated_squares, t.NUMBERS, (1,), Task.REGRESSION, "numbers"),
    (BINARY_CE, t.PRICES, (1,), Task.REGRESSION, "probabilities"),  # a loss for another task
    (MSE, t.ROWS[:, ::-1].copy(), (6,), Task.REGRESSION, "numbers"),
    (SPARSE, t.TAGS, (12, 7), Task.CLASSES_PER_POSITION, "probabilities"),
    (t.masked, t.PADDED_WITH_0, (12, 7), Task.CLASSES_PER_POSITION, "logits"),
    (BINARY_CE, t.MASKS, (8, 8, 1), Task.BINARY_PER_POSITION, "probabilities"),
    (BINARY_CE, 255 * t.MASKS, (8, 8, 1), Task.BINARY_PER_POSITION, "probabilities"),
    (t.overlap, t.MASKS, (8, 8, 1), Task.BINARY_PER_POSITION, "unknown"),
    (BINARY_CE, t.PICTURES, (64,), Task.AUTOENCODER, "probabilities"),
    (BINARY_LOGITS, t.PICTURES, (64,), Task.AUTOENCODER, "logits"),
    (MSE, t.PICTURES + 0.3 * np.float32(t.NUMBERS), (64,), Task.AUTOENCODER, "numbers"),
    (MSE, t.PICTURES.reshape(-1, 8, 8), (8, 8, 1), Task.AUTOENCODER, "numbers"),
    (MSE, 3 * t.ROWS + 1, (6,), Task.AUTOENCODER, "numbers"),
    (t.gaussian, t.NUMBERS, (2,), Task.UNKNOWN, "unknown"),
    (t.weighted_error, t.PACKED, (1,), Task.UNKNOWN, "numbers"),
    (t.nearer, t.YES, (1,), Task.UNKNOWN, "unknown"),
    (t.farther, t.YES, (1,), Task.UNKNOWN, "unknown"),
    (t.nearer_of_signs, 2 * t.YES - 1, (1,), Task.UNKNOWN, "unknown"),
    (t.two_margins, 2 * t.YES - 1, (1,), Task.UNKNOWN, "unknown"),
    (BINARY_LOGITS, 2 * t.YES - 1, (1,), Task.BINARY, "logits"),
    (L.Hinge(), 2 * t.YES - 1, (1,), Task.BINARY, "logits"),
    (t.nearer, np.arange(200)[:, None] % 9 == 0, (1,), Task.UNKNOWN, "unknown"),
]


@pytest.mark.first_cases(6)
@pytest.mark.parametrize(("loss", "labels", "shape", "task", "takes"), PROGRAMS)
def test_task_and_what_the_loss_takes(
    loss: Any, labels: np.ndarray, shape: tuple[int, ...], task: Task, takes: str
) -> None:
    target = tell(loss, labels, shape)
    assert (target.task, target.takes) == (task, LossInput(takes))


@pytest.mark.first_cases(2)
@pytest.mark.parametrize(
    ("labels", "shape"),
    [(t.TAGS, (12, 300)), (np.arange(200), (1000,)), (np.arange(200) * 200, (40_000,))],
)
def test_logits_of_many_classes_are_compared_with_one_another(
    labels: np.ndarray, shape: tuple[int, ...]
) -> None:
    assert tell(SPARSE_LOGITS, labels, shape).kind.compares is Compares.CLASSES


def test_labels_out_of_range_make_tensorflow_log_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    assert tell(SPARSE_LOGITS, t.CLASSES + 1, (10,)).kind.compares is Compares.CLASSES
    assert tell(SPARSE_LOGITS, t.YES, (1,)).kind.refused
    assert capfd.readouterr().err == ""


def test_a_cosine_compares_directions_of_numbers_and_is_no_cross_entropy() -> None:
    numbers = np.random.default_rng(0).normal(size=(64, 6)).astype(np.float32)
    kind = tell_loss_kind(gradient_of(L.CosineSimilarity()), numbers, (6,))
    assert kind.compares is Compares.UNKNOWN


def test_triplets_ask_only_which_labels_are_equal() -> None:
    def hardest(labels: tf.Tensor, outputs: tf.Tensor) -> tf.Tensor:
        far = tf.reduce_sum((outputs[:, None] - outputs[None]) ** 2, axis=-1)
        same = tf.cast(tf.equal(labels[:, None], labels[None]), tf.float32)
        positive = tf.reduce_max(far * same, axis=1)
        return tf.nn.relu(positive - tf.reduce_min(far + 1e3 * same, axis=1) + 1)

    classes = np.arange(64) % 5
    target = tell(hardest, classes, (8,))
    assert (target.task, target.kind.compares) == (Task.UNKNOWN, Compares.ALIKE)
    assert tell(SPARSE_LOGITS, classes, (8,)).task is Task.CLASSES


def test_softmax_outputs_make_one_hot_labels_classes_whatever_the_loss() -> None:
    assert tell(BINARY_CE, t.ONE_HOT, (10,), "Softmax").task is Task.CLASSES
    assert tell(BINARY_CE, t.ONE_HOT, (10,), "Sigmoid").task is Task.MULTILABEL


def test_a_series_ahead_of_itself_is_no_autoencoder() -> None:
    walk = np.cumsum(np.random.default_rng(0).normal(size=(200, 65, 1)), axis=1)
    kind = tell_loss_kind(gradient_of(MSE), walk[:, 1:].astype(np.float32), (64, 1))
    assert tell_target((64, 1), walk[:, 1:], [walk[:, :-1]], kind).task is Task.REGRESSION
    assert tell_target((64, 1), walk[:, 1:], [walk[:, 1:]], kind).task is Task.AUTOENCODER


WHICH = (
    "unknown: a label has 2 entries and an answer 1, and only the loss knows which belong together"
)


@pytest.mark.parametrize(
    ("loss", "labels", "shape", "words"),
    [
        (SPARSE_LOGITS, t.CLASSES, (10,), "one of 10 classes, logits"),
        (BINARY_LOGITS, t.YES, (1,), "one of two classes, one logit"),
        (MSE, t.NUMBERS, (1,), "a number"),
        (BINARY_LOGITS, t.SEVERAL, (5,), "5 labels at once, logits"),
        (t.weighted_error, t.PACKED, (1,), WHICH),
        (
            t.nearer,
            t.YES,
            (1,),
            "unknown: the loss takes distances, small for one kind of pairs, large for the other",
        ),
    ],
)
def test_words(loss: Any, labels: np.ndarray, shape: tuple[int, ...], words: str) -> None:
    assert tell(loss, labels, shape).words == words


def test_padding_counts_neither_in_the_score_nor_in_the_direction() -> None:
    loss = L.SparseCategoricalCrossentropy(ignore_class=-1)
    target = tell(loss, t.PADDED, (12, 7))
    assert target.kind.ignored == (-1.0,)
    outputs = np.eye(7)[t.TAGS]
    outputs[:, 8:] = np.eye(7)[0]  # nothing is learned there
    assert target.score(t.PADDED, outputs) == 1.0
    assert not target.toward(t.PADDED, outputs)[:, 8:].any()
    assert tell(t.masked, t.PADDED_WITH_0, (12, 7)).kind.ignored == (0.0,)
    assert tell(SPARSE, t.PADDED_WITH_0, (12, 7)).kind.ignored == ()


@pytest.mark.parametrize(
    ("loss", "labels", "right"),
    [
        (BINARY_LOGITS, t.YES, 3.0 * t.YES - 1),
        (BINARY_CE, t.YES, 0.2 + 0.5 * t.YES),
        (L.Hinge(), 2 * t.YES - 1, 0.2 * t.YES - 0.1),
        (MSE, t.YES, 0.05 + 0.9 * t.YES),
    ],
)
def test_score_knows_where_a_yes_begins(loss: Any, labels: np.ndarray, right: np.ndarray) -> None:
    target = tell(loss, labels, (1,))
    assert target.score(labels, right) == 1.0
    assert target.score(labels, -right + right.min() + right.max()) == 0.0
    assert (np.sign(target.toward(labels, right)) == 2 * t.YES - 1).all()


def test_a_sigmoid_says_yes_from_a_half_whatever_the_loss_takes() -> None:
    target = tell(BINARY_LOGITS, t.YES, (1,), "Sigmoid")
    assert target.score(t.YES, 0.2 + 0.5 * t.YES) == 1.0


def test_score_of_numbers_is_0_for_their_mean_and_soft_labels_need_a_winner() -> None:
    target = tell(MSE, t.NUMBERS, (1,))
    assert target.score(t.NUMBERS, t.NUMBERS) == 1.0
    assert target.score(t.NUMBERS, np.full_like(t.NUMBERS, t.NUMBERS.mean())) == pytest.approx(
        0, abs=1e-5
    )
    soft = np.array([[0.5, 0.5], [0.9, 0.1]], np.float32)
    assert tell(ONE_HOT_CE, soft, (2,)).score(soft, np.array([[0.0, 1], [1, 0]])) == 1.0


@pytest.mark.parametrize(
    ("loss", "labels", "shape", "expected"),
    [
        (SPARSE_LOGITS, np.arange(200) % 10, (10,), math.log(10)),
        (ONE_HOT_CE, np.eye(10, dtype=np.float32)[np.arange(200) % 10], (10,), math.log(10)),
        (BINARY_CE, np.arange(200) % 2, (1,), math.log(2)),
        (BINARY_LOGITS, np.arange(200) % 2, (1,), math.log(2)),
        (MSE, t.NUMBERS, (1,), float(t.NUMBERS.var())),
        (t.overlap, t.MASKS, (8, 8, 1), math.nan),
    ],
)
def test_loss_of_a_constant_guess(
    loss: Any, labels: np.ndarray, shape: tuple[int, ...], expected: float
) -> None:
    gradient = gradient_of(loss)
    value = tell(loss, labels, shape).constant_loss(labels, lambda y, o: gradient(y, o)[0])
    assert value == pytest.approx(expected, rel=1e-3, nan_ok=True)


def test_score_leaves_out_what_has_no_weight() -> None:
    target = Target(task=Task.CLASSES_PER_POSITION, num_classes=3, shape=(2, 3))
    labels, outputs = np.array([[0, 1], [2, 0]]), np.eye(3)[[[0, 2], [1, 0]]]
    assert target.score(labels, outputs) == 0.5
    assert target.score(labels, outputs, np.array([[1.0, 0.0], [0.0, 2.0]])) == 1
    assert target.score(labels, outputs, np.array([1.0, 0.0])) == 0.5


@pytest.mark.parametrize("value", [0, 1, 7])
def test_labels_that_are_alike_and_not_used_are_dummies(value: int) -> None:
    labels = np.full(64, value, np.float32)
    told = tell(lambda y, outputs: outputs - 0 * y[:, None], labels, (1,))
    assert told.task is Task.UNKNOWN
    assert "the loss does not use them" in told.words
    assert tell(MSE, labels, (1,)).task is not Task.UNKNOWN
