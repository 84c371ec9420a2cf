"""results.md: the numbers of a reproduction, worded for the template of the same name."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnist_exp.compare import words as numbers
from mnist_exp.compare.statistics import SMALLEST_VERDICT, Interval
from mnist_exp.outside import printing, templates
from mnist_exp.reproduce import words
from mnist_exp.reproduce.pattern import Pattern
from mnist_exp.reproduce.presets import BLOG, MEASURED_HERE, METRIC, NOTEBOOK, PRESETS, QUICK
from mnist_exp.reproduce.results import Curve, Reproduction, Result
from mnist_exp.sweeper.wording import duration

if TYPE_CHECKING:
    from mnist_exp.reproduce.bug_numbers import Bug, Ending

_MOST_STRETCHES = 4  # that are named one by one
_SHOWN = 0.05  # the largest p of a pattern that is taken for more than luck
_TESTED = ("claim", "our mean (95% interval)", "one more run (95%)", "difference noticed")
_LENGTHS = ("seeds", "mean training time", "verdict")


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where the runs were made."""

    code_digest: str
    commits: tuple[str, ...]
    machine: str  # see `costs.machine`
    trials: int  # runs that were made as trials of a sweep


def markdown(reproduction: Reproduction, where: str, figures: Sequence[str], cost: str = "") -> str:
    """Return the page.

    `where` says where the runs were made (see `provenance_text`), `cost` what they took; `figures`
    are the names of those that were drawn, without `.png`.
    """
    results = reproduction.results
    blog, notebook = reproduction.of(BLOG), reproduction.of(NOTEBOOK)
    shortened = [result.name for result in results if result.is_shortened]
    tests = [result for result in results if result.is_test]
    names = [result.name for result in results]
    words_of_command = [
        *(["--only", *names] if 0 < len(names) < len(PRESETS) else []),
        *([] if reproduction.seeds is None else ["--seeds", str(reproduction.seeds)]),
        *(["--quick"] if reproduction.quick else []),
    ]
    command = printing.command_line("python", "-m", "mnist_exp.reproduce", *words_of_command)
    return templates.render(
        "reproduce/results.md",
        figures=figures,
        command=command,
        summary=words.summary(reproduction),
        headings=["preset", *(_TESTED if tests else ["our mean"]), *_LENGTHS],
        one_more_run=f"{words.ONE_MORE_RUN} {words.INSIDE}",
        seen=[f"`{r.name}`: {words.what_the_seeds_can_see(r)}" for r in tests],
        shortened=shortened,
        quick_settings=_quick_settings(shortened[0]) if shortened else [],
        rows=[_row(result, bool(tests)) for result in results],
        sources=[_source(result) for result in results],
        cost=_costs(blog.cost) if blog and blog.cost else None,
        batches=_batches(notebook.batch_accuracy) if notebook and notebook.batch_accuracy else None,
        bug=_bug(reproduction.bug) if reproduction.bug else None,
        missing=[
            f"`{result.name}`, seed {seed}: {printing.markdown(reason)}"
            for result in results
            for seed, reason in result.runs.missing.items()
        ],
        smallest_verdict=SMALLEST_VERDICT,
        provenance=where,
        processor_time=cost,
    )


def _quick_settings(preset: str) -> list[str]:
    return [override for override in QUICK[preset] if not override.startswith("tracking.")]


def _row(result: Result, tests: bool) -> list[str]:
    """Return a row of the table; what only a test has is left out where there is none."""
    description = result.assessment.description
    cells = [f"`{result.name}`"]
    if tests:
        cells.append(words.claim(result))
    if not description.n:
        cells += [words.NONE] * (3 if tests else 1) + ["0", words.NONE]
    else:
        interval = numbers.interval(description.interval, METRIC, method=True)
        mean = f"**{numbers.value(description.mean, METRIC)}**"
        cells.append(f"{mean} ({interval})" if result.is_test else mean)
        if tests:
            cells += [words.one_more_run(result), words.noticed(result)]
        cells += [str(description.n), _durations([*result.seconds.values()])]
    return [*cells, words.verdict(result)]


def _source(result: Result) -> str:
    mark = f"{words.MARK} " if result.name in MEASURED_HERE else ""
    return f"{mark}`{result.name}`: {result.runs.preset.reference.source}."


def _costs(curve: Curve) -> dict[str, object]:
    predicted = sum(point.is_predicted for point in curve.points)
    rows = []
    for point in curve.points:
        prediction = point.assessment.prediction
        exists = prediction.exists
        inside = "yes" if point.is_predicted else "**no**"
        rows.append(
            [
                str(point.step),
                f"{point.claim:.9f}",
                f"{point.assessment.description.mean:.6f}",
                f"{point.low:.6f} to {point.high:.6f}",
                _cost_interval(prediction) if exists else words.NONE,
                inside if exists else words.NONE,
            ]
        )
    return {
        "rows": rows,
        "predicted": f"{predicted} {'lies' if predicted == 1 else 'lie'}",
        "in_band": sum(point.is_in_band for point in curve.points),
        "seeds": printing.plural(len(curve.means), "seed"),
        "pattern": _pattern(curve.pattern) if curve.pattern else None,
    }


