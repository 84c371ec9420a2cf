"""Labels that have nothing to do with the inputs, in every task."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from mnist_exp.preflight import Finding
from mnist_exp.preflight.data.relation import check_relation, label_table, probe_relation
from mnist_exp.preflight.program.batches import Inputs
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.program.tasks import Target, Task
from tests.support.collection import made_data
from tests.support.programs import findings
from tests.support.zoo.programs import sample

Made = tuple[Any, np.ndarray]


def dense(shape: tuple[int, ...], outputs: int) -> keras.Model:
    return keras.Sequential(
        [keras.Input(shape), layers.Flatten(), layers.Dense(32, "relu"), layers.Dense(outputs)]
    )


def tagger() -> keras.Model:
    return keras.Sequential([keras.Input((12,)), layers.Embedding(60, 8), layers.Dense(4)])


def found(model: keras.Model, loss: Any, x: np.ndarray, y: np.ndarray) -> list[Finding]:
    program = Program(model, loss, keras.optimizers.Adam(), x, y)
    probe = probe_relation(program.target, program.inputs.arrays, program.labels)
    return findings(check_relation, program, probe, (program.inputs.arrays, program.labels), 0)


CLASSES = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
YES_NO = keras.losses.BinaryCrossentropy(from_logits=True)
SQUARES = keras.losses.MeanSquaredError()
PROGRAMS: dict[str, tuple[Callable[[], Made], Callable[[], keras.Model], Any]] = {
    "pictures": (lambda: sample(1, 400), lambda: dense((28, 28, 1), 10), CLASSES),
    "table": (lambda: made_data.table(0, 400), lambda: dense((12,), 4), CLASSES),
    "exclusive or": (lambda: _columns(made_data.xor(0, 400)), lambda: dense((2,), 1), YES_NO),
    "multilabel": (lambda: made_data.multilabel(0, 400), lambda: dense((20,), 5), YES_NO),
    "numbers": (lambda: _columns(made_data.fuel(0, 400)), lambda: dense((7,), 1), SQUARES),
    "tags": (lambda: made_data.tagged(0, 400), tagger, CLASSES),
}


def _columns(data: Made) -> Made:
    return data[0], data[1][:, None]


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("name", PROGRAMS)
def test_labels_belong_to_the_inputs_or_are_shuffled(name: str) -> None:
    make, model, loss = PROGRAMS[name]
    x, y = make()
    assert found(model(), loss, x, y) == []
    (finding,) = found(model(), loss, x, np.random.default_rng(1).permutation(y))
    # Two or seven numbers of an example are too few to learn it by heart.
    severity = "warning" if name in ("exclusive or", "numbers") else "error"
    assert (finding.code, finding.severity) == ("LABELS_UNRELATED", severity)


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("order", "words"),
    [
        (lambda y: np.roll(y, -1), "moved down by one row"),
        (lambda y: np.roll(y, 1), "moved up by one row"),
        (lambda y: y[::-1], "in the reverse order"),
    ],
)
def test_the_order_in_which_labels_fit(order: Callable[..., np.ndarray], words: str) -> None:
    x, y = made_data.table(0, 400)
    (finding,) = found(dense((12,), 4), CLASSES, x, order(y))
    assert finding.message.endswith(f"They fit when they are {words}.")


def test_few_examples_of_each_class_are_a_warning() -> None:
    x = sample(1, 300)[0].reshape(300, -1)
    y = np.random.default_rng(0).permutation(300) // 2
    (finding,) = found(dense((784,), 150), CLASSES, x, y)
    assert finding.severity == "warning"


def test_a_program_that_learns_what_no_probe_does_passes() -> None:
    """The probes see only zeros here."""
    x, y = made_data.table(0, 400)
    program = Program(dense((12,), 4), CLASSES, keras.optimizers.Adam(), x, y)
    blind = probe_relation(program.target, [np.zeros_like(x)], y)
    assert findings(check_relation, program, blind, None, 0) == []


def test_tastes_of_users_that_only_a_higher_rate_learns() -> None:
    generator = np.random.default_rng(0)
    pairs = generator.integers(0, 40, (2000, 2))
    tastes, films = generator.normal(size=(2, 40, 3))
    rating = np.sum(tastes[pairs[:, 0]] * films[pairs[:, 1]], axis=1, keepdims=True)
    both = keras.Input((2,))
    rows = [layers.Embedding(40, 8)(both[:, n]) for n in range(2)]
    model = keras.Model(both, layers.Dot(1)(rows))
    assert found(model, SQUARES, pairs, rating.astype(np.float32)) == []


def test_a_few_examples_are_not_judged() -> None:
    x, y = sample(1, 50)
    assert found(dense((28, 28, 1), 10), CLASSES, x, y[::-1]) == []


def test_columns_of_a_label_table_name_outputs() -> None:
    target = Target(task=Task.CLASSES_PER_POSITION, num_classes=5)
    labels = np.random.default_rng(0).integers(0, 5, (30, 40))
    table, outputs = label_table(target, labels)
    places, classes = outputs // 5, outputs % 5
    assert np.array_equal(table == 1, labels[:, places] == classes)


def test_inputs_of_several_arrays() -> None:
    x, y = made_data.two_inputs(0, 400)
    target = Target(task=Task.BINARY, num_classes=1)
    arrays = Inputs(x).arrays
    assert probe_relation(target, arrays, y).sigmas > 8


def test_a_program_that_learns_nothing_at_all_is_a_warning() -> None:
    """Whether it needs more steps is not known."""
    x, y = made_data.table(0, 400)
    model = dense((12,), 4)
    model.layers[-1].trainable = False
    model.layers[-2].activation = lambda values: 1e-9 * values
    shuffled = np.random.default_rng(1).permutation(y)
    assert [finding.severity for finding in found(model, CLASSES, x, shuffled)] == ["warning"]
