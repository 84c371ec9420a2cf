"""Checks of the numbers that an embedding looks up."""

from typing import Any

import keras
import numpy as np
from keras import layers

from mnist_exp.preflight import Finding
from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.program.program import Program
from mnist_exp.preflight.structure.tokens import check_tokens
from tests.support.layer_kinds import chain, program, softmax

LABELS = np.arange(128) % 3
TOKENS = np.random.default_rng(0).integers(0, 20, (128, 8)).astype(np.int32)


def embedding(tokens: np.ndarray, rows: int = 20) -> Program:
    model = chain(
        layers.Embedding(rows, 4), layers.GlobalAveragePooling1D(), softmax(3),
        shape=(8,), dtype=str(tokens.dtype),
    )  # fmt: skip
    return program(model, x=tokens, y=LABELS)


def check(checked: Program) -> tuple[bool, list[Finding]]:
    checkup = Checkup()
    return check_tokens(checkup, checked), checkup.findings


def test_tokens_that_all_have_a_row() -> None:
    assert check(embedding(TOKENS)) == (True, [])
    assert check(embedding(TOKENS.astype(np.float32))) == (True, [])


def test_table_one_row_short_leaves_the_other_examples() -> None:
    rare = TOKENS % 19
    rare[::4, 0] = 19
    checked = embedding(rare, rows=19)
    goes_on, (finding,) = check(checked)
    assert goes_on
    assert (finding.code, finding.severity) == ("EMBEDDING_TOO_SMALL", "error")
    assert "go from 0 to 19, and its table has 19 rows: 25.0% of the examples" in finding.message
    assert len(checked.inputs) == len(checked.labels) == 96
    assert np.isfinite(checked.outputs(checked.inputs)).all()


def test_table_far_too_small_leaves_nothing_to_check() -> None:
    goes_on, (finding,) = check(embedding(TOKENS, rows=3))
    assert not goes_on
    assert finding.code == "EMBEDDING_TOO_SMALL"


def test_negative_tokens() -> None:
    _, (finding,) = check(embedding(np.where(TOKENS == 3, -1, TOKENS)))
    assert (finding.code, finding.severity) == ("EMBEDDING_TOO_SMALL", "warning")


def test_tokens_divided_by_the_vocabulary() -> None:
    _, (finding,) = check(embedding((TOKENS / 20).astype(np.float32)))
    assert finding.code == "INPUT_SCALE"
    assert "20 different numbers of which 1 are left" in finding.message


def test_columns_that_are_looked_up_one_by_one() -> None:
    pairs = keras.Input((2,), dtype="int32")
    rows = [layers.Embedding(20, 4)(pairs[:, 0]), layers.Embedding(5, 4)(pairs[:, 1])]
    model: Any = keras.Model(pairs, softmax(3)(layers.Concatenate()(rows)))
    assert check(program(model, x=TOKENS[:, :2] % (20, 5), y=LABELS))[1] == []
    _, (finding,) = check(program(model, x=TOKENS[:, :2], y=LABELS))
    assert finding.evidence["rows"] == 5
