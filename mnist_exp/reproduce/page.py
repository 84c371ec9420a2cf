"""results.md: the numbers of a reproduction, worded for the template of the same name."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnist_exp.compare import words
from mnist_exp.compare.statistics import SMALLEST_VERDICT, Interval
from mnist_exp.outside import printing, templates
from mnist_exp.reproduce.claims import Assessment, Verdict
from mnist_exp.reproduce.presets import APPROXIMATE, BLOG, MEASURED_HERE, METRIC, NOTEBOOK, QUICK
from mnist_exp.reproduce.results import Curve, Reproduction, Result

if TYPE_CHECKING:
    from mnist_exp.reproduce.bug import Bug, Ending

_NONE = "\N{EN DASH}"
_MARK = "\N{SUPERSCRIPT ONE}"  # of a claim that is not the tutorial's own


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where the runs were made."""

    code_digest: str
    commits: tuple[str, ...]
    machine: Mapping[str, str]  # of env/hardware.json
    trials: int  # runs that were made as trials of a sweep


def markdown(reproduction: Reproduction, provenance: Provenance, figures: Sequence[str]) -> str:
    """Return the page; `figures` are the names of those that were drawn, without `.png`."""
    results = reproduction.results
    blog, notebook = reproduction.of(BLOG), reproduction.of(NOTEBOOK)
    shortened = [result.name for result in results if result.is_shortened]
    command = f"python -m mnist_exp.reproduce --seeds {reproduction.seeds}"
    return templates.render(
        "reproduce/results.md",
        figures=figures,
        command=f"{command} --quick" if reproduction.quick else command,
        summary=summary(reproduction),
        shortened=shortened,
        quick_settings=_quick_settings(shortened[0]) if shortened else [],
        rows=[_row(result) for result in results],
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
        provenance=_provenance(provenance, sum(len(result.runs.run_ids) for result in results)),
    )


def summary(reproduction: Reproduction) -> str:
    """Say in one sentence which presets' claims are reproduced."""
    results = reproduction.results
    tested = [result for result in results if not result.is_shortened]
    holds = [r.name for r in tested if r.assessment.holds]
    fails = [r.name for r in tested if r.assessment.verdict is Verdict.NOT_REPRODUCED]
    open_ = [r.name for r in results if r.name not in (*holds, *fails)]
    parts = {"reproduced": holds, "not reproduced": fails, "not decided": open_}
    text = "; ".join(f"{part}: {', '.join(names)}" for part, names in parts.items() if names)
    return f"{text.capitalize()}."


def claim_text(result: Result) -> str:
    """Word the claim: `0.9872`, `about 0.992`, or in brackets if the tutorial does not make it."""
    claim = result.assessment.claim
    if claim is None:
        return _NONE
    if result.name in MEASURED_HERE:
        return f"({claim:g}){_MARK}"
    return f"about {claim:g}" if result.name in APPROXIMATE else f"{claim:g}"


def verdict_text(result: Result) -> str:
    """Word the verdict, and how far off the claim is where it is not reproduced exactly."""
    assessment = result.assessment
    verdict = assessment.verdict
    if verdict is Verdict.NOT_MEASURED:
        return verdict
    if result.is_shortened:
        return "no test of the claim: shortened runs"
    n = assessment.description.n
    match verdict:
        case Verdict.NOT_DECIDED:
            needed = f"{printing.plural(n, 'seed')}, a verdict needs {SMALLEST_VERDICT}"
            return f"{verdict}: {needed}; {_how_far(assessment)}"
        case Verdict.REPRODUCED | Verdict.NOT_REPRODUCED:
            return f"**{verdict}**: {_how_far(assessment)}"
        case Verdict.REPRODUCED_EXACTLY:
            return f"**{verdict}**: {n} of {n} runs"
    return f"**{verdict}**"


