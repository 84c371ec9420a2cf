"""Examples that are in the training and in the validation data."""

import numpy as np
import pytest

from mnist_exp.preflight import Finding
from mnist_exp.preflight.batches import Inputs
from mnist_exp.preflight.splits import check_overlap
from tests.support.collection import made_data
from tests.support.programs import findings
from tests.support.zoo.programs import sample

IMAGES = sample(0, 400)[0]


def found(train: object, validation: object) -> list[Finding]:
    return findings(check_overlap, Inputs(train), Inputs(validation))


@pytest.mark.parametrize(
    ("shared", "severity"), [(100, "error"), (40, "error"), (10, "warning"), (2, None)]
)
def test_share_of_the_validation_examples(shared: int, severity: str | None) -> None:
    findings_ = found(IMAGES[:300], IMAGES[300 - shared : 400 - shared])
    assert [finding.severity for finding in findings_] == ([severity] if severity else [])
    assert all(finding.evidence["share"] == shared / 100 for finding in findings_)


def test_the_same_pictures_in_another_scale() -> None:
    (finding,) = found(IMAGES, (255 * IMAGES[:50]).astype(np.uint8))
    assert "but for their scale" in finding.message


def test_inputs_of_several_arrays_and_text() -> None:
    x, _ = made_data.two_inputs(0, 300)
    part = {name: array[:50] for name, array in x.items()}
    assert len(found(x, part)) == 1
    assert found(x, {**part, "numbers": part["numbers"] + 1}) == []
    texts = np.asarray([f"text {n} of many" for n in range(200)], dtype=object)
    assert len(found(texts, texts[:20])) == 1


def test_rows_that_are_equal_by_chance() -> None:
    bits = np.random.default_rng(0).integers(0, 2, (400, 4))
    assert found(bits[:300], bits[300:]) == []


@pytest.mark.parametrize("make", [made_data.table, made_data.sentences, made_data.pictures])
def test_splits_of_good_data(make: object) -> None:
    x, _ = make(0, 500)  # type: ignore[operator]
    assert found(x[:400], x[400:]) == []
