"""A few examples, learned by heart."""

import keras
import numpy as np
import pytest

from mnist_exp.preflight.learning.memorising import (
    Memorised,
    capacity,
    few_examples,
    lesson,
    memorise,
)
from mnist_exp.preflight.learning.short_runs import Step
from mnist_exp.preflight.program.compiled import compiled_loss
from mnist_exp.preflight.program.program import Program
from tests.support.programs import make_program
from tests.support.zoo import models, optimizers, programs

IMAGES, LABELS = programs.sample(0, 400)


def memorised(program: Program, step: Step, steps: int) -> Memorised:
    return memorise(program, lesson(program, *few_examples(program)), step, steps)


@pytest.mark.parametrize("own", [True, False])
def test_it_reaches_every_image_of_a_batch(own: bool) -> None:
    program = make_program(optimizer=optimizers.adam(1e-2), images=IMAGES, labels=LABELS)
    result = memorised(
        program, program.steps.own.start() if own else program.steps.adam.start(1e-2), 200
    )
    assert result.last_loss < result.first_loss
    assert result.score == 1
    assert 0 < result.steps < 200
    assert program.target.score(program.labels[:20], program.outputs(program.inputs[:20])) > 0.9


def test_it_goes_on_while_the_loss_falls() -> None:
    program = make_program(
        models.softmax("large", 1), images=programs.sample(1)[0], labels=programs.sample(1)[1]
    )
    result = memorised(program, program.steps.adam.start(3e-3), 50)
    assert 50 < result.steps <= 200


def test_it_gives_up_after_its_steps() -> None:
    program = make_program(models.mlp("glorot", 0, units=1), images=IMAGES, labels=LABELS)
    result = memorised(program, program.steps.adam.start(1e-3), 7)
    assert result.steps == 7
    assert result.score < 1


def test_equal_inputs_are_taken_once() -> None:
    images = np.repeat(IMAGES[:30], 2, axis=0)
    program = make_program(images=images, labels=np.arange(60) % 10)
    inputs, labels = few_examples(program)
    assert len(inputs) == 20
    np.testing.assert_array_equal(labels, np.arange(0, 40, 2) % 10)


def test_padding_that_keras_masks_does_not_count() -> None:
    tokens = np.random.default_rng(0).integers(1, 20, (60, 6))
    tokens[:, 3:] = 0
    model = keras.Sequential([keras.layers.Embedding(20, 8, mask_zero=True), keras.layers.Dense(3)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    program = Program(model, compiled_loss(model), model.optimizer, tokens, (tokens - 1) % 3)
    learned = lesson(program, *few_examples(program))
    outputs = np.eye(3)[(few_examples(program)[0].arrays[0].astype(int) - 1) % 3]
    outputs[:, 3:] = [1, 0, 0]  # the labels of the padding are class 2
    assert learned.score(outputs) == 1


def test_both_classes_are_among_the_examples() -> None:
    program = make_program(images=IMAGES[:60], labels=np.r_[np.zeros(50, int), np.ones(10, int)])
    _, labels = few_examples(program)
    assert list(labels) == [0] * 14 + [1] * 6


def test_a_tiny_network_has_few_weights_for_each_bit() -> None:
    small, large = (
        capacity(program, program.labels[:20])
        for program in (make_program(models.mlp("glorot", 0, units=n)) for n in (1, 50))
    )
    assert 8 < small < 15
    assert large > 500