def _how_far(assessment: Assessment) -> str:
    """Return `the claim is 0.12 points (1.2 standard deviations) above the mean`."""
    if assessment.points == 0:
        return "the claim is the mean"
    off = f"{abs(assessment.points):.2f} points"
    if not math.isnan(assessment.deviations):
        off += f" ({abs(assessment.deviations):.1f} standard deviations)"
    return f"the claim is {off} {'above' if assessment.points > 0 else 'below'} the mean"


def _quick_settings(preset: str) -> list[str]:
    return [override for override in QUICK[preset] if not override.startswith("tracking.")]


def _row(result: Result) -> list[str]:
    assessment, description = result.assessment, result.assessment.description
    cells = [f"`{result.name}`", claim_text(result)]
    if not description.n:
        cells += [_NONE, _NONE, "0", _NONE]
    else:
        interval = words.interval(description.interval, METRIC, method=True)
        cells += [
            f"**{words.value(description.mean, METRIC)}** ({interval})",
            words.interval(assessment.prediction, METRIC) or _NONE,
            str(description.n),
            _duration(sum(result.seconds.values()) / max(1, len(result.seconds))),
        ]
    return [*cells, verdict_text(result)]


def _source(result: Result) -> str:
    mark = f"{_MARK} " if result.name in MEASURED_HERE else ""
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
                _cost_interval(prediction) if exists else _NONE,
                inside if exists else _NONE,
            ]
        )
    return {
        "rows": rows,
        "predicted": f"{predicted} {'lies' if predicted == 1 else 'lie'}",
        "in_band": sum(point.is_in_band for point in curve.points),
        "seeds": printing.plural(len(curve.means), "seed"),
    }


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
        "one_more": words.interval(curve.mean.prediction, METRIC),
        "verdict": curve.mean.verdict,
        "in_band": sum(point.is_in_band for point in curve.points),
    }


def _bug(bug: "Bug") -> dict[str, object]:
    return {
        "images": f"{bug.images:,}",
        "probabilities": " or ".join(f"{p:.7g}" for p in bug.probabilities_at_start),
        "loss": f"{bug.loss_at_start:.7f}",
        "ln_10": f"{math.log(10):.7f}",
        "gradient": f"{bug.gradient_at_start:g}",
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
        "largest_weight": f"{ending.largest_weight:g}",
        "test_loss": f"{ending.test_loss:.4f}",
        "tied": _classes(ending.tied),
        "ties": len(ending.tied),
        "entropy": f"{math.log(len(ending.tied)):.4f}" if ending.tied else _NONE,
        "predicted": _classes(ending.predicted),
        "right": ending.right,
    }


def _classes(classes: Sequence[int]) -> str:
    if len(classes) > 2 and classes[-1] - classes[0] == len(classes) - 1:
        return f"{classes[0]} to {classes[-1]}"
    return " and ".join(map(str, classes)) or "none"


def _provenance(provenance: Provenance, runs: int) -> str:
    machine = {key: printing.markdown(value) for key, value in provenance.machine.items()}
    where = ", ".join(machine[key] for key in ("cpu", "platform") if key in machine)
    unit = "core" if machine.get("cores") == "1" else "cores"
    cores = f", {machine['cores']} {unit}" if "cores" in machine else ""
    commits = ", ".join(printing.markdown(commit[:12]) for commit in provenance.commits)
    text = (
        f"{printing.plural(runs, 'run')}, code digest {provenance.code_digest}, "
        f"commit {commits or 'not recorded'}; {where or 'machine not recorded'}{cores}."
    )
    if provenance.trials == 1:
        text += (
            " 1 of them was a trial of a sweep, which shared the machine, so that it took longer."
        )
    elif provenance.trials:
        text += (
            f" {provenance.trials} of them were trials of a sweep, which shared the machine, "
            "so that they took longer."
        )
    return text


def _duration(seconds: float) -> str:
    if math.isnan(seconds):
        return _NONE
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d} min"
