"""What a comparison says in whole sentences: its summary, and notes on its verdicts."""

import math
from collections import Counter
from collections.abc import Sequence

from mnist_exp.compare import margin_sentences, words
from mnist_exp.compare.comparison import Comparison
from mnist_exp.compare.differences import Difference, Test
from mnist_exp.compare.rows import Row
from mnist_exp.compare.statistics import SMALLEST_VERDICT, Interval, Verdict, holm
from mnist_exp.outside.printing import listed, plural
from mnist_exp.tracking.predictions import ARTIFACT

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
        hidden = margin_sentences.largest_hidden(comparison)
        if Verdict.EQUIVALENT not in verdicts:
            nothing = _nothing_decided(verdicts, _all_paired(rows))
            return f"Compared {against}, {nothing}{hidden}."
        return f"Of {len(rows)} groups compared {against}, {_tally(rows, comparison)}{hidden}."
    lead = f"Of {len(rows)} groups compared {against}, {_tally(rows, comparison)}."
    better = [row for row in decided if row.compared.verdict is Verdict.BETTER]
    farthest = max(better or decided, key=lambda row: abs(row.compared.mean))
    which = "best" if better else "most different"
    return f"{lead} The {which}: {_one_difference(farthest, comparison)}"


def _all_paired(rows: Sequence[Row]) -> bool:
    """Return whether every group that is compared is paired with the baseline by seed."""
    return all(row.compared.is_paired for row in rows if row.compared.is_compared)


def _nothing_decided(verdicts: Sequence[Verdict], all_paired: bool) -> str:
    """Return why no group is better or worse."""
    open_ = verdicts.count(Verdict.NOT_SHOWN)
    needed = f"{SMALLEST_VERDICT} seeds in common with the baseline, which a verdict needs"
    if not all_paired:
        needed = f"the {SMALLEST_VERDICT} runs, or seeds in common with the baseline, of a verdict"
    if Verdict.NOT_COMPARED in verdicts:
        needed = f"{SMALLEST_VERDICT} seeds that were scored on the baseline's images"
        if set(verdicts) == {Verdict.NOT_COMPARED}:
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
        f"{comparison.baseline.group.extent}; nothing to compare it with."
    )


def _tally(rows: Sequence[Row], comparison: Comparison) -> str:
    """Return how many groups have each verdict: `2 are better and for 1 no difference is shown`."""
    counts, total = Counter(row.compared.verdict for row in rows), len(rows)
    all_are = "both are" if total == 2 else f"all {total} are"
    parts = []
    for verdict in (Verdict.BETTER, Verdict.WORSE, Verdict.EQUIVALENT):
        if count := counts[verdict]:
            are = all_are if count == total else "1 is" if count == 1 else f"{count} are"
            parts.append(f"{are} {words.verdict(verdict, comparison)}")
    if count := counts[Verdict.NOT_SHOWN]:
        parts.append(f"for {count} no difference is shown")
    if count := counts[Verdict.NOT_COMPARED]:
        parts.append(f"{count} cannot be compared with it")
    if count := counts[Verdict.TOO_FEW]:
        too_few = "seeds in common with it" if _all_paired(rows) else "runs"
        parts.append(f"{count} {'has' if count == 1 else 'have'} too few {too_few}")
    return listed(parts)


def _one_difference(row: Row, comparison: Comparison) -> str:
    """Return a sentence about one group and the baseline."""
    compared, metric = row.compared, comparison.metric
    group, baseline = row.group.label, comparison.baseline.group.label
    if not compared.is_compared:
        return (
            f"{group} and {baseline} were not scored on the same images, so they are not compared."
        )
    details = [words.in_images(compared.mean, comparison), _interval(compared.interval, metric)]
    inside = "; ".join(filter(None, details))
    shift = (
        f"{words.difference(compared.mean, metric)} in {metric}{f' ({inside})' if inside else ''}"
    )
    over = f"{shift} over {words.extent(compared)}"
    note = "" if math.isnan(compared.p) else _p_note(compared, comparison)
    evidence = f"{over}, {note}" if note else over
    more = margin_sentences.about(row, comparison)
    match compared.verdict:
        case Verdict.TOO_FEW:
            what, of = ("seeds", "paired seeds") if compared.is_paired else ("runs", "of each")
            needed = f"{evidence}; a verdict needs {SMALLEST_VERDICT} {of}"
            return f"Too few {what} to decide between {group} and {baseline}: {needed}.{more}"
        case Verdict.NOT_SHOWN:
            none = f"No difference is shown between {group} and {baseline}: {evidence}"
            return f"{none}; {margin_sentences.hidden(row, comparison)}.{more}"
        case Verdict.EQUIVALENT:
            within = words.verdict(compared.verdict, comparison)
            return f"{group} and {baseline} are {within}: {over}.{more}"
    why = "; the interval leaves out 0" if compared.interval.has_width else ""
    return f"{group} is {compared.verdict} than {baseline}: {over}{why}. {note}.{more}"


