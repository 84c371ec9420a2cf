"""Whether a network's answer can be relied on: how probable it is, and whether the image looks like digits it has seen.

A copy of this file travels with every logged model, which loads where mnist_exp is not installed: it imports numpy only.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_NEIGHBOURS = (
    3  # the distance is that to the third nearest of the reference images with the same answer
)
_DIRECTIONS = 128  # of the features that are kept
_UNLIKELY, _UNLIKE = (
    0.01,
    0.025,
)  # of validation images: the shares that are doubted for either reason
_LEAST, _MOST = 0.5, 0.9  # between which the least confidence lies that is no doubt
_TEMPERATURES = np.geomspace(0.25, 8, 61)


@dataclass(frozen=True)
class Judgement:
    """The rule of one network, fitted on its training and validation images; stored beside it as an npz file.

    temperature: what logits are divided by before probabilities are computed of them, so that they are calibrated
    least_confidence: a less probable answer is doubted
    farthest: so is one whose image is farther from the reference images with that label, as 1 - cosine
    signs: [F, 128] of -1 and 1, which projects the features before the network's last layer
    references: [N, 128] such projections of training images, of length 127; labels: [N]
    """

    temperature: float
    least_confidence: float
    farthest: float
    signs: NDArray[np.int8]
    references: NDArray[np.int8]
    labels: NDArray[np.uint8]

    def judge(
        self, features: NDArray[np.float32], logits: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """(The calibrated probability of each answer [N], whether the answer can be relied on [N])."""
        confidence = confidences(logits, self.temperature)
        near = self.distances(features, logits.argmax(axis=1)) <= self.farthest
        return confidence, near & (confidence >= self.least_confidence)

    def distances(
        self, features: NDArray[np.float32], digits: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Of each image [N], infinite where there are too few reference images of that digit."""
        projected = _projected(features, self.signs)
        result = np.full(len(digits), np.inf, np.float32)
        for digit in np.unique(digits):
            alike = self.references[self.labels == digit].astype(np.float32)
            if len(alike) >= _NEIGHBOURS:
                cosines = (
                    projected[digits == digit]
                    @ (alike / np.linalg.norm(alike, axis=1, keepdims=True)).T
                )
                result[digits == digit] = (
                    1 - np.partition(cosines, -_NEIGHBOURS, axis=1)[:, -_NEIGHBOURS]
                )
        return result

    def save(self, path: Path) -> None:
        """As an npz file without pickles; the signs take a bit each."""
        numbers = np.array([self.temperature, self.least_confidence, self.farthest])
        np.savez_compressed(
            path,
            numbers=numbers,
            signs=np.packbits(self.signs > 0, axis=1),
            references=self.references,
            labels=self.labels,
        )


def load(path: Path) -> Judgement:
    """A judgement as `save` wrote it."""
    with np.load(path, allow_pickle=False) as file:
        temperature, least_confidence, farthest = (float(number) for number in file["numbers"])
        signs = np.where(np.unpackbits(file["signs"], axis=1), 1, -1).astype(np.int8)
        return Judgement(
            temperature, least_confidence, farthest, signs, file["references"], file["labels"]
        )


def fit(
    train: tuple[NDArray[np.float32], NDArray[np.int32]],
    validation: tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.int32]],
) -> Judgement:
    """The rule from (features [N, F], labels [N]) of training images and (features, logits [M, 10], labels) of others."""
    features, labels = train
    signs = np.where(
        np.random.default_rng(0).random((features.shape[1], _DIRECTIONS)) < 0.5, 1, -1
    ).astype(np.int8)
    references = np.round(127 * _projected(features, signs)).astype(np.int8)
    seen, logits, right = validation
    if not len(right):
        return Judgement(1.0, _LEAST, np.inf, signs, references, labels.astype(np.uint8))
    temperature = float(min(_TEMPERATURES, key=lambda value: _cost(logits / value, right)))
    confidence = np.sort(confidences(logits, temperature))
    least = float(np.clip(np.quantile(confidence, _UNLIKELY), _LEAST, _MOST))
    rule = Judgement(temperature, least, np.inf, signs, references, labels.astype(np.uint8))
    digits = logits.argmax(axis=1)
    distances = rule.distances(seen, digits)
    known = distances[np.isfinite(distances) & (digits == right)]
    farthest = float(np.quantile(known, 1 - _UNLIKE)) if len(known) else np.inf
    return Judgement(temperature, least, farthest, signs, references, labels.astype(np.uint8))


def confidences(logits: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """The probability of the most probable answer [N]."""
    scaled = logits / temperature
    return 1 / np.exp(scaled - scaled.max(axis=1, keepdims=True)).sum(axis=1)


def _cost(logits: NDArray[np.float64], labels: NDArray[np.int32]) -> float:
    """The mean cross entropy."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return float(
        (np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), labels]).mean()
    )


def _projected(features: NDArray[np.float32], signs: NDArray[np.int8]) -> NDArray[np.float32]:
    projected = features.astype(np.float32) @ signs.astype(np.float32)
    return projected / np.maximum(np.linalg.norm(projected, axis=1, keepdims=True), 1e-9)
