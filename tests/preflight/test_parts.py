"""Programs with several outputs: each is judged by itself, and all of them together."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from mnist_exp.preflight import check
from mnist_exp.preflight.errors import PreflightError
from mnist_exp.preflight.parts import output_parts
from mnist_exp.preflight.program.compiled import compiled_loss
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.subject import Subject
from tests.support.zoo import programs

IMAGES, LABELS = programs.sample(0, 200)
SPARSE = keras.losses.SparseCategoricalCrossentropy


def model(structure: type, loss: Any, digit: str | None, **compiled: Any) -> keras.Model:
    inputs = keras.Input((28, 28, 1))
    hidden = layers.Dense(16, activation="relu")(layers.Flatten()(inputs))
    outputs = {
        "digit": layers.Dense(10, activation=digit, name="digit")(hidden),
        "odd": layers.Dense(1, activation="sigmoid", name="odd")(hidden),
    }
    made = keras.Model(inputs, outputs if structure is dict else list(outputs.values()))
    made.compile("adam", loss, **compiled)
    return made


def dict_program() -> Program:
    loss = {"digit": SPARSE(from_logits=True), "odd": "binary_crossentropy"}
    made = model(dict, loss, None, loss_weights={"digit": 1.0, "odd": 0.5})
    labels = {"digit": LABELS, "odd": LABELS % 2}
    return Program(made, compiled_loss(made), made.optimizer, IMAGES, labels)


def test_each_output_has_its_labels_loss_and_task() -> None:
    program = dict_program()
    parts = {n: part.program for n, part in output_parts(Subject(program, 0)).items()}
    assert [part.target.words for part in parts.values()] == [
        "one of 10 classes, logits",
        "one of two classes, one sigmoid",
    ]
    assert np.array_equal(parts["digit"].labels, LABELS)
    assert parts["odd"].taps.output_op == "Sigmoid"
    values = [p.loss_of(p.labels[:9], p.outputs(program.inputs[:9])) for p in parts.values()]
    total = program.loss_of(program.labels[:9], program.outputs(program.inputs[:9]))
    assert total == pytest.approx(values[0] + 0.5 * values[1], rel=1e-5)
    gradients = program.gradients(program.inputs[:9], program.labels[:9])
    assert gradients.loss == pytest.approx(total, rel=1e-5)


def test_mistake_of_one_output_is_found_with_its_name_and_the_rest_is_good() -> None:
    losses = [SPARSE(from_logits=True), "binary_crossentropy"]
    report = check(model(list, losses, "softmax"), IMAGES, [LABELS, LABELS % 2])
    assert [(f.code, str(f.severity)) for f in report.findings] == [
        ("OUTPUT_ALREADY_PROBABILITIES", "warning")  # Keras takes the logits, here as in `fit`
    ]
    assert report.findings[0].message.startswith("Output 'digit': The outputs are probabilities")
    assert report.task == "digit: one of 10 classes, softmax; odd: one of two classes, one sigmoid"


def test_an_output_without_a_loss_has_no_part() -> None:
    made = model(list, ["sparse_categorical_crossentropy", None], "softmax")
    program = Program(made, compiled_loss(made), made.optimizer, IMAGES, LABELS)
    parts = output_parts(Subject(program, 0))
    assert list(parts) == ["digit"]
    assert np.array_equal(parts["digit"].program.labels, LABELS)


class WithMore(keras.Model):
    """A model with an output that has a loss, and another one."""

    def __init__(self, more: Callable[[Any], Any]) -> None:
        super().__init__()
        self.last, self.more = layers.Dense(10, "softmax"), more

    def call(self, inputs: Any) -> Any:
        return {"digit": self.last(inputs), "more": self.more(inputs)}


@pytest.mark.parametrize("axis", [None, 0])
def test_an_output_without_an_axis_for_the_examples_is_left_out(axis: int | None) -> None:
    made = WithMore(lambda x: keras.ops.mean(x, axis=axis))
    made.compile(keras.optimizers.Adam(0.01), {"digit": "sparse_categorical_crossentropy"})
    report = check(made, IMAGES.reshape(-1, 784), {"digit": LABELS})
    assert report.findings == ()
    assert report.task == "digit: one of 10 classes, softmax"


def test_an_output_of_a_size_that_is_not_known_is_refused_in_words() -> None:
    made = WithMore(lambda x: x[:, : tf.cast(tf.reduce_sum(x), tf.int32)])
    made.compile("adam", {"digit": "sparse_categorical_crossentropy"})
    with pytest.raises(PreflightError, match=r"size of an output of shape \(None, None\) is not"):
        check(made, IMAGES.reshape(-1, 784), {"digit": LABELS})
