"""Judge whether an answer can be relied on: is it probable, and is the image like known digits?

A copy of this file is part of every logged model, so it imports numpy only.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# The distance of an image is that to the third nearest reference image with the same answer.
NEIGHBOURS = 3
_DIRECTIONS = 128  # that the features are projected on
# The shares of validation images that are doubted: as improbable, and as unlike the known images.
_UNLIKELY, _UNLIKE = 0.01, 0.025
_LEAST, _MOST = 0.5, 0.9  # bounds of `least_confidence`
_TEMPERATURES = np.geomspace(0.25, 8, 61)
_SPREAD = 0.35  # of log temperature, before any image is seen; benchmarks.temperatures chose it


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """The rule of one network, fitted on its training and validation images.

    It is stored as an npz file beside the network.

    Attributes:
        temperature: Logits are divided by it, which makes their probabilities calibrated.
        least_confidence: A less probable answer is doubted.
        farthest: An image that is farther than this from the reference images with the answer's
            label is doubted, too; the distance is 1 - cosine.
        signs: -1 and 1, [F, 128]. They project the features before the network's last layer.
        references: Projections of training images, of length 127, [N, 128].
        labels: Labels of the reference images, [N].
    """

    temperature: float
    least_confidence: float
    farthest: float
    signs: NDArray[np.int8]
    references: NDArray[np.int8]
    labels: NDArray[np.unsignedinteger[Any]]

    def judge(
        self, features: NDArray[np.float32], logits: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return each answer's calibrated probability [N], and whether it can be relied on [N]."""
        confidence = confidences(logits, self.temperature)
        near = self.distances(features, logits.argmax(axis=1)) <= self.farthest
        return confidence, near & (confidence >= self.least_confidence)

    def distances(
        self, features: NDArray[np.float32], answers: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Return the distance of each image from the reference images of its answer, [N].

        It is infinite where there are too few reference images of that label.
        """
        projected = _projected(features, self.signs)
        result = np.full(len(answers), np.inf, np.float32)
        for answer in np.unique(answers):
            alike = self.references[self.labels == answer].astype(np.float32)
            if len(alike) < NEIGHBOURS:
                continue
            chosen = answers == answer
            lengths = np.linalg.norm(alike, axis=1, keepdims=True)
            directions = alike / np.maximum(lengths, 1)  # features of zeros have none
            cosines = projected[chosen] @ directions.T
            result[chosen] = 1 - np.partition(cosines, -NEIGHBOURS, axis=1)[:, -NEIGHBOURS]
        return result

    def save(self, path: Path) -> None:
        """Write an npz file without pickles, in which each sign takes a bit."""
        numbers = np.array([self.temperature, self.least_confidence, self.farthest])
        np.savez_compressed(
            path,
            numbers=numbers,
            signs=np.packbits(self.signs > 0, axis=1),
            references=self.references,
            labels=self.labels,
        )


def load(path: Path) -> Judgement:
    """Read a judgement that `save` wrote."""
    with np.load(path, allow_pickle=False) as file:
        temperature, least_confidence, farthest = (float(number) for number in file["numbers"])
        return Judgement(
            temperature=temperature,
            least_confidence=least_confidence,
            farthest=farthest,
            signs=np.where(np.unpackbits(file["signs"], axis=1), 1, -1).astype(np.int8),
            references=file["references"],
            labels=file["labels"],
        )


def fit(
    train: tuple[NDArray[np.float32], NDArray[np.int32]],
    validation: tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.int32]],
) -> Judgement:
    """Return the rule of a network.

    `train` are features [N, F] and labels [N] of training images, `validation` features [M, F],
    logits [M, K] and labels [M] of others. Without validation images nothing is far.
    """
    features, labels = train
    signs = np.where(
        np.random.default_rng(0).random((features.shape[1], _DIRECTIONS)) < 0.5, 1, -1
    ).astype(np.int8)
    rule = Judgement(
        temperature=1.0,
        least_confidence=_LEAST,
        farthest=np.inf,
        signs=signs,
        references=np.round(127 * _projected(features, signs)).astype(np.int8),
        labels=labels.astype(np.min_scalar_type(int(labels.max(initial=0)))),
    )
    other_features, logits, right = validation
    if not len(right):
        return rule
    temperature = likely_temperature(logits, right)
    confidence = np.sort(confidences(logits, temperature))
    least = float(np.clip(np.quantile(confidence, _UNLIKELY), _LEAST, _MOST))
    answers = logits.argmax(axis=1)
    distances = rule.distances(other_features, answers)
    known = distances[np.isfinite(distances) & (answers == right)]
    farthest = float(np.quantile(known, 1 - _UNLIKE)) if len(known) else np.inf
    return replace(rule, temperature=temperature, least_confidence=least, farthest=farthest)


def confidences(logits: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Return the probability of the most probable class of each image, [N]."""
    scaled = logits / temperature
    inverse: NDArray[np.float64] = np.exp(scaled - scaled.max(axis=1, keepdims=True)).sum(axis=1)
    return 1 / inverse


def likely_temperature(
    logits: NDArray[np.float64], labels: NDArray[np.int32], spread: float = _SPREAD
) -> float:
    """Return the most probable temperature, if its logarithm is normal around 0 with this spread.

    The images alone would have the least temperature wherever all of a few answers are right, and
    the largest one where one of them is wrong by far. Of thousands of images they decide.
    """

    def cost(temperature: float) -> float:
        prior = np.log(temperature) ** 2 / (2 * spread**2)
        return _cost(logits / temperature, labels) + float(prior) / len(labels)

    return float(min(_TEMPERATURES, key=cost))


def _cost(logits: NDArray[np.float64], labels: NDArray[np.int32]) -> float:
    """Return the mean cross entropy."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return float(
        (np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), labels]).mean()
    )


def _projected(features: NDArray[np.float32], signs: NDArray[np.int8]) -> NDArray[np.float32]:
    """Return the projections of the features, [N, 128], each of length 1."""
    projected = features.astype(np.float32) @ signs.astype(np.float32)
    lengths = np.maximum(np.linalg.norm(projected, axis=1, keepdims=True), 1e-9)
    directions: NDArray[np.float32] = projected / lengths
    return directions
