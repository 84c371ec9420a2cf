"""What a comparison says in whole sentences: its summary, and notes on its verdicts."""

from collections import Counter
from collections.abc import Collection, Sequence

from mnist_exp.compare import words
from mnist_exp.compare.comparison import Comparison
from mnist_exp.compare.groups import Counting
from mnist_exp.compare.rows import Row
from mnist_exp.compare.statistics import SMALLEST_VERDICT, Difference, Verdict, smallest_p
from mnist_exp.outside.printing import listed, plural

_LARGE_P = 0.05


def summary(comparison: Comparison) -> str:
    """Return one or two sentences.

    They say against what was compared, how many groups are better or worse, by how much the best
    is, and what p can say.
    """
    rows = comparison.others
    if not rows:
        return _one_group(comparison)
    if len(rows) == 1:
        return _one_difference(rows[0], comparison)
    verdicts = [row.compared.verdict for row in rows]
    against = f"with {comparison.baseline.group.label} in {comparison.metric}"
    decided = [row for row in rows if row.compared.verdict.is_difference]
    if not decided:
        whys = {words.why_not_compared(row, comparison) for row in rows if not row.compared.values}
        return f"Compared {against}, {_nothing_decided(verdicts, whys)}."
    lead = f"Of {len(rows)} groups compared {against}, {_tally(verdicts)}."
    better = [row for row in decided if row.compared.verdict is Verdict.BETTER]
    if better:
        return f"{lead} The best: {_one_difference(better[0], comparison)}"
    return f"{lead} The most different: {_one_difference(decided[-1], comparison)}"


def _nothing_decided(verdicts: Sequence[Verdict], whys: Collection[str]) -> str:
    """Return why no group is better or worse; `whys`: why some of them are not compared."""
    open_ = verdicts.count(Verdict.NOT_SHOWN)
    needed = f"{SMALLEST_VERDICT} seeds in common with the baseline, which a verdict needs"
    if Counting.OTHER_IMAGES in whys:
        needed = f"{SMALLEST_VERDICT} seeds that were scored on the baseline's images"
        if set(verdicts) == {Verdict.NOT_COMPARED} and len(whys) == 1:
            return "nothing is decided: all other groups were scored on other images"
    if not open_:
        return f"nothing is decided: no group has {needed}"
    shown = f"no difference is shown for {open_} of {plural(len(verdicts), 'group')}"
    return shown if open_ == len(verdicts) else f"{shown}; the others do not have {needed}"


def _one_group(comparison: Comparison) -> str:
    """Return the summary of a comparison that has only its baseline."""
    name, described = comparison.metric, comparison.baseline.description
    spread = words.interval(described.interval, name)
    shown = f"{words.value(described.mean, name)}{f' (95% interval {spread})' if spread else ''}"
    return (
        f"One group, {comparison.baseline.group.label}: {name} {shown} over "
        f"{plural(described.n, 'seed')}; nothing to compare it with."
    )


def _tally(verdicts: Sequence[Verdict]) -> str:
    """Return how many groups have each verdict: `2 are better and for 1 no difference is shown`."""
    counts, total = Counter(verdicts), len(verdicts)
    all_are = "both are" if total == 2 else f"all {total} are"
    parts = []
    for verdict in (Verdict.BETTER, Verdict.WORSE):
        if count := counts[verdict]:
            are = all_are if count == total else "1 is" if count == 1 else f"{count} are"
            parts.append(f"{are} {verdict}")
    if count := counts[Verdict.NOT_SHOWN]:
        parts.append(f"for {count} no difference is shown")
    if count := counts[Verdict.NOT_COMPARED]:
        parts.append(f"{count} cannot be compared with it")
    if count := counts[Verdict.TOO_FEW]:
        parts.append(f"{count} {'has' if count == 1 else 'have'} too few seeds in common with it")
    return listed(parts)


def _one_difference(row: Row, comparison: Comparison) -> str:
    """Return a sentence about one group and the baseline."""
    paired, metric = row.compared, comparison.metric
    group, baseline = row.group.label, comparison.baseline.group.label
    pairs = len(paired.values)
    if not pairs:
        images = words.why_not_compared(row, comparison) == Counting.OTHER_IMAGES
        why = "were not scored on the same images" if images else "have no seed in common"
        return f"{group} and {baseline} {why}, so they are not compared."
    details = [
        words.in_images(paired.mean, metric),
        f"95% interval {words.interval(paired.interval, metric, of_difference=True)}"
        if paired.interval.exists
        else "",
    ]
    inside = "; ".join(filter(None, details))
    shift = f"{words.difference(paired.mean, metric)} in {metric}{f' ({inside})' if inside else ''}"
    over = f"{shift} over {plural(pairs, 'paired seed')}"
    evidence = f"{over}, {_p_note(paired, comparison)}"
    match paired.verdict:
        case Verdict.TOO_FEW:
            needed = f"{evidence}; a verdict needs {SMALLEST_VERDICT} paired seeds"
            return f"Too few seeds to decide between {group} and {baseline}: {needed}."
        case Verdict.NOT_SHOWN:
            why = "; Student's t interval covers zero" if paired.interval.side else ""
            return f"No difference is shown between {group} and {baseline}: {evidence}{why}."
    return (
        f"{group} is {paired.verdict} than {baseline}: {over}; the interval leaves out 0. "
        f"{_p_note(paired, comparison)}."
    )


def verdict_notes(comparison: Comparison) -> list[str]:
    """Return a sentence or two for each way in which a verdict can seem to contradict its numbers.

    A group can be better with a large p, or not better with an interval that leaves out zero.
    """
    groups = [row.compared for row in comparison.others]
    notes = []
    with_large_p = [d for d in groups if d.verdict.is_difference and d.p_holm > _LARGE_P]
    if with_large_p:
        tested = sum(bool(d.values) for d in groups)
        pairs = min(len(d.values) for d in with_large_p)
        notes.append(
            "Better and worse mean that the 95% interval of the difference leaves out 0; they do "
            f"not depend on p. {_why_p_is_large(tested, pairs)}."
        )
    if any(d.verdict is Verdict.NOT_SHOWN and d.interval.side for d in groups):
        notes.append(
            "No difference is shown although the 95% interval leaves out 0: with so few seeds "
            "the bootstrap's interval is too narrow, so a verdict needs Student's as well, which "
            "contains 0."
        )
    return notes


def _why_p_is_large(tested: int, pairs: int) -> str:
    floor = smallest_p(pairs)
    adjusted = min(1.0, tested * floor)
    if adjusted <= _LARGE_P:
        return f"p (Holm) is larger than p because {tested} groups are compared"
    least = f"With {plural(pairs, 'seed')}, p cannot be below {words.p_value(floor)}"
    if tested == 1:
        return least
    makes = words.p_value(adjusted)
    return f"{least}, and Holm's adjustment for {tested} groups makes that {makes}"


def _p_note(paired: Difference, comparison: Comparison) -> str:
    """Return `Holm-adjusted p = 0.19 (with 5 seeds and 3 groups it cannot be below 0.19)`."""
    text = f"Holm-adjusted p {words.equals(paired.p_holm)}"
    pairs = [len(row.compared.values) for row in comparison.others]
    tested = sum(map(bool, pairs)) if len(set(pairs) - {0}) == 1 else 1
    least = min(1.0, tested * paired.smallest_p)
    if least <= _LARGE_P or not paired.values:
        return text
    seeds = plural(len(paired.values), "seed")
    groups = f" and {tested} groups" if tested > 1 else ""
    return f"{text} (with {seeds}{groups} it cannot be below {words.p_value(least)})"
