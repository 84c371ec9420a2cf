"""Examples that are in the training and in the validation data."""

from collections.abc import Callable

import numpy as np
import pytest

from mnist_exp.preflight import Finding
from mnist_exp.preflight.data.splits import check_overlap
from mnist_exp.preflight.program.batches import Inputs
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


def sparse(generator: np.random.Generator) -> np.ndarray:
    """Return words that are in a text (1) or not (0)."""
    return (generator.random((500, 1000)) < 0.03).astype(np.float32)


def growing(generator: np.random.Generator) -> np.ndarray:
    """Return curves that grow all along."""
    return np.cumsum(generator.random((500, 100)), axis=1)


def standardised(generator: np.random.Generator) -> np.ndarray:
    """Return pictures with empty corners, standardised pixel by pixel."""
    pictures = sample(0, 500)[0].reshape(500, -1) + 0.01 * generator.random(784)
    return (pictures - pictures.mean(axis=0)) / (pictures.std(axis=0) + 0.01)


@pytest.mark.parametrize("make", [sparse, growing, standardised])
def test_the_same_order_by_chance(make: Callable[[np.random.Generator], np.ndarray]) -> None:
    x = make(np.random.default_rng(0))
    assert found(x[:400], x[400:]) == []
    (finding,) = found(x, 2 * x[400:] + 1)
    assert finding.evidence["share"] == 1.0


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


def test_examples_drawn_from_a_few_are_no_copies() -> None:
    """Sums of small numbers as one-hot digits, and clips of which each frame follows."""
    random = np.random.default_rng(0)
    sums = np.eye(10)[random.integers(0, (4, 10, 10), (2700, 3))]
    assert found(sums[:2400], sums[2400:]) == []
    places = (random.integers(0, (7, 7), (220, 2))[:, None] + np.arange(5)[:, None]) % 12
    clips = np.zeros((220, 5, 12, 12))
    for clip, steps in zip(clips, places, strict=True):
        clip[np.arange(5), steps[:, 0], steps[:, 1]] = 1
    assert found(clips[:180], clips[180:]) == []


@pytest.mark.parametrize("times", [2, 3])
def test_rows_of_words_that_are_copied_before_the_split(times: int) -> None:
    random = np.random.default_rng(0)
    copied = random.permutation(np.repeat(sparse(random), times, axis=0))
    (finding,) = found(copied[: 400 * times], copied[400 * times :])
    assert finding.severity == "error"


def test_rare_rows_of_words_that_are_drawn_again_are_at_least_a_warning() -> None:
    random = np.random.default_rng(0)
    words = sparse(random)
    drawn = random.permutation(np.r_[words[:450], words[random.integers(450, 500, 450)]])
    assert len(found(drawn[:700], drawn[700:])) == 1