def _pattern(pattern: Pattern) -> dict[str, object]:
    return {
        "places": _places(pattern.stretches),
        "statistic": f"{pattern.statistic:.2f}",
        "of_seeds": ", ".join(f"{value:.2f}" for value in pattern.of_seeds.values()),
        "like_it": printing.listed([f"{seed}" for seed in pattern.like_it]),
        "as_large": pattern.as_large,
        "curves": pattern.curves,
        "p": f"{pattern.p:.2g}",
        "smallest_p": f"{1 / pattern.curves:.2g}",
        "is_shown": pattern.p <= _SHOWN,
        "can_be_shown": 1 / pattern.curves <= _SHOWN,
        "seeds_needed": round(1 / _SHOWN) - 1,
    }


def _places(stretches: Sequence[tuple[int, int, int]]) -> str:
    """Return `lie below our mean in epochs 1 to 5 and above it in epochs 6 to 15`."""
    if len(stretches) > _MOST_STRETCHES:
        return f"change the side of our mean {printing.plural(len(stretches) - 1, 'time')}"
    sides = {1: "above", -1: "below", 0: "on"}
    places: list[str] = []
    for side, first, last in stretches:
        epochs = f"epochs {first} to {last}" if last > first else f"epoch {first}"
        places.append(f"{sides[side]} {'it' if places else 'our mean'} in {epochs}")
    return f"lie {printing.listed(places)}"


def _cost_interval(interval: Interval) -> str:
    return f"{interval.low:.6f} to {interval.high:.6f}"


def _batches(curve: Curve) -> dict[str, object]:
    rows = [
        [
            str(point.step),
            f"{point.claim:g}",
            f"{point.assessment.description.mean:.3f}",
            f"{point.low:g} to {point.high:g}",
            "yes" if point.is_in_band else "no",
        ]
        for point in curve.points
    ]
    return {
        "rows": rows,
        "last_step": curve.points[-1].step,
        "claim": f"{curve.mean.claim:.4f}",
        "mean": f"{curve.mean.description.mean:.4f}",
        "seeds": printing.plural(len(curve.means), "seed"),
        "one_more": numbers.interval(curve.mean.prediction, METRIC),
        "verdict": curve.mean.verdict,
        "in_band": sum(point.is_in_band for point in curve.points),
    }


def _bug(bug: "Bug") -> dict[str, object]:
    return {
        "images": f"{bug.images:,}",
        "probabilities": " or ".join(f"{p:.7g}" for p in bug.probabilities_at_start),
        "loss": f"{bug.loss_at_start:.7f}",
        "ln_10": f"{math.log(10):.7f}",
        "gradient": f"{bug.gradient_at_start:.3g}",
        "starts_still": bug.gradient_at_start == 0,
        "meant_gradient": f"{bug.meant_gradient_at_start:,.0f}",
        "literal": _ending(bug.literal),
        "stable": _ending(bug.stable),
        "zeros": bug.zeros,
        "test_images": f"{bug.test_images:,}",
        "share_of_zeros": f"{bug.zeros / bug.test_images:g}",
    }


def _ending(ending: "Ending") -> dict[str, object]:
    return {
        "has_moved": ending.largest_weight != 0,
        "steps": f"{ending.steps:,}",
        "largest_weight": f"{ending.largest_weight:.6g}",
        "test_loss": f"{ending.test_loss:.4f}",
        "tied": _classes(ending.tied),
        "ties": len(ending.tied),
        "entropy": f"{math.log(len(ending.tied)):.4f}" if ending.tied else words.NONE,
        "predicted": _classes(ending.predicted),
        "right": ending.right,
    }


def _classes(classes: Sequence[int]) -> str:
    if len(classes) > 2 and classes[-1] - classes[0] == len(classes) - 1:
        return f"{classes[0]} to {classes[-1]}"
    return " and ".join(map(str, classes)) or "none"


def provenance_text(provenance: Provenance, results: Sequence[Result]) -> str:
    """Say in a sentence or two where the runs of the results were made."""
    runs = sum(len(result.runs.run_ids) for result in results)
    machine = printing.markdown(provenance.machine)
    commits = ", ".join(printing.markdown(commit[:12]) for commit in provenance.commits)
    text = (
        f"{printing.plural(runs, 'run')}, code digest {provenance.code_digest}, "
        f"commit {commits or 'not recorded'}; {machine or 'machine not recorded'}."
    )
    trials = "All" if provenance.trials == runs else f"{provenance.trials} of them"
    if provenance.trials:
        text += f" {trials} ran as trials of a sweep, which shared the machine, and took longer so."
    return text


def _durations(seconds: Sequence[float]) -> str:
    """Return the mean, and of long runs the shortest and the longest."""
    mean = sum(seconds) / len(seconds) if seconds else math.nan
    if math.isnan(mean):
        return words.NONE
    least, most = (duration(end).removesuffix(" min") for end in (min(seconds), max(seconds)))
    is_long = mean >= 60 and least != most
    return duration(mean) + (f" ({least} to {most})" if is_long else "")
