"""How often compare's verdicts are wrong where the truth is known: tables in docs/compare.md.

    python -m benchmarks.verdicts

Draws runs of two groups whose true difference is known, asks the functions of compare about each
draw, and writes the tables between the two comments in docs/compare.md that name this command.
"""

import argparse
import itertools
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mnist_exp.compare import margins
from mnist_exp.compare.differences import Difference, differences, welch
from mnist_exp.compare.permutations import shuffle_p, sign_flip_p
from mnist_exp.compare.statistics import Values, Verdict, verdict

PAGE = Path(__file__).parent.parent / "docs/compare.md"
SIZES = (3, 5, 10)  # runs of each group
SAMPLES = 1_000
_MARGIN = 3.0  # standard deviations of a difference: near the worst case of the two one-sided tests
_EFFECT = 1.5  # standard deviations of a difference, for the number of seeds
_FAILED = 0.098  # the accuracy of a run that learned nothing
_FAILURES = 0.05
_MOST_SEEDS = 60  # of a second study; more are taken to show the difference

Draw = Callable[[np.random.Generator, int], Values]


@dataclass(frozen=True, kw_only=True)
class Case:
    """Where the runs of two groups come from, as their distance from their group's true mean."""

    name: str
    group: Draw
    baseline: Draw
    deviation: float  # of the difference of two runs
    margin: float | None = None  # if it is not a multiple of the deviation

    def paired(self, rng: np.random.Generator, n: int, shift: float = 0.0) -> Values:
        """Return the differences of n pairs whose true mean is `shift`."""
        return self.group(rng, n) + shift - self.baseline(rng, n)


def normal(scale: float) -> Draw:
    return lambda rng, n: rng.normal(0, scale, n)


def accuracies(images: int) -> Draw:
    """Each run has its own share of errors, about 0.01, and is scored on so many images."""

    def draw(rng: np.random.Generator, n: int) -> Values:
        errors = np.exp(rng.normal(np.log(0.01) - 0.15**2 / 2, 0.15, n))
        return 0.01 - rng.binomial(images, errors) / images

    return draw


def outliers(rng: np.random.Generator, n: int) -> Values:
    return rng.normal(0, 1, n) * np.where(rng.random(n) < 0.1, 10, 1)


def skewed(rng: np.random.Generator, n: int) -> Values:
    """Most runs are good and some are much worse: there a difference is hidden most easily."""
    return 1 - rng.exponential(1, n)


def failing(rng: np.random.Generator, n: int) -> Values:
    """Accuracies of which one in twenty is that of a run that learned nothing."""
    lost = 0.99 - _FAILED
    good = accuracies(10_000)(rng, n)
    return np.where(rng.random(n) < _FAILURES, -lost, good) + _FAILURES * lost


def cases() -> tuple[Case, ...]:
    """Return all of them; the deviations that have no formula are measured."""
    fine, coarse = accuracies(10_000), accuracies(200)
    drawn: tuple[tuple[str, Draw, Draw], ...] = (
        ("normal", normal(1), normal(1)),
        ("normal, the group's spread 3 times the baseline's", normal(3), normal(1)),
        ("accuracies about 0.99 of 10,000 images", fine, fine),
        ("accuracies about 0.99 of 200 images, with many ties", coarse, coarse),
        ("one run in 10 is 10 times as far off", outliers, outliers),
        (
            "skewed: the group exponential to the worse, the baseline nearly constant",
            skewed,
            normal(0.1),
        ),
    )
    rng = np.random.default_rng(0)
    common = [
        Case(
            name=name,
            group=group,
            baseline=baseline,
            deviation=float(np.std(group(rng, 200_000) - baseline(rng, 200_000))),
        )
        for name, group, baseline in drawn
    ]
    return (*common, failures("of both groups", failing))


def failures(whose: str, baseline: Draw) -> Case:
    """Return accuracies of which few are lost; the margin is what that costs, seldom seen."""
    return Case(
        name=f"accuracies, one run in 20 {whose} fails",
        group=failing,
        baseline=baseline,
        deviation=_FAILURES**0.5 * (0.99 - _FAILED),
        margin=_FAILURES * (0.99 - _FAILED),
    )


def wrong_verdicts(case: Case, n: int, paired: bool, samples: int) -> float:
    """Return the share of better and worse though nothing differs."""
    rng = _rng(case, n, paired)
    if paired:
        found = _paired_verdicts([case.paired(rng, n) for _ in range(samples)])
        return float(np.mean([one.is_difference for one in found]))
    hits = 0
    for _ in range(samples):
        interval = welch(case.group(rng, n), case.baseline(rng, n))
        hits += verdict(interval, n, True).is_difference
    return hits / samples


def small_p(case: Case, n: int, paired: bool, samples: int) -> float:
    """Return how often p is 0.05 or less though nothing differs."""
    rng = _rng(case, n, paired)
    p_values = [
        sign_flip_p(case.paired(rng, n))
        if paired
        else shuffle_p(case.group(rng, n), case.baseline(rng, n))
        for _ in range(samples)
    ]
    return float(np.mean(np.array(p_values) <= 0.05))


def wrong_equivalence(case: Case, n: int, paired: bool, samples: int) -> float:
    """Return the share of equivalent though the true difference is as large as the margin."""
    rng, margin = _rng(case, n, paired), case.margin or _MARGIN * case.deviation
    found = [_against(case, rng, (paired, n), margin, -margin) for _ in range(samples)]
    return float(np.mean([one.is_equivalent for one in found]))


