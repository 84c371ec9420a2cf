"""Numbers and verdicts as text, the same in the terminal and on the page."""

import math
from collections import Counter
from collections.abc import Collection, Sequence

from mnist_exp.compare.comparison import Comparison
from mnist_exp.compare.groups import Counting
from mnist_exp.compare.rows import Row
from mnist_exp.compare.statistics import (
    SMALLEST_VERDICT,
    Difference,
    Interval,
    Verdict,
    is_share,
    smallest_p,
)
from mnist_exp.outside.printing import listed, plural
from mnist_exp.sweeper.foreign_text import clean

_MINUS = "\N{MINUS SIGN}"
_UNKNOWN = "\N{EN DASH}"
_LARGE_P = 0.05


def value(number: float, metric: str) -> str:
    """Return an accuracy to 1/10,000, one test image; another metric to four significant digits."""
    if math.isnan(number):
        return _UNKNOWN
    return _signed(f"{number:.4f}" if is_share(metric) else f"{number:.4g}")


def difference(number: float, metric: str) -> str:
    """Return a difference of two values with its sign."""
    if math.isnan(number):
        return _UNKNOWN
    if number == 0:
        return "0"
    return _signed(f"{number:+.4f}" if is_share(metric) else f"{number:+.3g}")


def in_images(number: float, metric: str) -> str:
    """Return a difference of two accuracies as `5 more of 1,000 test images`.

    It is empty for a metric that is no accuracy. A small difference is told of 10,000 images.
    """
    if not is_share(metric) or math.isnan(number) or not number:
        return ""
    total = 1_000 if abs(number) >= 0.005 else 10_000
    count, more = round(abs(number) * total), "more" if number > 0 else "fewer"
    split = {"test": "test ", "val": "validation ", "train": "training "}
    kind = split.get(metric.partition("/")[0], "")
    if not count:
        return f"less than 1 of {total:,} {kind}images"
    return f"{count:,} {more} of {total:,} {kind}images"


def _signed(text: str) -> str:
    """Return a number's text with a true minus sign in place of a hyphen."""
    return text.replace("-", _MINUS) if text.startswith("-") else text


def interval(
    shown: Interval, metric: str, *, of_difference: bool = False, method: bool = False
) -> str:
    """Return `0.9868 to 0.9885`, with `method` also `, BCa`.

    Of an interval that does not exist it is empty, with `method` it is `none`.
    """
    if not shown.exists:
        return "none" if method else ""
    word = difference if of_difference else value
    ends = f"{word(shown.low, metric)} to {word(shown.high, metric)}"
    return f"{ends}, {shown.method}" if method else ends


def p_value(p: float) -> str:
    """Return a p-value with two significant digits, three from 0.01 to 0.1, and never as zero."""
    if math.isnan(p):
        return _UNKNOWN
    if p < 0.0001:
        return "<0.0001"
    return f"{p:.3g}" if 0.01 <= p < 0.1 else f"{p:.2g}"


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
    verdicts = [_difference(row).verdict for row in rows]
    against = f"with {comparison.baseline.group.label} in {comparison.metric}"
    decided = [row for row in rows if _difference(row).verdict.is_difference]
    if not decided:
        whys = {why_not_compared(row, comparison) for row in rows if not _difference(row).values}
        return f"Compared {against}, {_nothing_decided(verdicts, whys)}."
    lead = f"Of {len(rows)} groups compared {against}, {_tally(verdicts)}."
    better = [row for row in decided if _difference(row).verdict is Verdict.BETTER]
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
    spread = interval(described.interval, name)
    shown = f"{value(described.mean, name)}{f' (95% interval {spread})' if spread else ''}"
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


def _difference(row: Row) -> Difference:
    """Return the difference of a row that is not the baseline's."""
    assert row.difference is not None
    return row.difference


def _one_difference(row: Row, comparison: Comparison) -> str:
    """Return a sentence about one group and the baseline."""
    paired, metric = _difference(row), comparison.metric
    group, baseline = row.group.label, comparison.baseline.group.label
    pairs = len(paired.values)
    if not pairs:
        images = why_not_compared(row, comparison) == Counting.OTHER_IMAGES
        why = "were not scored on the same images" if images else "have no seed in common"
        return f"{group} and {baseline} {why}, so they are not compared."
    details = [
        in_images(paired.mean, metric),
        f"95% interval {interval(paired.interval, metric, of_difference=True)}"
        if paired.interval.exists
        else "",
    ]
    inside = "; ".join(filter(None, details))
    shift = f"{difference(paired.mean, metric)} in {metric}{f' ({inside})' if inside else ''}"
    over = f"{shift} over {plural(pairs, 'paired seed')}"
    evidence = f"{over}, {p_note(paired, comparison)}"
    match paired.verdict:
        case Verdict.TOO_FEW:
            needed = f"{evidence}; a verdict needs {SMALLEST_VERDICT} paired seeds"
            return f"Too few seeds to decide between {group} and {baseline}: {needed}."
        case Verdict.NOT_SHOWN:
            why = "; Student's t interval covers zero" if paired.interval.side else ""
            return f"No difference is shown between {group} and {baseline}: {evidence}{why}."
    return (
        f"{group} is {paired.verdict} than {baseline}: {over}; the interval leaves out 0. "
        f"{p_note(paired, comparison)}."
    )


