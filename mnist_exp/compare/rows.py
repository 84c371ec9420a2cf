"""The lines of a comparison: each group's numbers, and its difference to the baseline."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mnist_exp.compare import differences, margins, statistics, votes
from mnist_exp.compare.differences import Difference
from mnist_exp.compare.groups import Group
from mnist_exp.compare.margins import AgainstMargin
from mnist_exp.compare.predictions import PairedPredictions
from mnist_exp.compare.statistics import Description, Verdict
from mnist_exp.compare.votes import Agreement

SHOWN = 7  # groups beside the baseline with curves: as many as colours tell apart


@dataclass(frozen=True, kw_only=True)
class Row:
    """One group's line of the table."""

    group: Group
    description: Description
    difference: Difference | None  # None for the baseline
    color: int | None  # 0 is the baseline's; None: the group has no curves and test images
    predictions: PairedPredictions | None = None  # beside the baseline's, on the same test images
    agreement: Agreement | None = None  # of these predictions
    against_margin: AgainstMargin | None = None  # None for the baseline, or without a margin

    @property
    def is_baseline(self) -> bool:
        """Return whether the other groups are compared with this one."""
        return self.difference is None

    @property
    def compared(self) -> Difference:
        """Return the difference of a row that is not the baseline's."""
        assert self.difference is not None
        return self.difference


def make_rows(
    groups: Sequence[Group],
    baseline: int,
    *,
    higher_is_better: bool,
    shares: bool,
    on_others: Collection[str] = (),
) -> list[Row]:
    """Compare each group with the one at index `baseline`; return them from the best mean on.

    `shares`: the values are shares of images, between 0 and 1. `on_others`: the labels of groups
    that were scored on other images than the baseline, which are not compared with it.
    """
    values = [np.array(list(group.values.values())) for group in groups]
    described = statistics.describe(values, shares=shares)
    others = [i for i in range(len(groups)) if i != baseline]
    compared = differences.differences(
        groups[baseline].values,
        [{} if groups[i].label in on_others else groups[i].values for i in others],
        higher_is_better,
        shares=shares,
    )
    by_group = dict(zip(others, compared, strict=True))
    sign = -1 if higher_is_better else 1
    order = sorted(range(len(groups)), key=lambda i: described[i].mean * sign)
    colored = [baseline, *[i for i in order if i != baseline][:SHOWN]]
    colors = {i: color for color, i in enumerate(colored)}
    return [
        Row(
            group=groups[i],
            description=described[i],
            difference=by_group.get(i),
            color=colors.get(i),
        )
        for i in order
    ]


def with_predictions(rows: Sequence[Row], pairs: Sequence[PairedPredictions]) -> list[Row]:
    """Add the predictions on test images, and McNemar's test of them, Holm-adjusted."""
    tests = [votes.agreement(pair.label, pair.baseline, pair.group) for pair in pairs]
    adjusted = statistics.holm([test.p for test in tests])
    read = {
        pair.group_label: (pair, replace(test, p_holm=p_holm))
        for pair, test, p_holm in zip(pairs, tests, adjusted, strict=True)
    }
    completed = []
    for row in rows:
        predictions, agreement = read.get(row.group.label, (None, None))
        completed.append(replace(row, predictions=predictions, agreement=agreement))
    return completed


def with_margin(rows: Sequence[Row], margin: float) -> list[Row]:
    """Add what the differences say about the margin, and the verdict that they are equivalent.

    A group that is better or worse stays so, however small the difference.
    """
    baseline = next(row for row in rows if row.is_baseline)
    others = [row for row in rows if not row.is_baseline]
    found = margins.with_holm([_against_margin(row, baseline, margin) for row in others])
    results = {row.group.label: result for row, result in zip(others, found, strict=True)}
    completed = []
    for row in rows:
        result, difference = results.get(row.group.label), row.difference
        is_shown = result is not None and result.is_equivalent
        if is_shown and row.compared.verdict is Verdict.NOT_SHOWN:
            difference = replace(row.compared, verdict=Verdict.EQUIVALENT)
        completed.append(replace(row, difference=difference, against_margin=result))
    return completed


def _against_margin(row: Row, baseline: Row, margin: float) -> AgainstMargin:
    """Compare a row's difference with the margin, paired as the difference is."""
    if not row.compared.is_compared:
        return AgainstMargin(margin=margin)
    group, base = (np.array(list(each.group.values.values())) for each in (row, baseline))
    if row.compared.is_paired:
        size = float(np.abs([*group, *base]).max())
        return margins.paired(np.array(row.compared.values), margin, size)
    return margins.unpaired(group, base, margin)
