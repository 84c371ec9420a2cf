"""How large a difference may be that is not shown, and what is said about a margin."""

from collections.abc import Iterable

from mnist_exp.compare import words
from mnist_exp.compare.comparison import Comparison
from mnist_exp.compare.differences import Difference
from mnist_exp.compare.rows import Row
from mnist_exp.compare.statistics import Verdict
from mnist_exp.outside.printing import plural


def hidden(row: Row, comparison: Comparison) -> str:
    """Return how large a group's difference may be though none is shown."""
    return f"{row.group.label} {_may_be(row, comparison)}"


def _may_be(row: Row, comparison: Comparison) -> str:
    low, high = _ends(row.compared)
    if low == high:
        return "does not differ at all here, which tells nothing of other runs"
    better, worse = (high, -low) if comparison.higher_is_better else (-low, high)
    ends = [
        f"{words.value(end, comparison.metric)} {word}"
        for end, word in ((better, "better"), (worse, "worse"))
        if end > 0
    ]
    return f"may still be up to {' or '.join(ends)}"


def largest_hidden(comparison: Comparison) -> str:
    """Return, after a semicolon, how large the largest difference may be that is not shown."""
    open_ = [row for row in comparison.others if row.compared.verdict is Verdict.NOT_SHOWN]
    widest = max(open_, key=lambda row: max(map(abs, _ends(row.compared))), default=None)
    if widest is None or not any(_ends(widest.compared)):
        return ""
    if len(open_) == 1:
        return f"; {hidden(widest, comparison)}"
    return f"; most open is {widest.group.label}, which {_may_be(widest, comparison)}"


def _ends(compared: Difference) -> tuple[float, float]:
    return compared.interval.low, compared.interval.high


def about(row: Row, comparison: Comparison) -> str:
    """Return a sentence about the margin, after a space; nothing without one.

    It says what the tests of equivalence found, if they show it, or else how many seeds would show
    a difference as large as the margin.
    """
    found = row.against_margin
    if found is None:
        return ""
    if found.is_equivalent:
        p_values = f"p {words.equals(found.p)}, Holm-adjusted {words.p_value(found.p_holm)}"
        ends = (words.difference(end, comparison.metric) for end in (found.low, found.high))
        return (
            f" Two one-sided tests show that the difference is smaller than "
            f"{words.margin(comparison)}: {p_values}; its 90% interval is {' to '.join(ends)}."
        )
    if found.seeds is None:
        return ""
    return f" {_lead([row], comparison)}: {words.seeds_needed(found)}."


def notes(comparison: Comparison, most: int) -> list[str]:
    """Return how many seeds `most` groups need to show a difference as large as the margin.

    Without a margin it is how to give one, if it would say more.
    """
    if comparison.margin is None:
        if not any(row.compared.verdict is Verdict.NOT_SHOWN for row in comparison.others):
            return []
        tests = "--margin SIZE tests whether groups are equivalent within that difference"
        return [f"{tests}, and says how many seeds would show it."]
    told = [row for row in comparison.others if row.compared.is_compared]
    if len(told) < 2:  # the summary has the only one
        return []
    parts = [f"{row.group.label} {words.seeds_needed(row.against_margin)}" for row in told[:most]]
    left = len(told) - most
    more = f"; {plural(left, 'group').replace(' ', ' more ')} in compare.csv" if left > 0 else ""
    return [f"{_lead(told, comparison)}: {'; '.join(parts)}{more}."]


def _lead(rows: Iterable[Row], comparison: Comparison) -> str:
    """Return `Seeds that would show a difference of 0.002 with 80% power`."""
    all_paired = all(row.compared.is_paired for row in rows)
    seeds = "Seeds" if all_paired else "Runs of each group"
    return f"{seeds} that would show a difference of {words.margin(comparison)} with 80% power"
