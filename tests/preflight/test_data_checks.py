"""What the checks of the data get of a program, and what they leave out."""

from collections.abc import Callable

import keras
import numpy as np
import pytest
from keras import layers

from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.data_checks import noise, relation
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.subject import LONG, SHORT, Subject


def _users_and_films(users: int, films: int) -> Subject:
    """Return a product of two tables, of which each half alone tells nothing of the label."""
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    tables = [random.normal(size=(rows, 3)) for rows in (users, films)]
    ids = [random.integers(0, rows, (2000, 1)) for rows in (users, films)]
    liked = (tables[0][ids[0][:, 0]] * tables[1][ids[1][:, 0]]).sum(axis=1) > 0
    given = [keras.Input((1,), dtype="int32") for _ in ids]
    read = [
        layers.Flatten()(layers.Embedding(rows, 16)(number))
        for rows, number in zip((users, films), given, strict=True)
    ]
    model = keras.Model(given, layers.Activation("sigmoid")(layers.Dot(1)(read)))
    loss, adam = keras.losses.BinaryCrossentropy(), keras.optimizers.Adam()
    return Subject(Program(model, loss, adam, ids, liked.astype(np.float32)), 0)


@pytest.mark.parametrize(("check", "users", "films"), [(relation, 200, 300), (noise, 50, 60)])
def test_of_rare_users_and_films_nothing_is_said(
    check: Callable[[Checkup, Subject], None], users: int, films: int
) -> None:
    checkup = Checkup()
    check(checkup, _users_and_films(users, films))
    assert checkup.findings == []
    assert "few examples of" in checkup.not_judged[0]


def test_a_training_is_as_long_as_is_said_or_guessed() -> None:
    subject = _users_and_films(50, 60)
    assert (subject.length(SHORT), subject.length(LONG)) == (500, 10_000)
    subject.examples = 64_000
    assert (subject.length(SHORT), subject.length(LONG)) == (10_000, 100_000)
    subject.steps = 7
    assert (subject.length(SHORT), subject.plan.steps) == (7, 7)
