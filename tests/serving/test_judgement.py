import math
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from benchmarks.temperatures import Network
from mnist_exp import data
from mnist_exp.serving import calibration, judgement
from mnist_exp.serving.judgement import Judgement
from mnist_exp.serving.model import RULE, ServedModel
from mnist_exp.serving.network import NETWORK, features_and_logits, outputs


@pytest.fixture(scope="module")
def network(mnist: data.Dataset) -> keras.Model:
    """A softmax regression of 3,000 images: 88% right."""
    keras.utils.set_random_seed(0)
    images = keras.Input((28, 28, 1))
    model = keras.Model(images, keras.layers.Dense(10)(keras.layers.Flatten()(images)))
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(
        mnist.train.images[:3000] / np.float32(255),
        mnist.train.labels[:3000],
        100,
        epochs=4,
        verbose=0,
    )
    return model


@pytest.fixture(scope="module")
def rule(network: keras.Model, mnist: data.Dataset) -> Judgement:
    return calibration.judgement_of(network, mnist)


def judged(
    network: keras.Model, rule: Judgement, images: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    features, logits = features_and_logits(
        outputs(network), images[..., None].astype(np.float32) / 255
    )
    return (*rule.judge(features, logits), logits.argmax(axis=1))


def test_confidence_is_calibrated(
    network: keras.Model, rule: Judgement, mnist: data.Dataset
) -> None:
    """Of test images: as many answers are right as the confidences say."""
    confidence, _, digits = judged(network, rule, mnist.test.images[:4000, :, :, 0])
    right = digits == mnist.test.labels[:4000]
    for low, high in ((0.4, 0.7), (0.7, 0.9), (0.9, 1.01)):
        chosen = (confidence >= low) & (confidence < high)
        assert right[chosen].mean() == pytest.approx(confidence[chosen].mean(), abs=0.08)


def test_few_digits_are_doubted_and_most_of_what_is_none(
    network: keras.Model, rule: Judgement, mnist: data.Dataset
) -> None:
    random = np.random.default_rng(0)
    _, sure, digits = judged(network, rule, mnist.test.images[:2000, :, :, 0])
    right = digits == mnist.test.labels[:2000]
    assert sure[right].mean() > 0.9
    assert sure[~right].mean() < sure[right].mean() - 0.1
    _, sure, _ = judged(network, rule, random.integers(0, 256, size=(200, 28, 28)))
    assert sure.mean() < 0.05


def test_it_is_stored_beside_the_network_and_read_again(
    network: keras.Model, rule: Judgement, mnist: data.Dataset, tmp_path: Path
) -> None:
    rule.save(tmp_path / RULE)
    assert (tmp_path / RULE).stat().st_size < 1_000_000
    network.save(tmp_path / NETWORK)
    answer = ServedModel(tmp_path).predict(mnist.test.images[:50])
    confidence, sure, digits = judged(
        network, judgement.load(tmp_path / RULE), mnist.test.images[:50, :, :, 0]
    )
    assert answer["digit"].tolist() == digits.tolist()
    assert (
        answer["sure"].tolist()
        == sure.tolist()
        == judged(network, rule, mnist.test.images[:50, :, :, 0])[1].tolist()
    )
    assert answer["confidence"].tolist() == pytest.approx(confidence.tolist(), abs=1e-6)
    assert "sure" not in ServedModel(tmp_path / NETWORK).predict(mnist.test.images[:2])


def test_a_digit_that_was_never_seen_is_doubted(rule: Judgement) -> None:
    none = replace(rule, temperature=1.0, least_confidence=0.5, labels=np.zeros_like(rule.labels))
    confidence, sure = none.judge(np.ones((1, len(rule.signs)), np.float32), 9 * np.eye(10)[[3]])
    assert confidence[0] > 0.9
    assert not sure[0]


@pytest.mark.filterwarnings("error")
def test_features_that_are_all_zero_are_as_near_as_others_of_their_class() -> None:
    features, labels = np.zeros((8, 3), np.float32), np.zeros(8, np.int32)
    logits = np.tile([3.0, 0.0], (8, 1))
    rule = judgement.fit((features, labels), (features, logits, labels))
    assert rule.distances(features, logits.argmax(axis=1)).tolist() == [1] * 8
    assert rule.judge(features, logits)[1].all()


@pytest.mark.parametrize(("wrong", "low", "high"), [(0, 0.5, 1), (1, 1, 3)])
def test_a_few_images_do_not_lead_to_the_ends_of_the_temperatures(
    wrong: int, low: float, high: float
) -> None:
    """Without a prior they are 0.25, where all are right, and 8, where one is wrong by far."""
    features, labels = np.ones((40, 3), np.float32), np.zeros(40, np.int32)
    logits = np.tile([3.0, 0.0], (40, 1))
    logits[:wrong] = [0, 40]
    rule = judgement.fit((features, labels), (features, logits, labels))
    assert low < rule.temperature < high


@pytest.mark.parametrize("count", [2000, 5000])
@pytest.mark.parametrize("temperature", [0.8, 1.8])
def test_the_temperature_of_thousands_of_images_is_that_of_the_least_cross_entropy(
    count: int, temperature: float
) -> None:
    network = Network(temperature=temperature, margin=14, deviation=4)  # 99% right
    logits, labels = network.answers(count, np.random.default_rng(0))
    features = np.ones((count, 1), np.float32)
    fitted = judgement.fit((features[:9], labels[:9]), (features, logits, labels)).temperature
    least = judgement.likely_temperature(logits, labels, math.inf)
    assert abs(math.log(fitted / least)) < 1.01 * math.log(8 / 0.25) / 60  # a step of the grid
    assert fitted == pytest.approx(temperature, rel=0.2)
