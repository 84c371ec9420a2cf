"""results.md and results.csv: what was found, in words, tables and numbers."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from mnist_exp import printing
from mnist_exp.compare import words
from mnist_exp.compare.statistics import SMALLEST_VERDICT, Interval
from mnist_exp.reproduce.claims import Verdict
from mnist_exp.reproduce.results import APPROXIMATE, MEASURED_HERE, Curve, Reproduction, Result
from mnist_exp.reproduce.runs import METRIC, QUICK

if TYPE_CHECKING:
    from mnist_exp.reproduce.bug import Bug, Ending

BLOG, NOTEBOOK, BUGGY = "blog_cnn3x3", "notebook_cnn5x5", "notebook_softmax_buggy"
_NONE = "\N{EN DASH}"


@dataclass(frozen=True)
class Origin:
    """Where the runs were made: the same for all, or several texts."""

    code_digest: str
    commits: tuple[str, ...]
    machine: Mapping[str, str]  # of env/hardware.json
    trials: int  # runs that were made as trials of a sweep


def markdown(found: Reproduction, origin: Origin, figures: Sequence[str]) -> str:
    """The page; `figures` are the names of those that were drawn, without `.png`."""
    parts = [
        _head(found),
        _table(found),
        _picture("claims", figures, "Seeds, mean and the tutorials' numbers"),
    ]
    blog, notebook = found.of(BLOG), found.of(NOTEBOOK)
    if blog is not None and blog.cost is not None:
        parts.append(_cost(blog.cost, figures))
    if notebook is not None and notebook.batch_accuracy is not None:
        parts.append(_batches(notebook.batch_accuracy, figures))
    if found.bug is not None:
        parts.append(_bug(found.bug, figures))
    parts += [_missing(found), _methods(found, origin)]
    return "\n".join(part for part in parts if part)


def _picture(name: str, figures: Sequence[str], told: str) -> str:
    return f"![{told}]({name}.png)\n" if name in figures else ""


def _head(found: Reproduction) -> str:
    command = f"python -m mnist_exp.reproduce --seeds {found.seeds}" + (
        " --quick" if found.quick else ""
    )
    short = [r.name for r in found.results if r.found.preset.shortened]
    quick = (
        f"\n**A quick look, no test of the claims of {' and '.join(short)}:** these were trained with "
        f"`{' '.join(_settings(QUICK[short[0]]))}`.\n"
        if short
        else ""
    )
    return f"# Are the tutorials' claims true?\n\nWritten by `{command}`. {summary(found)}\n{quick}"


def _settings(overrides: Sequence[str]) -> list[str]:
    return [override for override in overrides if not override.startswith("tracking.")]


def summary(found: Reproduction) -> str:
    """One sentence."""
    tested = [
        r
        for r in found.results
        if not r.found.preset.shortened and r.verdict.word != "not measured"
    ]
    holds = [r.name for r in tested if r.verdict.holds]
    fails = [r.name for r in tested if r.verdict.word == "not reproduced"]
    told = []
    if holds:
        told.append(f"reproduced: {', '.join(holds)}")
    if fails:
        told.append(f"not reproduced: {', '.join(fails)}")
    rest = [r.name for r in found.results if r.name not in (*holds, *fails)]
    if rest:
        told.append(f"not decided: {', '.join(rest)}")
    return f"{'; '.join(told).capitalize()}."


def _table(found: Reproduction) -> str:
    head = [
        "| preset | claim | measured, mean (95% interval) | one more run (95%) | seeds | training time a run | verdict |",
        "|---|---|---|---|---|---|---|",
    ]
    return "\n".join([*head, *(_row(result) for result in found.results), "", *_notes(found)])


def _row(result: Result) -> str:
    verdict, d = result.verdict, result.verdict.description
    cells = [f"`{result.name}`", claim_text(result)]
    if d is None:
        cells += [_NONE, _NONE, "0", _NONE]
    else:
        told = words.interval(d.interval, METRIC, method=True)
        cells += [f"**{words.value(d.mean, METRIC)}** ({told})", _prediction(verdict.prediction)]
        cells += [str(d.n), _duration(sum(result.seconds.values()) / max(1, len(result.seconds)))]
    return f"| {' | '.join([*cells, verdict_text(result)])} |"


def claim_text(result: Result) -> str:
    claim = result.verdict.claim
    if claim is None:
        return _NONE
    if result.name in MEASURED_HERE:
        return f"({claim:g})\N{SUPERSCRIPT ONE}"
    return f"about {claim:g}" if result.name in APPROXIMATE else f"{claim:g}"


def _prediction(interval: Interval) -> str:
    return _NONE if interval.method == "none" else words.interval(interval, METRIC)


def verdict_text(result: Result) -> str:
    """The verdict, and how far off where it is not reproduced."""
    verdict = result.verdict
    if verdict.description is None:
        return "not measured"
    if result.found.preset.shortened:
        return "no test of the claim: shortened runs"
    off = how_far(verdict)
    n = verdict.description.n
    if verdict.word == "not decided":
        return f"not decided: {words.plural(n, 'seed')}, a verdict needs {SMALLEST_VERDICT}; {off}"
    if verdict.word == "not reproduced":
        return f"**not reproduced**: {off}"
    if verdict.word == "reproduced":
        return f"**reproduced**: {off}"
    return f"**{verdict.word}**" + (f": {n} of {n} runs" if verdict.holds else "")


def how_far(verdict: Verdict) -> str:
    """`the claim is 0.12 points (1.2 standard deviations) above the mean`."""
    if math.isnan(verdict.points):
        return ""
    if verdict.points == 0:
        return "the claim is the mean"
    deviations = (
        ""
        if math.isnan(verdict.deviations)
        else f" ({abs(verdict.deviations):.1f} standard deviations)"
    )
    side = "above" if verdict.points > 0 else "below"
    return f"the claim is {abs(verdict.points):.2f} points{deviations} {side} the mean"


def _notes(found: Reproduction) -> list[str]:
    lines = []
    for result in found.results:
        source = result.found.preset.reference.source
        mark = "\N{SUPERSCRIPT ONE} " if result.name in MEASURED_HERE else ""
        lines.append(f"- {mark}`{result.name}`: {source}.")
    return ["Where the claims are from:", "", *lines, ""]


def _cost(curve: Curve, figures: Sequence[str]) -> str:
    inside = sum(point.is_predicted for point in curve.points)
    band = sum(point.is_in_band for point in curve.points)
    n = len(curve.means)
    rows = [
        f"| {p.step} | {p.claim:.9f} | {_mean(p.verdict):.6f} | {p.low:.6f} to {p.high:.6f} | "
        f"{_cost_interval(p.verdict.prediction)} | {_yes(p.is_predicted, p.verdict.prediction)} |"
        for p in curve.points
    ]
    return "\n".join(
        [
            "## The blog post's costs",
            "",
            (
                f"Of the {len(curve.points)} costs that the blog post prints, {inside} lie in the 95% interval of one more run, and "
                f"{band} between the lowest and the highest of our {words.plural(n, 'seed')}. A true copy would leave an interval "
                "once in 20 epochs; the epochs of a run are not independent of each other."
            ),
            "",
            _picture("blog_costs", figures, "The blog post's costs in the band of our seeds"),
            "| epoch | blog post | our mean | lowest to highest | one more run (95%) | inside |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _cost_interval(interval: Interval) -> str:
    return _NONE if interval.method == "none" else f"{interval.low:.6f} to {interval.high:.6f}"


def _yes(inside: bool, interval: Interval) -> str:
    return _NONE if interval.method == "none" else "yes" if inside else "**no**"


def _mean(verdict: Verdict) -> float:
    assert verdict.description is not None  # a point has a value of every run
    return verdict.description.mean


def _batches(curve: Curve, figures: Sequence[str]) -> str:
    band = sum(point.is_in_band for point in curve.points)
    n, points, verdict = len(curve.means), len(curve.points), curve.mean
    told = words.interval(verdict.prediction, METRIC)
    rows = [
        f"| {p.step} | {p.claim:g} | {_mean(p.verdict):.3f} | {p.low:g} to {p.high:g} | "
        f"{'yes' if p.is_in_band else 'no'} |"
        for p in curve.points
    ]
    return "\n".join(
        [
            "## The notebook's batch accuracies",
            "",
            "The notebook prints the accuracy of the next training batch every 100 steps; the log ends at step "
            f"{curve.points[-1].step}. Each is of 50 images, so that one image is 0.02. The mean of the {points} printed values is "
            f"{verdict.claim:.4f}; ours is {_mean(verdict):.4f} over {words.plural(n, 'seed')}"
            + (f", and of one more run {told} (95%)" if told else "")
            + f": {verdict.word}. {band} of the {points} values lie between the lowest and the highest of our seeds.",
            "",
            _picture(
                "notebook_batches",
                figures,
                "The notebook's batch accuracies in the band of our seeds",
            ),
            f"<details><summary>All {points} values</summary>",
            "",
            "| step | notebook | our mean | lowest to highest | in the band |",
            "|---|---|---|---|---|",
            *rows,
            "",
            "</details>",
            "",
        ]
    )


def _bug(found: "Bug", figures: Sequence[str]) -> str:
    probabilities = " or ".join(f"{p:.7g}" for p in found.probabilities_at_start)
    literal, stable = found.literal, found.stable
    lines = [
        "## Why exactly 0.098",
        "",
        (
            "The notebook's first loss is `-sum(y * log(y))` where `y` is the model's own prediction; it meant `-sum(y_ * log(y))` "
            "with the labels `y_`. So the loss is the entropy of the prediction, and no label is ever seen."
        ),
        "",
        _picture("bug", figures, "The loss with the bug has its maximum where training starts"),
        (
            f"1. **Training starts at the top.** W and b are zero, so every probability of every of the {found.images:,} training "
            f"images is {probabilities}, and the loss is {found.loss_at_start:.7f} an image. That is ln 10 = {math.log(10):.7f}, "
            "the largest entropy that ten classes can have."
        ),
        (
            f"2. **There the gradient is zero.** The derivative by the logit of class k is -y_k (log y_k + L), with the loss L; at "
            f"y_k = 1/10 and L = ln 10 that is 0. Computed over all training images, its largest entry is "
            f"{found.gradient_at_start:g}; that of the loss that was meant is {found.meant_gradient_at_start:,.0f} at the same place."
        ),
        f"3. **So nothing is learned.** {_ended(literal, 'With the loss as the notebook wrote it, `log(softmax(x))`')}",
        (
            f"4. **All classes are tied, and the first wins.** {_tied('For every', literal)} "
            f"{found.zeros} of the {found.test_images:,} test images show a 0, so the accuracy is "
            f"{found.zeros / found.test_images:g}."
        ),
        "",
        _stable(stable),
    ]
    return "\n".join(lines)


def _ended(ending: "Ending", form: str) -> str:
    return (
        f"{form}, the largest weight after {ending.steps:,} steps is {ending.largest_weight:g}, and the loss of the test "
        f"images {ending.test_loss:.4f}."
    )


def _tied(for_every: str, ending: "Ending") -> str:
    return (
        f"{for_every} test image the classes {_list(ending.tied)} have exactly the same, largest logit; `argmax` takes the "
        f"first of them, and the model answers {_list(ending.predicted)} to all: {ending.right} right."
    )


def _list(values: Sequence[int]) -> str:
    if len(values) > 2 and values[-1] - values[0] == len(values) - 1:
        return f"{values[0]} to {values[-1]}"
    return " and ".join(str(v) for v in values) or "none"


def _stable(ending: "Ending") -> str:
    """What the preset does, whose loss is the same on paper."""
    form = "The preset computes the same loss from log-softmax, which cannot become NaN."
    if ending.largest_weight == 0:
        return f"{form} {_ended(ending, 'There')}\n"
    tied = len(ending.tied)
    return (
        f"{form} Its gradient at the top is zero but for rounding, and a maximum is no place to rest: the rounding errors grow, "
        f"and descent leaves the top. {_ended(ending, 'There')} With {tied} classes that share all probability the entropy is "
        f"ln {tied} = {math.log(tied):.4f}. No label had a part in that: {_tied('for every', ending)} Which classes these are is the "
        "processor's rounding, so that another machine might give another number.\n"
    )


def _missing(found: Reproduction) -> str:
    lines = [
        f"- `{result.name}`, seed {seed}: {printing.markdown(why)}"
        for result in found.results
        for seed, why in result.found.missing.items()
    ]
    return "\n".join(["## Not counted", "", *lines, ""]) if lines else ""


def _methods(found: Reproduction, origin: Origin) -> str:
    machine = ", ".join(
        printing.markdown(origin.machine[key])
        for key in ("cpu", "platform")
        if key in origin.machine
    )
    cores = (
        f", {printing.markdown(origin.machine['cores'])} cores" if "cores" in origin.machine else ""
    )
    side = (
        f" {origin.trials} of them were trials of a sweep, which shared the machine, so that they took longer."
        if origin.trials
        else ""
    )
    runs = sum(len(result.found.run_ids) for result in found.results)
    commits = (
        ", ".join(printing.markdown(commit[:12]) for commit in origin.commits) or "not recorded"
    )
    return "\n".join(
        [
            "## Methods",
            "",
            (
                "- **Runs**: the tutorials' presets in `conf/experiment`, with seeds from 0 on, which set the weights, the order of the images and "
                "dropout. Only finished runs of the same config and code count, the newest of each seed; reruns do not."
            ),
            (
                "- **Interval of the mean**: BCa bootstrap for five seeds or more, Student's t for two to four, as in "
                "`mnist_exp.compare`."
            ),
            (
                "- **One more run**: Student's prediction interval, mean \N{PLUS-MINUS SIGN} t(n \N{MINUS SIGN} 1) s "
                "\N{SQUARE ROOT}(1 + 1/n), for normally distributed runs (Hahn and Meeker, Statistical Intervals, 1991, chapter 4). A "
                "claim inside is **reproduced**: one of our runs might well have given it. That does not make it the expected value, "
                f"and a claim from a single run says no more. Fewer than {SMALLEST_VERDICT} seeds decide nothing."
            ),
            (
                "- **Numbers**: results.csv has each run's value with its run id; all others follow from those with `seed`, `value` and "
                "`claim`."
            ),
            (
                f"- **Where**: {words.plural(runs, 'run')}, code digest {origin.code_digest}, commit {commits}; {machine or 'machine not recorded'}"
                f"{cores}.{side}"
            ),
            "",
        ]
    )


def table(found: Reproduction) -> pd.DataFrame:
    """A line for each run and number: preset, quantity, step, seed, value, and what was made of its group's values."""
    lines: list[dict[str, object]] = []
    for result in found.results:
        ids = result.found.run_ids
        rows: list[tuple[str, int | None, Verdict, Mapping[int, float]]] = [
            (METRIC, None, result.verdict, result.found.accuracies)
        ]
        for curve in (result.cost, result.batch_accuracy):
            rows += (
                []
                if curve is None
                else [(curve.metric, p.step, p.verdict, p.values) for p in curve.points]
            )
            rows += (
                [] if curve is None else [(f"{curve.metric}, mean", None, curve.mean, curve.means)]
            )
        for quantity, step, verdict, values in rows:
            lines += [
                {
                    "preset": result.name,
                    "quantity": quantity,
                    "step": step,
                    "seed": seed,
                    "value": value,
                    "run_id": ids[seed],
                    "shortened": result.found.preset.shortened,
                    **_numbers(verdict),
                }
                for seed, value in values.items()
            ]
        lines += [
            {
                "preset": result.name,
                "quantity": "training seconds",
                "seed": seed,
                "value": value,
                "run_id": ids[seed],
            }
            for seed, value in result.seconds.items()
        ]
    lines += [
        {"preset": BUGGY, "quantity": f"bug: {name}", "value": value}
        for name, value in _bug_numbers(found.bug)
    ]
    return pd.DataFrame(lines)


