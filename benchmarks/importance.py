"""How often a setting that matters, or one that does not, is shown to: docs/sweeps.md says it.

    python -m benchmarks.importance

Makes studies of random trials in which one setting explains 95% of the differences, another 2%,
and the others nothing.
"""

import argparse

import numpy as np

from mnist_exp.tuning.importance import importances


def shown(trials: int, settings: int, seed: int) -> list[bool]:
    """Whether each setting of one study is shown to matter, the one that decides first."""
    rng = np.random.default_rng(seed)
    x = rng.random((trials, settings))
    names = [f"p{i}" for i in range(settings)]
    values = -((3 * x[:, 0] - 2) ** 2) + 0.5 * x[:, 1] + 0.2 * rng.normal(size=trials)
    params = [dict(zip(names, map(float, row), strict=True)) for row in x]
    found = {one.parameter: one.is_shown for one in importances(params, [*values], names)}
    return [found[name] for name in names]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--studies", type=int, default=25)
    studies = parser.parse_args().studies
    print("trials settings  shown: the one that decides, the one of 2%, each of the others")
    for trials in (10, 15, 30, 60):
        for settings in (3, 6):
            rows = np.array([shown(trials, settings, seed) for seed in range(studies)])
            shares = (rows[:, 0].mean(), rows[:, 1].mean(), rows[:, 2:].mean())
            print(f"{trials:6d} {settings:8d}  {'  '.join(f'{share:.0%}' for share in shares)}")


if __name__ == "__main__":
    main()