def ending(comparison: Comparison) -> str:
    """Return a sentence about what all groups' names end in."""
    return f"The names of all groups end in {comparison.ending}, which is left out here."


def why_not_compared(row: Row, comparison: Comparison) -> str:
    """Return why a row is not compared: what its cell of the difference says."""
    in_common = set(row.group.values) & set(comparison.baseline.group.values)
    return Counting.OTHER_IMAGES if in_common else "no seed in common"


def verdict_notes(comparison: Comparison) -> list[str]:
    """Return a sentence or two for each way in which a verdict can seem to contradict its numbers.

    A group can be better with a large p, or not better with an interval that leaves out zero.
    """
    groups = [_difference(row) for row in comparison.others]
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
    least = f"With {plural(pairs, 'seed')}, p cannot be below {p_value(floor)}"
    if tested == 1:
        return least
    return f"{least}, and Holm's adjustment for {tested} groups makes that {p_value(adjusted)}"


def p_note(paired: Difference, comparison: Comparison) -> str:
    """Return `Holm-adjusted p = 0.19 (with 5 seeds and 3 groups it cannot be below 0.19)`."""
    text = f"Holm-adjusted p {_equals(paired.p_holm)}"
    pairs = [len(_difference(row).values) for row in comparison.others]
    tested = sum(map(bool, pairs)) if len(set(pairs) - {0}) == 1 else 1
    least = min(1.0, tested * paired.smallest_p)
    if least <= _LARGE_P or not paired.values:
        return text
    seeds = plural(len(paired.values), "seed")
    groups = f" and {tested} groups" if tested > 1 else ""
    return f"{text} (with {seeds}{groups} it cannot be below {p_value(least)})"


def images(row: Row, baseline: Row) -> str:
    """Return how many test images only one of the two gets right.

    They are two ensembles, in which the networks of all seeds vote, or two networks; of these, the
    test compares networks, which are not enough to judge their settings.
    """
    tested, pair = row.agreement, row.predictions
    assert tested is not None
    assert pair is not None
    total = tested.both + tested.only_baseline + tested.only_group + tested.neither
    are = "is" if tested.only_group == 1 else "are"
    readers = (
        _reader(row.group.label, pair.group_networks),
        _reader(baseline.group.label, pair.baseline_networks),
    )
    counts = (
        f"Of {plural(total, 'test image')}, {tested.only_group:,} {are} recognised only by "
        f"{readers[0]}, {tested.only_baseline:,} only by {readers[1]}"
    )
    p_values = f"p {_equals(tested.p)}, Holm-adjusted {p_value(tested.p_holm)}"
    if pair.group_networks == pair.baseline_networks == 1:
        return (
            f"{counts}. McNemar's exact test compares these two trained networks, not their "
            f"settings: {p_values}."
        )
    return (
        f"{counts} (McNemar's exact test: {p_values}). In an ensemble the networks of all seeds "
        "vote; it is usually better than each of them."
    )


def _reader(label: str, networks: int) -> str:
    return f"the ensemble of {label} ({networks} networks)" if networks > 1 else label


def _equals(p: float) -> str:
    """Return `<0.0001` or `= 0.25`, to stand behind `p`."""
    return p_value(p) if p < 0.0001 else f"= {p_value(p)}"


def not_counted(comparison: Comparison, most: int) -> list[str]:
    """Return lines about the runs that are in no number.

    The first line says how many there are of each kind; the first `most` of them follow by name,
    indented.
    """
    left_out = comparison.statuses[comparison.statuses != Counting.COUNTED]
    lines = []
    if len(left_out):
        kinds = ", ".join(f"{count} {kind}" for kind, count in left_out.value_counts().items())
        lines.append(f"{plural(len(left_out), 'run')} not counted: {kinds}")
        tags = comparison.runs.tags
        for run_id, kind in left_out.head(most).items():
            info = comparison.runs.info.loc[str(run_id)]
            reason = clean(str(info["reason"]).split(";")[0], 120)
            if kind == Counting.OTHER_IMAGES and "study_name" in tags:
                study = tags["study_name"].fillna("")[str(run_id)]
                reason = f"study {study}" if study else ""
            lines.append(f"  {info['name']} ({run_id}): {kind}{f', {reason}' if reason else ''}")
        if len(left_out) > most:
            lines.append(f"  and {len(left_out) - most} more, all in compare.csv")
    if comparison.empty:
        labels = "; ".join(group.label for group in comparison.empty[:most])
        groups = plural(len(comparison.empty), "group")
        lines.append(f"{groups} without a run that counts: {labels}")
    if comparison.runs.repeats:
        lines.append(f"{plural(comparison.runs.repeats, 'rerun')} of other runs left out")
    return lines
