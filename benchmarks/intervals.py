"""How often intervals of accuracies contain what they promise to: docs/compare.md has the table.

    python -m benchmarks.intervals

Draws samples of accuracies from distributions whose mean is known, and counts how often Student's
interval, and that of the logits, contains the mean or one more value of two to five; and how often
the interval that is shown of five values or more contains the mean, and the bootstrap's alone.
"""

import argparse
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from scipy import stats

from mnist_exp.compare.statistics import RESAMPLES, Values, intervals, students_interval

Draw = Callable[[int], Values]


def distributions(rng: np.random.Generator) -> Iterator[tuple[str, float, Draw]]:
    """Each with its name, its mean, and a function that draws so many accuracies."""
    yield "normal, 0.985, sd 0.002", 0.985, lambda n: rng.normal(0.985, 0.002, n)
    mean_error = 0.015 * np.exp(0.2**2 / 2)
    yield (
        "log-normal error, 0.015, factor 1.2",
        1 - mean_error,
        lambda n: 1 - np.exp(rng.normal(np.log(0.015), 0.2, n)),
    )
    for mean, deviation in ((0.85, 0.1), (0.95, 0.05)):
        yield f"beta, {mean}, sd {deviation}", mean, partial(_beta, rng, mean, deviation)


def _beta(rng: np.random.Generator, mean: float, deviation: float, n: int) -> Values:
    total = mean * (1 - mean) / deviation**2 - 1
    return rng.beta(mean * total, (1 - mean) * total, n)


def coverage(draw: Draw, goal: Callable[[], float], n: int, samples: int, **options: bool) -> float:
    """The share of samples whose interval contains the goal."""
    hits = 0
    for _ in range(samples):
        interval = students_interval(draw(n), **options)
        hits += interval.low <= goal() <= interval.high
    return hits / samples


def coverage_of_more(draw: Draw, mean: float, n: int, samples: int) -> tuple[float, float]:
    """The shares of samples whose bootstrap interval, and whose shown one, contain the mean."""
    x = [draw(n) for _ in range(samples)]
    shown = np.mean([each.low <= mean <= each.high for each in intervals(x, shares=True)])
    hits = 0
    for part in np.array_split(np.stack(x), max(1, samples // 20)):
        ends = stats.bootstrap(
            (part,), np.mean, axis=-1, n_resamples=RESAMPLES, method="BCa", rng=0
        ).confidence_interval
        hits += int(np.sum((ends.low <= mean) & (mean <= ends.high)))
    return hits / samples, float(shown)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--samples", type=int, default=20_000)
    samples = parser.parse_args().samples
    print(f"{'accuracies':<36} {'of':<9} n  Student  logits")
    for name, mean, draw in distributions(np.random.default_rng(0)):
        for one_more in (False, True):
            goal = (lambda draw=draw: float(draw(1)[0])) if one_more else (lambda mean=mean: mean)
            for n in (2, 3, 4, 5):
                student, logits = (
                    coverage(draw, goal, n, samples, shares=shares, one_more=one_more)
                    for shares in (False, True)
                )
                of = "one more" if one_more else "the mean"
                print(f"{name:<36} {of:<9} {n}  {student:7.1%} {logits:7.1%}")
    print(f"\n{'accuracies':<36} {'n':>2}  BCa alone  BCa and t")
    for name, mean, draw in distributions(np.random.default_rng(0)):
        for n in (5, 7, 10, 20):
            alone, both = coverage_of_more(draw, mean, n, max(1, samples // 10))
            print(f"{name:<36} {n:>2}  {alone:9.1%} {both:10.1%}")


if __name__ == "__main__":
    main()
