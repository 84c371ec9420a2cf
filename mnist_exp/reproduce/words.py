"""Claims and verdicts as text, the same in the terminal and on the page."""

import math

from mnist_exp.compare import words
from mnist_exp.compare.statistics import SMALLEST_VERDICT
from mnist_exp.outside import printing
from mnist_exp.reproduce.claims import Assessment, Verdict
from mnist_exp.reproduce.presets import APPROXIMATE, MEASURED_HERE, METRIC
from mnist_exp.reproduce.results import Reproduction, Result

NONE = "\N{EN DASH}"
MARK = "\N{SUPERSCRIPT ONE}"  # of a claim that is not the tutorial's own
ONE_MORE_RUN = (
    'The interval "one more run" is made for a single run: about 95 of 100 such intervals contain '
    "the accuracy of the next run, with another seed."
)
INSIDE = "A claim in this interval is not contradicted: one of our runs might well have given it."
_IMAGES = 10_000  # of which differences are given


def summary(reproduction: Reproduction) -> str:
    """Say in one sentence which presets' claims hold out against our runs."""
    parts: dict[str, list[str]] = {
        Verdict.SAME_NUMBER: [],
        Verdict.NOT_CONTRADICTED: [],
        Verdict.CONTRADICTED: [],
        Verdict.NOT_DECIDED: [],
    }
    for result in reproduction.results:
        verdict = result.assessment.verdict
        parts[verdict if result.is_test else Verdict.NOT_DECIDED].append(result.name)
    text = "; ".join(f"{part}: {', '.join(names)}" for part, names in parts.items() if names)
    return f"{text.capitalize()}."


def claim(result: Result) -> str:
    """Word the claim: `0.9872`, `about 0.992`, or in brackets if the tutorial does not make it."""
    number = result.assessment.claim
    if number is None:
        return NONE
    if result.name in MEASURED_HERE:
        return f"({number:g}){MARK}"
    return f"about {number:g}" if result.name in APPROXIMATE else f"{number:g}"


def one_more_run(result: Result) -> str:
    """Word the interval of one more run; only a test of the claim has one."""
    return words.interval(result.assessment.prediction, METRIC) if result.is_test else NONE


def noticed(result: Result) -> str:
    """Word the differences that are noticed: `0.0089 below, 0.0053 above`."""
    if not result.is_test:
        return NONE
    below, above = result.assessment.noticed
    return "any" if math.isnan(below) else f"{below:.4f} below, {above:.4f} above"


def what_the_seeds_can_see(result: Result) -> str:
    """Say in a sentence or two how large a difference passes, and where the claim lies."""
    assessment = result.assessment
    n, mean = assessment.description.n, assessment.description.mean
    below, above = assessment.noticed
    if math.isnan(below):
        return f"all {n} seeds gave the same number, so that any other claim would be contradicted."
    text = (
        f"8 of 10 studies with {n} seeds would notice a mean that is {below:.4f} lower or "
        f"{above:.4f} higher. Those are {below * _IMAGES:.0f} and {above * _IMAGES:.0f} of "
        f"{_IMAGES:,} images, where our mean run gets {(1 - mean) * _IMAGES:.0f} wrong."
    )
    if assessment.beyond_all:
        text += (
            f" The claim lies {_beyond(assessment)}. That alone says little: of claims that come "
            f"from the same program, 2 in {n + 1} lie above or below all of {n} seeds."
        )
    return text


def verdict(result: Result) -> str:
    """Word the verdict, and how far off the claim is where there is a distance."""
    assessment = result.assessment
    found = assessment.verdict
    if found is Verdict.NOT_MEASURED:
        return found
    if result.is_shortened:
        return "no test of the claim: shortened runs"
    n = assessment.description.n
    match found:
        case Verdict.NOT_DECIDED:
            return f"{found}: {printing.plural(n, 'seed')}, a verdict needs {SMALLEST_VERDICT}"
        case Verdict.NOT_CONTRADICTED | Verdict.CONTRADICTED:
            return f"**{found}**: {_how_far(assessment)}"
        case Verdict.SAME_NUMBER:
            return f"**{found}** in {n} of {n} runs"
    return f"**{found}**"


def _how_far(assessment: Assessment) -> str:
    """Return `the claim is 0.12 percentage points (1.2 standard deviations) above the mean`."""
    if assessment.points == 0:
        return "the claim is the mean"
    off = f"{abs(assessment.points):.2f} percentage points"
    if not math.isnan(assessment.deviations):
        off += f" ({abs(assessment.deviations):.1f} standard deviations)"
    text = f"the claim is {off} {'above' if assessment.points > 0 else 'below'} the mean"
    return f"{text}, and {_beyond(assessment)}" if assessment.beyond_all else text


def _beyond(assessment: Assessment) -> str:
    side = "above" if assessment.beyond_all > 0 else "below"
    return f"{side} all {assessment.description.n} seeds"
