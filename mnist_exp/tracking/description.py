"""What a run or a study is, what came out and how to repeat it: the Markdown and the columns that the MLflow UI shows."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mnist_exp.config.schema import Config, ReferenceConfig
from mnist_exp.config.settings import Settings
from mnist_exp.outside.printing import code, shell
from mnist_exp.outside.printing import markdown as markdown_of
from mnist_exp.training.results import EpochResult, best_epoch

if TYPE_CHECKING:
    from mnist_exp.preflight.report import Finding


@dataclass(frozen=True)
class Facts:
    """Of one run. `changes`: overrides that make it differ from its preset, or from the defaults without one.

    `findings` is None where preflight did not run now: it was off, or the run goes on from a checkpoint.
    `epochs` is empty before the run has ended.
    """

    run_id: str
    settings: Settings
    variant: str
    reference: ReferenceConfig | None
    changes: Sequence[str]
    findings: "Sequence[Finding] | None" = None
    epochs: Sequence[EpochResult] = ()


def markdown(facts: Facts) -> str:
    """A run's description."""
    config = facts.settings.config
    parts = [
        f"**{markdown_of(facts.variant)}**, seed {config.seed}: {_ended(facts)}",  # the UI shows the first lines, the rest on a click
        _in_a_line(facts.settings),
        _differs(facts),
        _result(facts),
        _preflight(facts),
        f"Train it again and compare: {code(f'python -m mnist_exp.rerun {shlex.quote(facts.run_id)}')}",
    ]
    return "\n\n".join(part for part in parts if part)


def columns(facts: Facts) -> dict[str, str]:
    """Tags that every run has, for the columns of the runs table beside `variant` and `seed`."""
    tags = {"changes": " ".join(facts.changes) or "none", "result": "none yet"}
    if facts.settings.config.preflight == "off":
        tags["preflight"] = "off"
    if facts.epochs:
        claim = None if facts.reference is None else facts.reference.test_accuracy
        said = "" if claim is None else f" (tutorial {claim:g})"
        tags["result"] = f"{facts.epochs[-1].test.accuracy:.4f}{said}"
    return tags


def _ended(facts: Facts) -> str:
    if not facts.epochs:
        return "the result will be here when the run has ended."
    claim = None if facts.reference is None else facts.reference.test_accuracy
    said = "" if claim is None else f", the tutorial's is {claim:g}"
    return f"test accuracy **{facts.epochs[-1].test.accuracy:.4f}**{said}."


def _in_a_line(settings: Settings) -> str:
    config = settings.config
    # A rerun has the choices that its run's record holds.
    model, init, optimizer = (
        code(settings.choices.get(g, "unknown")) for g in ("model", "init", "optimizer")
    )
    loss = f"{config.loss.kind.replace('_', ' ')}, {config.loss.reduction} over the batch"
    if config.loss.from_probabilities:
        loss += ", log(softmax) taken literally"
    return f"Model {model}, initial values {init}; {loss}; {optimizer} at {config.optimizer.learning_rate:g}, {_schedule(config)}."


def _schedule(config: Config) -> str:
    schedule = config.schedule
    lengths = [
        f"{count:,} {unit}"
        for count, unit in ((schedule.epochs, "epochs"), (schedule.max_steps, "steps"))
        if count is not None
    ]
    rate = "" if schedule.kind == "constant" else f", {schedule.kind.replace('_', ' ')} rate"
    return f"{' or '.join(lengths)} of batches of {schedule.batch_size}{rate}"


def _differs(facts: Facts) -> str:
    what = "the tutorial's run" if facts.reference is not None else "the defaults"
    source = "" if facts.reference is None else f" (claims: {markdown_of(facts.reference.source)})"
    if not facts.changes:
        return f"Settings: those of {what}{source}."
    changes = " ".join(map(code, facts.changes))
    return f"Differs from {what}{source} in {changes}."


def _result(facts: Facts) -> str:
    """What the first line leaves out."""
    if not facts.epochs:
        return ""
    last, best = facts.epochs[-1], best_epoch(list(facts.epochs))
    cost = None if facts.reference is None else facts.reference.cost_of(last.epoch)
    said = "" if cost is None else f", the tutorial's is {cost:.6f}"
    lines = [f"training cost of the last epoch {last.cost:.6f}{said}"]
    better = (
        f", the best {best.val.accuracy:.4f} in epoch {best.epoch}"
        if best.epoch != last.epoch
        else ""
    )
    lines.append(f"validation accuracy {last.val.accuracy:.4f}{better}")
    return _list(lines)


def _preflight(facts: Facts) -> str:
    if facts.findings is None:
        off = facts.settings.config.preflight == "off"
        return f"Preflight: {'off' if off else 'before the first step, see `preflight.json`'}."
    if not facts.findings:
        return "Preflight: nothing found."
    lines = [
        f"{finding.severity} **{finding.code}**: {finding.message}" for finding in facts.findings
    ]
    return f"Preflight:\n\n{_list(lines)}"


def study(
    name: str,
    space: Mapping[str, str],
    ended: Mapping[str, int],
    best: str,
    params: Mapping[str, object],
    summary: str,
) -> str:
    """A study's description. `space`: what is searched where; `ended`: trials by how they ended.

    `best` is empty while no trial is complete; `summary` is `compare`'s sentence, or empty.
    """
    counts = ", ".join(f"{count} {state.lower()}" for state, count in ended.items() if count)
    parts = [f"**Study {markdown_of(name)}**: {counts or 'no trial has ended'}."]
    if best:
        parts.append(
            f"Best: {best}\n\n{_list([f'{code(key)}: {code(value)}' for key, value in params.items()])}"
        )
    if summary:
        parts.append(f"{markdown_of(summary, 2000)} The page: artifact `study/compare.html`.")
    parts += [
        f"What the study sets:\n\n{_list([f'{code(key)}: {code(text)}' for key, text in space.items()])}",
        f"Compare its trials: {code(f'python -m mnist_exp.compare --study {shell(name)}')}",
    ]
    return "\n\n".join(parts)


def _list(lines: Sequence[str]) -> str:
    """Not a table: MLflow draws those without any room between the columns."""
    return "\n".join(f"- {line}" for line in lines)