def _numbers(verdict: Verdict) -> dict[str, object]:
    d = verdict.description
    assert d is not None  # there is a value
    return {
        "claim": verdict.claim,
        "n": d.n,
        "mean": d.mean,
        "sd": d.deviation,
        "ci_low": d.interval.low,
        "ci_high": d.interval.high,
        "ci_method": d.interval.method,
        "one_more_low": verdict.prediction.low,
        "one_more_high": verdict.prediction.high,
        "points_above_mean": verdict.points,
        "deviations_above_mean": verdict.deviations,
        "verdict": verdict.word,
    }


def _bug_numbers(bug: "Bug | None") -> list[tuple[str, float]]:
    """One number each; of several classes a line for each of them."""
    if bug is None:
        return []
    found = [
        (name, value) for name, value in vars(bug).items() if isinstance(value, int | float | tuple)
    ]
    for form, ending in (("literal", bug.literal), ("stable", bug.stable)):
        found += [(f"{form} {name}", value) for name, value in vars(ending).items()]
    return [
        (name, one)
        for name, value in found
        for one in (value if isinstance(value, tuple) else (value,))
    ]


def _duration(seconds: float) -> str:
    if math.isnan(seconds):
        return _NONE
    return (
        f"{seconds:.1f} s" if seconds < 60 else f"{int(seconds) // 60}:{int(seconds) % 60:02d} min"
    )
