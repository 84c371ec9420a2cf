"""Numbers and verdicts as text, the same in the terminal and on the page."""

import math

import numpy as np

from mnist_exp.compare.comparison import Comparison
from mnist_exp.compare.differences import Difference
from mnist_exp.compare.groups import Counting
from mnist_exp.compare.margins import MOST_SEEDS, AgainstMargin
from mnist_exp.compare.rows import Row
from mnist_exp.compare.statistics import ROUNDING, Interval, Verdict, is_share
from mnist_exp.outside.printing import plural
from mnist_exp.sweeper.foreign_text import clean

_MINUS = "\N{MINUS SIGN}"
_UNKNOWN = "\N{EN DASH}"


def value(number: float, metric: str) -> str:
    """Return an accuracy to 1/10,000, one test image; another metric to four significant digits.

    So is an accuracy in percent. Numbers from 1,000 on have seven: they often differ little.
    """
    if math.isnan(number):
        return _UNKNOWN
    is_small = is_share(metric) and abs(number) <= 1
    digits = 7 if abs(number) >= 1_000 else 4
    return _signed(_share(number) if is_small else f"{number:.{digits}g}")


def difference(number: float, metric: str) -> str:
    """Return a difference of two values with its sign."""
    if math.isnan(number):
        return _UNKNOWN
    if number == 0 or (is_share(metric) and abs(number) < ROUNDING):
        return "0"
    is_small = is_share(metric) and abs(number) <= 1
    return _signed(_share(number, "+") if is_small else f"{number:+.3g}")


def _share(number: float, sign: str = "") -> str:
    """Return four decimals, or as many more as show that it is not zero."""
    if ROUNDING < abs(number) < 0.00005:
        return str(np.format_float_positional(number, 1, fractional=False, sign=bool(sign)))
    return f"{number:{sign}.4f}"


def in_images(number: float, comparison: Comparison) -> str:
    """Return a difference of two accuracies as `5 more of 1,000 test images`.

    It is empty for a metric that is no accuracy, or one in percent. A small difference is told of
    10,000 images. Runs of other programs have examples: their accuracy may be of anything.
    """
    if not comparison.has_shares or math.isnan(number) or not number:
        return ""
    total = 1_000 if abs(number) >= 0.005 else 10_000
    count, more = round(abs(number) * total), "more" if number > 0 else "fewer"
    split = {"test": "test ", "val": "validation ", "train": "training "}
    kind = split.get(comparison.metric.partition("/")[0], "")
    examples = f"{kind}{'examples' if comparison.is_foreign else 'images'}"
    if not count:
        return f"less than 1 of {total:,} {examples}"
    return f"{count:,} {more} of {total:,} {examples}"


def _signed(text: str) -> str:
    """Return a number's text with a true minus sign in place of a hyphen."""
    return text.replace("-", _MINUS)


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


def margin(comparison: Comparison) -> str:
    """Return the margin as it was given, `0.002`."""
    return str(np.format_float_positional(comparison.margin or math.nan, trim="-"))


def verdict(found: Verdict, comparison: Comparison) -> str:
    """Return a verdict; that of equivalence with the margin, `equivalent within 0.002`."""
    return f"{found} within {margin(comparison)}" if found is Verdict.EQUIVALENT else str(found)


def seeds_needed(against: AgainstMargin | None) -> str:
    """Return `14 (95% interval 6 to 110)`; only `3` if the interval has equal ends."""
    needed = against.seeds if against else None
    if needed is None:
        return "unknown (no spread)"
    number, low, high = map(_at_most, (needed.n, needed.low, needed.high))
    return number if low == high else f"{number} (95% interval {low} to {high})"


def _at_most(seeds: float) -> str:
    return f"more than {MOST_SEEDS:,}" if math.isinf(seeds) else f"{seeds:,.0f}"


def p_value(p: float) -> str:
    """Return a p-value with two significant digits, three from 0.01 to 0.1, and never as zero."""
    if math.isnan(p):
        return _UNKNOWN
    if p < 0.0001:
        return "<0.0001"
    return f"{p:.3g}" if 0.01 <= p < 0.1 else f"{p:.2g}"


def ending(comparison: Comparison) -> str:
    """Return a sentence about what all groups' names end in."""
    return f"The names of all groups end in {comparison.ending}, which is left out here."


def extent(compared: Difference) -> str:
    """Return over what a difference is: `5 paired seeds`, or `5 and 4 unpaired runs`."""
    if compared.is_paired:
        return plural(len(compared.seeds), "paired seed")
    return f"{compared.sizes[0]:,} and {plural(compared.sizes[1], 'unpaired run')}"


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
    p_values = f"p {equals(tested.p)}, Holm-adjusted {p_value(tested.p_holm)}"
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


def equals(p: float) -> str:
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
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in left_out.value_counts().items())
        lines.append(f"{plural(len(left_out), 'run')} not counted: {kinds}")
        tags = comparison.runs.tags
        for run_id, kind in left_out.head(most).items():
            info = comparison.runs.info.loc[str(run_id)]
            reason = clean(str(info["reason"]).split(";")[0], 120)
            if kind == Counting.OTHER_IMAGES and "study_name" in tags:
                study = tags["study_name"].fillna("")[str(run_id)]
                reason = f"study {study}" if study else ""
            name = run_id if info["name"] == run_id else f"{info['name']} ({run_id})"
            lines.append(f"  {name}: {kind}{f', {reason}' if reason else ''}")
        if len(left_out) > most:
            lines.append(f"  and {len(left_out) - most:,} more, all in compare.csv")
    if comparison.empty:
        labels = "; ".join(group.label for group in comparison.empty[:most])
        groups = plural(len(comparison.empty), "group")
        lines.append(f"{groups} without a run that counts: {labels}")
    if comparison.runs.repeats:
        lines.append(f"{plural(comparison.runs.repeats, 'rerun')} of other runs left out")
    return lines
