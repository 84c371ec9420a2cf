"""Numbers and verdicts as text, the same in the terminal and on the page."""

import html
import math
import re

from mnist_exp.compare.comparison import Comparison, Row
from mnist_exp.compare.groups import Group
from mnist_exp.compare.statistics import SMALLEST_VERDICT, Interval
from mnist_exp.outside.printing import plural
from mnist_exp.sweeper.foreign_text import clean

MINUS = "\N{MINUS SIGN}"


def value(x: float, metric: str) -> str:
    """Accuracies to 1/10,000, which is one test image; other metrics to four significant digits."""
    if math.isnan(x):
        return "\N{EN DASH}"
    return _signed(f"{x:.4f}" if metric.endswith("accuracy") else f"{x:.4g}")


def difference(x: float, metric: str) -> str:
    """With its sign."""
    if math.isnan(x):
        return "\N{EN DASH}"
    text = f"{x:+.4f}" if metric.endswith("accuracy") else f"{x:+.3g}"
    return "0" if float(text) == 0 and x == 0 else _signed(text)


def _signed(text: str) -> str:
    return text.replace("-", MINUS) if text.startswith("-") else text


def interval(
    found: Interval, metric: str, *, of_difference: bool = False, method: bool = False
) -> str:
    """`0.9868 to 0.9885`, perhaps with `, BCa`; `none` or nothing without one."""
    if found.method == "none":
        return "none" if method else ""
    show = difference if of_difference else value
    return f"{show(found.low, metric)} to {show(found.high, metric)}{f', {found.method}' if method else ''}"


def p_value(p: float) -> str:
    if math.isnan(p):
        return "\N{EN DASH}"
    if p < 0.0001:
        return "<0.0001"
    return "1" if p == 1 else f"{p:.2g}" if p >= 0.1 else f"{p:.3g}" if p >= 0.01 else f"{p:.2g}"


def label(group: Group) -> str:
    """A group's label as HTML that may be broken after `_`, `=` and `/`."""
    return breakable(group.label)


def breakable(text: str) -> str:
    """HTML of a name or value, which may be broken after `_`, `=`, `/` and between the parts of a dotted name."""
    return re.sub(r"([_=/]|(?<=[a-z])\.(?=[a-z]))", r"\1<wbr>", html.escape(text, quote=False))


def summary(comparison: Comparison) -> str:
    """One or two sentences: against what, how many better or worse, the best by how much, and what p can say."""
    rows, base = comparison.others, comparison.baseline
    name = comparison.metric
    if not rows:
        n = base.description.n
        spread = interval(base.description.interval, name)
        return (
            f"One group, {base.group.label}: {name} {value(base.description.mean, name)}"
            f"{f' (95% interval {spread})' if spread else ''} over {plural(n, 'seed')}; nothing to compare it with."
        )
    if len(rows) == 1:
        return _one(rows[0], comparison)
    counts = {
        verdict: sum(
            row.difference is not None and row.difference.verdict == verdict for row in rows
        )
        for verdict in ("better", "worse", "no difference shown")
    }
    told = [
        f"{counts[verdict]} {'is' if counts[verdict] == 1 else 'are'} {verdict}"
        for verdict in ("better", "worse")
        if counts[verdict]
    ]
    if counts["no difference shown"]:
        told.append(
            f"{'for ' if told else 'no difference is shown for '}{counts['no difference shown']}"
            f"{' no difference is shown' if told else ''}"
        )
    if max(counts.values()) == len(rows):
        whole = told[0].replace("2 ", "both ", 1) if len(rows) == 2 else f"all {told[0]}"
        told = [whole] if told[0][0].isdigit() else told
    text = ", ".join(told[:-1]) + (" and " if len(told) > 1 else "") + told[-1]
    lead = f"Of {len(rows)} groups compared with {base.group.label} in {name}, {text}."
    if not counts["better"] and not counts["worse"]:
        lead = f"Compared with {base.group.label} in {name}, {text} of {len(rows)} groups."
    verdicts = [
        row
        for row in rows
        if row.difference is not None and row.difference.verdict != "no difference shown"
    ]
    better = [
        row for row in verdicts if row.difference is not None and row.difference.verdict == "better"
    ]
    if better:
        return f"{lead} The best: {_one(better[0], comparison)}"
    return f"{lead} The most different: {_one(verdicts[-1], comparison)}" if verdicts else lead


def _one(row: Row, comparison: Comparison) -> str:
    found, name, base = row.difference, comparison.metric, comparison.baseline
    assert found is not None
    pairs = len(found.values)
    if not pairs:
        return f"{row.group.label} and {base.group.label} have no seed in common, so nothing is paired."
    shift = f"{difference(found.mean, name)} in {name}"
    if found.interval.method != "none":
        shift += f" (95% interval {interval(found.interval, name, of_difference=True)})"
    seeds = f"over {plural(pairs, 'paired seed')}"
    p = p_note(row)
    if found.verdict == "no difference shown":
        why = ""
        if pairs < SMALLEST_VERDICT:
            why = f"; a verdict needs {SMALLEST_VERDICT} paired seeds"
        elif found.interval.side:
            why = "; Student's t interval covers zero"
        return f"No difference is shown between {row.group.label} and {base.group.label}: {shift} {seeds}, {p}{why}."
    return f"{row.group.label} is {found.verdict} than {base.group.label}: {shift} {seeds}, {p}."


def p_note(row: Row) -> str:
    """`p = 0.25, the smallest possible with 3 seeds`."""
    found = row.difference
    assert found is not None
    equals = "" if found.p_holm < 0.0001 else "= "
    text = f"Holm-adjusted p {equals}{p_value(found.p_holm)}"
    if found.smallest_p > 0.05 and len(found.values) > 0:
        text += f" ({plural(len(found.values), 'seed')} cannot give a p below {p_value(found.smallest_p)})"
    return text


def images(row: Row, baseline: Row) -> str:
    """What the two groups' majority predictions get right that the other does not."""
    found = row.agreement
    assert found is not None
    total = found.both + found.only_baseline + found.only_group + found.neither
    return (
        f"Of {total:,} test images, {found.only_group} are right only by the majority of {row.group.label}, "
        f"{found.only_baseline} only by that of {baseline.group.label} (McNemar's exact test: "
        f"p {_equals(found.p)}, Holm-adjusted {p_value(found.p_holm)})."
    )


def _equals(p: float) -> str:
    return p_value(p) if p < 0.0001 else f"= {p_value(p)}"


def not_counted(comparison: Comparison, most: int) -> list[str]:
    """Runs that are in no number: how many of each kind, then the first of them by name, indented."""
    left_out = comparison.statuses[comparison.statuses != "counted"]
    lines = []
    if len(left_out):
        kinds = ", ".join(f"{count} {kind}" for kind, count in left_out.value_counts().items())
        lines.append(f"{plural(len(left_out), 'run')} not counted: {kinds}")
        for run_id, kind in left_out.head(most).items():
            info = comparison.runs.info.loc[str(run_id)]
            reason = clean(str(info["reason"]).split(";")[0], 120)
            lines.append(f"  {info['name']} ({run_id}): {kind}{f', {reason}' if reason else ''}")
        if len(left_out) > most:
            lines.append(f"  and {len(left_out) - most} more, all in compare.csv")
    if comparison.empty:
        labels = "; ".join(group.label for group in comparison.empty[:most])
        lines.append(
            f"{plural(len(comparison.empty), 'group')} without a run that counts: {labels}"
        )
    if comparison.runs.repeats:
        lines.append(f"{plural(comparison.runs.repeats, 'rerun')} of other runs left out")
    return lines
