"""An explanation in plain words: what matters, what does not, and what the runs leave open."""

import numpy as np

from mnist_exp.compare import paired_words, statistics, words
from mnist_exp.explain.contributions import Contribution, Explanation
from mnist_exp.outside.printing import listed, plural


def paragraph(explanation: Explanation) -> str:
    """Return the answer: the gap, its parts, and how large a part could have been missed."""
    if len(explanation.seeds) < statistics.SMALLEST_VERDICT:
        count = statistics.SMALLEST_VERDICT
        return f"{_gap(explanation)} To say which differences matter takes {count} seeds or more."
    said = paired_words.answer(explanation.contributions, explanation.margin, explanation.metric)
    return f"{_gap(explanation)} {said}"


def order_matters(explanation: Explanation) -> str:
    """Say about which differences the two ways disagree."""
    apart = sorted(explanation.contributions, key=lambda part: -abs(np.subtract(*ways(part))))
    disagreed = [part for part in apart if part.disagreement.is_shown]
    if not disagreed:
        if not any(any(part.disagreement.values) for part in apart):
            return "The two orders give the same."
        way = _both_ways(apart[0], explanation.metric)
        most = f"farthest apart about the {apart[0].name}: {way}."
        if len(explanation.seeds) < statistics.SMALLEST_VERDICT:
            return f"The two orders are {most}"
        return f"No disagreement of the two orders is shown. They are {most}"
    several = "; ".join(
        f"{part.name}, {_both_ways(part, explanation.metric)}" for part in disagreed
    )
    each = [part.disagreement for part in apart]
    return (
        f"The two orders disagree, each tested at 5%, about {several}. "
        f"{paired_words.corrected(each, 'they still disagree about')} What a difference adds "
        "may depend on the other settings, and orders that were not measured may give other "
        "numbers."
    )


def ways(part: Contribution) -> tuple[float, float]:
    """Return the means over seeds of both ways."""
    return float(np.mean(part.forwards)), float(np.mean(part.backwards))


def caveats(explanation: Explanation) -> list[str]:
    """Say which seeds are left out, and if the runs are of several versions of the code."""
    said = [
        f"Seed {seed} is left out: {plural(missing, 'point')} missing."
        for seed, missing in explanation.incomplete.items()
    ]
    tags, tag = explanation.recorded.tags, "code_digest"
    digests = tags.reindex(index=list(explanation.programs), columns=[tag])[tag]
    versions = digests.replace({np.nan: "not recorded"}).value_counts()
    if len(versions) > 1:
        each = [f"{version} ({plural(count, 'run')})" for version, count in versions.items()]
        said.append(
            "The runs are of several versions of the code that trains, so an effect may be one "
            f"of the code: {listed(each)}."
        )
    return said


def _gap(explanation: Explanation) -> str:
    metric = explanation.metric
    blog, notebook = (float(np.mean(end)) for end in (explanation.blog, explanation.notebook))
    return (
        f"From the blog's CNN ({words.value(blog, metric)}) to the notebook's "
        f"({words.value(notebook, metric)}), each trained for {epochs(explanation)}, "
        f"{paired_words.change(explanation.gap, metric)}."
    )


def epochs(explanation: Explanation) -> str:
    """Return how long both ends were trained, such as `3 epochs`."""
    number = explanation.epochs
    return "1 epoch" if number == 1 else f"{number:g} epochs"


def _both_ways(part: Contribution, metric: str) -> str:
    forwards, backwards = (words.difference(way, metric) for way in ways(part))
    return f"{forwards} on the way forwards and {backwards} on the way backwards"
