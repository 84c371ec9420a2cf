"""How well the confidence of few validation images is calibrated: docs/predict.md has the table.

    python -m benchmarks.temperatures

Makes up networks whose right temperature is known, and fits it on so many of their answers. The
first table chooses the spread of the temperatures before any image is seen, by the cross entropy of
new answers; the second one has other networks, of other kinds, and says how many of the answers
with a confidence of about 80%, and of 90% to 97%, are right. The third one compares, for thousands
of images, with the temperature of the least cross entropy.
"""

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnist_exp.serving.judgement import confidences, likely_temperature

SPREADS = (math.inf, 1.0, 0.7, 0.5, 0.35, 0.25, 0.15)
BANDS = ((0.75, 0.85), (0.9, 0.97))  # of confidence
_NEW = 20_000  # answers by which a temperature is judged


@dataclass(frozen=True, kw_only=True)
class Network:
    """Made-up answers to K classes: `logits` divided by `temperature` are calibrated.

    The right class has a logit that is larger by `margin` +- `deviation`, normal or with the heavy
    tails of Student's t. The labels of a share `noise` are wrong.
    """

    temperature: float
    margin: float
    deviation: float
    classes: int = 10
    heavy: bool = False
    noise: float = 0.0

    def answers(
        self, n: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """Return n logits [n, K] and labels [n]."""
        logits = 1.5 * rng.normal(size=(n, self.classes))
        meant = rng.integers(self.classes, size=n)
        shape = rng.standard_t(4, n) if self.heavy else rng.normal(size=n)
        logits[np.arange(n), meant] += self.margin + self.deviation * shape
        labels = (logits + rng.gumbel(size=logits.shape)).argmax(axis=1)  # of softmax(logits)
        labels = np.where(rng.random(n) < self.noise, rng.integers(self.classes, size=n), labels)
        return self.temperature * logits, labels.astype(np.int32)


def choosing() -> Iterator[Network]:
    """The networks that chose the spread: 69%, 83%, 91% and 97% right."""
    for margin, deviation in ((4, 2), (6, 2.5), (8, 3), (11, 3.5)):
        for temperature in (0.7, 1, 1.4, 2):
            yield Network(temperature=temperature, margin=margin, deviation=deviation)


def others() -> Iterator[Network]:
    """The networks of the second table: 76% to 97% right."""
    for temperature in (0.8, 1.2, 1.7):
        yield Network(temperature=temperature, margin=5, deviation=2.5, heavy=True)
        yield Network(temperature=temperature, margin=9, deviation=3, noise=0.01)
        yield Network(temperature=temperature, margin=10, deviation=3)
        yield Network(temperature=temperature, margin=6, deviation=3, classes=3, heavy=True)
        yield Network(temperature=temperature, margin=9, deviation=3, classes=100)


def usual() -> Iterator[Network]:
    """The networks of the third table, as MNIST's runs have them: 91%, 97% and 99% right."""
    for margin, deviation in ((8, 3), (11, 3.5), (14, 4)):
        for temperature in (0.8, 1, 1.3, 1.8):
            yield Network(temperature=temperature, margin=margin, deviation=deviation)


def excess(
    network: Network, n: int, spreads: tuple[float, ...], fits: int, rng: np.random.Generator
) -> list[float]:
    """The mean cross entropy of new answers beyond the best possible, for each spread."""
    logits, labels = network.answers(_NEW, rng)
    best = _cross_entropy(logits / network.temperature, labels)
    costs = np.zeros(len(spreads))
    for _ in range(fits):
        seen = network.answers(n, rng)
        fitted = [likely_temperature(*seen, spread) for spread in spreads]
        costs += [_cross_entropy(logits / temperature, labels) - best for temperature in fitted]
    return list(costs / fits)


def _cross_entropy(logits: NDArray[np.float64], labels: NDArray[np.int32]) -> float:
    shifted = logits - logits.max(axis=1, keepdims=True)
    right = shifted[np.arange(len(labels)), labels]
    return float((np.log(np.exp(shifted).sum(axis=1)) - right).mean())


def right_shares(
    network: Network, n: int, spread: float | None, fits: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """For each fit and band: confidence and share right of new answers, [fits, bands, 2]."""
    logits, labels = network.answers(_NEW, rng)
    is_right = logits.argmax(axis=1) == labels
    rows = np.full((fits, len(BANDS), 2), np.nan)
    for fit in range(fits):
        seen = network.answers(n, rng)
        fitted = likely_temperature(*seen) if spread is None else likely_temperature(*seen, spread)
        confidence = confidences(logits, fitted)
        for band, (low, high) in enumerate(BANDS):
            chosen = (confidence >= low) & (confidence < high)
            if chosen.any():
                rows[fit, band] = confidence[chosen].mean(), is_right[chosen].mean()
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--fits", type=int, default=100)
    fits = parser.parse_args().fits
    rng = np.random.default_rng(0)
    print("1,000 x cross entropy beyond the best possible, by spread")
    print("images " + " ".join(f"{spread:7}" for spread in SPREADS))
    for n in (20, 40, 100, 200):
        few = max(1, fits // 5)
        costs = np.mean([excess(each, n, SPREADS, few, rng) for each in choosing()], axis=0)
        print(f"{n:6} " + " ".join(f"{1000 * cost:7.2f}" for cost in costs))
    print(
        "\nof answers with a confidence of 75-85% and of 90-97%: right, and fits within 10 points"
    )
    for name, spread in (("least cross entropy", math.inf), ("as it is", None)):
        for n in (20, 40, 100, 200, 500):
            rows = np.concatenate([right_shares(x, n, spread, fits, rng) for x in others()])
            shares = np.nanmean(rows[:, :, 1], axis=0)
            near = np.nanmean(np.abs(rows[:, :, 1] - rows[:, :, 0]) < 0.1, axis=0)
            print(
                f"{name:<20} {n:5}",
                *(f"{a:6.1%} {b:4.0%}" for a, b in zip(shares, near, strict=True)),
            )
    print("\nsteps of the grid between both temperatures: the largest, and the share of 0 or 1")
    step = math.log(8 / 0.25) / 60
    for n in (2000, 5000):
        steps = []
        for network in usual():
            for _ in range(max(1, fits // 5)):
                seen = network.answers(n, rng)
                ratio = likely_temperature(*seen) / likely_temperature(*seen, math.inf)
                steps.append(round(abs(math.log(ratio)) / step))
        print(f"{n:6} {max(steps)} {np.mean(np.array(steps) <= 1):.1%}")


if __name__ == "__main__":
    main()