def _interval(shown: Interval, metric: str) -> str:
    """Return `95% interval +0.0041 to +0.0053`, or that all differences are equal."""
    if shown.is_degenerate:
        return "without spread, so there is no interval"
    ends = words.interval(shown, metric, of_difference=True)
    return f"95% interval {ends}" if ends else ""


def verdict_notes(comparison: Comparison) -> list[str]:
    """Return a sentence or two on verdicts that seem to contradict their p, and on unpaired groups.

    Then come sentences on how the runs were read.
    """
    groups = [row.compared for row in comparison.others]
    notes = []
    with_large_p = [d for d in groups if d.verdict.is_difference and d.p_holm > _LARGE_P]
    if with_large_p:
        least = max(with_large_p, key=lambda d: d.smallest_p)
        notes.append(
            "Better and worse mean that the 95% interval of the difference leaves out 0; they do "
            f"not depend on p.{_why_p_is_large(least, groups)}"
        )
    unpaired = [d for d in groups if d.is_compared and not d.is_paired]
    if unpaired:
        number = (
            "The groups have" if len(unpaired) == len(groups) else f"{len(unpaired)} groups have"
        )
        which = "One group has" if len(unpaired) == 1 else number
        notes.append(
            f"{which} no seed in common with the baseline. Compared as independent runs, the "
            f"interval of the difference is Welch's, and p that of {_test_of(unpaired[0])}."
        )
    return [*notes, *comparison.notes]


def _test_of(unpaired: Difference) -> str:
    if unpaired.test is Test.WELCH:
        return "his t test, as there are too many runs for permutations"
    return "a permutation test of the means"


def left_out(comparison: Comparison) -> list[tuple[str, str]]:
    """Return each section that the runs have nothing for, and what they would have to log."""
    missing = []
    if not comparison.curves and comparison.is_foreign:
        how = f'mlflow.log_metric("{comparison.metric}", value, step=epoch)'
        missing.append(
            (
                "Learning curves",
                "Left out: a table has only last values."
                if comparison.is_table
                else f"Left out: no run has the metric at several steps; {how} draws them.",
            )
        )
    if not any(row.predictions for row in comparison.rows) and comparison.others:
        how = (
            f"mlflow.log_artifact({ARTIFACT.rpartition('/')[2]!r}, 'predictions') of a numpy file "
            "with the arrays label [N], prediction [N] and probability [N, K]"
        )
        missing.append(
            (
                "Test images",
                "Left out: a table has no predictions; runs in MLflow have them after " + how + "."
                if comparison.is_table
                else f"Left out: no two groups have recorded predictions. {how} records them.",
            )
        )
    return missing


def _why_p_is_large(compared: Difference, groups: Sequence[Difference]) -> str:
    """Return a sentence, after a space; nothing if it is large by itself."""
    floor, tested = compared.smallest_p, _tested(groups)
    adjusted = _smallest_holm(compared, groups)
    if adjusted <= _LARGE_P < compared.p:
        return ""
    if adjusted <= _LARGE_P:
        return f" p (Holm) is larger than p because {tested} groups are compared."
    least = f" With {_number(compared)}, p cannot be below {words.p_value(floor)}"
    if adjusted == floor:
        return f"{least}."
    makes = words.p_value(adjusted)
    return f"{least}, and Holm's adjustment for {tested} groups makes that {makes}."


def _tested(groups: Sequence[Difference]) -> int:
    """Return for how many groups p is adjusted."""
    return sum(not math.isnan(group.p) for group in groups)


def _smallest_holm(compared: Difference, groups: Sequence[Difference]) -> float:
    """Return the Holm-adjusted p of a group if no p of any group could be smaller."""
    adjusted = holm([group.smallest_p for group in groups])
    return next(p for group, p in zip(groups, adjusted, strict=True) if group is compared)


def _number(compared: Difference) -> str:
    """Return `5 seeds`, or `5 and 4 runs` that are not paired."""
    if compared.is_paired:
        return plural(len(compared.seeds), "seed")
    return f"{compared.sizes[0]} and {plural(compared.sizes[1], 'run')}"


def _p_note(compared: Difference, comparison: Comparison) -> str:
    """Return `Holm-adjusted p = 0.19 (with 5 seeds and 3 groups it cannot be below 0.19)`."""
    text = f"Holm-adjusted p {words.equals(compared.p_holm)}"
    others = [row.compared for row in comparison.others]
    least = _smallest_holm(compared, others)
    if least <= _LARGE_P:
        return text
    groups = f" and {_tested(others)} groups" if least > compared.smallest_p else ""
    return f"{text} (with {_number(compared)}{groups} it cannot be below {words.p_value(least)})"