def number_in_interval(case: Case, n: int, paired: bool, samples: int) -> float:
    """Return how often the interval of the seeds needed contains the number that is needed.

    It is the number that the true spread gives.
    """
    rng, size = _rng(case, n, paired), _EFFECT * case.deviation
    variances = [np.var(draw(rng, 200_000)) for draw in (case.group, case.baseline)]
    gain = 1.0 if paired else float(sum(variances) ** 2 / np.square(variances).sum())
    spread = margins.Spread(variance=case.deviation**2, freedom=1, gain=gain)
    true = margins.seeds_needed(spread, size).n
    hits = 0
    for _ in range(samples):
        seeds = _against(case, rng, (paired, n), size).seeds
        hits += seeds is not None and seeds.low <= true <= seeds.high
    return hits / samples


def shown(case: Case, n: int, paired: bool, samples: int) -> float:
    """Return how often a second study of as many seeds as a first one asked for shows the size."""
    rng, size = _rng(case, n, paired), _EFFECT * case.deviation
    again, hits = [], 0
    for _ in range(samples):
        seeds = _against(case, rng, (paired, n), size).seeds
        if seeds is None:
            continue  # without spread no number is told
        if seeds.n > _MOST_SEEDS:
            hits += 1
        elif paired:
            again.append(case.paired(rng, int(seeds.n), size))
        else:
            m = int(seeds.n)
            interval = welch(case.group(rng, m) + size, case.baseline(rng, m))
            hits += verdict(interval, m, True) is Verdict.BETTER
    hits += sum(one is Verdict.BETTER for one in _paired_verdicts(again))
    return hits / samples


@dataclass(frozen=True, kw_only=True)
class Table:
    """What is counted, in which cases, and by which function."""

    title: str
    rate: Callable[[Case, int, bool, int], float]
    cases: tuple[Case, ...]
    part: int = 1  # of the samples, where one takes long

    def cell(self, case: Case, paired: bool, n: int, samples: int) -> float:
        """Return the share in one cell."""
        return self.rate(case, n, paired, samples // self.part)


COLUMNS = tuple((paired, n) for paired in (True, False) for n in SIZES)


def all_tables() -> tuple[Table, ...]:
    common = cases()
    lost = failures("of the group, and none of the baseline,", accuracies(10_000))
    return (
        Table(
            title="Nothing differs, and yet the verdict is `better` or `worse`",
            rate=wrong_verdicts,
            cases=common,
        ),
        Table(
            title="Nothing differs, and yet p is 0.05 or less", rate=small_p, cases=common, part=5
        ),
        Table(
            title="The difference is as large as the margin, and yet the verdict is `equivalent`",
            rate=wrong_equivalence,
            cases=(*common[:-1], lost),
        ),
        Table(
            title="The 95% interval of the seeds needed contains their number",
            rate=number_in_interval,
            cases=common[:-1],
            part=2,
        ),
        Table(
            title="A second study, with the seeds that the first asked for, shows the difference",
            rate=shown,
            cases=common[:-1],
            part=4,
        ),
    )


def tables(samples: int) -> str:
    """Return all tables as Markdown, with a number for each cell."""
    made = all_tables()
    jobs = [(i, j, samples) for i, table in enumerate(made) for j in range(len(table.cases))]
    with ProcessPoolExecutor(max_workers=2) as pool:
        rows = iter(list(pool.map(_row, jobs)))
    parts = []
    for table in made:
        sizes = [f"{'paired' if paired else 'not paired'}, {n}" for paired, n in COLUMNS]
        parts += [f"**{table.title}**", "", f"| runs | {' | '.join(sizes)} |"]
        parts += ["|---|" + "--:|" * len(sizes)]
        parts += [*itertools.islice(rows, len(table.cases)), ""]
    return "\n".join(parts)


def _row(job: tuple[int, int, int]) -> str:
    """Return one row of a table; the cases themselves cannot be sent to another process."""
    table = all_tables()[job[0]]
    case = table.cases[job[1]]
    cells = [f"{table.cell(case, *column, job[2]):.0%}" for column in COLUMNS]
    print(table.title, case.name, *cells, flush=True)
    return f"| {case.name} | {' | '.join(cells)} |"


def _rng(case: Case, n: int, paired: bool) -> np.random.Generator:
    """Each cell has its own numbers, so that it does not depend on the others."""
    return np.random.default_rng([n, paired, *case.name.encode()])


def _against(
    case: Case,
    rng: np.random.Generator,
    column: tuple[bool, int],
    margin: float,
    shift: float = 0.0,
) -> margins.AgainstMargin:
    """Draw two groups of n runs whose means differ by `shift`, and compare them with the margin."""
    paired, n = column
    if paired:
        return margins.paired(case.paired(rng, n, shift), margin)
    return margins.unpaired(case.group(rng, n) + shift, case.baseline(rng, n), margin)


def _paired(drawn: list[Values]) -> list[Difference]:
    """Compare each sample of differences with nothing, many at a time."""
    seeds = [str(i) for i in range(max(map(len, drawn), default=0))]
    groups = [dict(zip(seeds, map(float, values), strict=False)) for values in drawn]
    found = []
    for start in range(0, len(groups), 100):
        found += differences(dict.fromkeys(seeds, 0.0), groups[start : start + 100], True)
    return found


def _paired_verdicts(drawn: list[Values]) -> list[Verdict]:
    return [one.verdict for one in _paired(drawn)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--samples", type=int, default=SAMPLES)
    written = tables(parser.parse_args().samples)
    text = PAGE.read_text()
    comment = r"<!-- [^\n]*benchmarks\.verdicts[^\n]*-->\n"
    text, count = re.subn(
        rf"({comment}).*?({comment})",
        lambda found: f"{found[1]}\n{written}\n{found[2]}",
        text,
        flags=re.DOTALL,
    )
    assert count == 1, "docs/compare.md has no two comments that name this command"
    PAGE.write_text(text)


if __name__ == "__main__":
    main()
