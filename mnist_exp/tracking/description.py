"""What the MLflow UI shows of a run or a study: a description in Markdown, and columns."""

import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mnist_exp.config.group_schemas import EntropyConfig
from mnist_exp.config.own_functions import own_functions
from mnist_exp.config.schema import Config
from mnist_exp.config.settings import Settings
from mnist_exp.config.used_settings import takes_init
from mnist_exp.outside.printing import code, listed, shell
from mnist_exp.outside.printing import markdown as as_markdown
from mnist_exp.own_code import session
from mnist_exp.own_code.code import FOLDER
from mnist_exp.tracking.form_words import in_words
from mnist_exp.tracking.job import Job
from mnist_exp.training.results import EpochResult, best_epoch, final_test

if TYPE_CHECKING:
    from mnist_exp.preflight.report import Finding


def markdown(
    job: Job,
    run_id: str,
    findings: "Sequence[Finding] | None" = None,
    epochs: Sequence[EpochResult] = (),
    conclusion: str = "",
) -> str:
    """Return a run's description: what it is, what came out, and how to repeat it.

    `findings` are preflight's: None if it did not run now, because it was off or the run goes on
    from a checkpoint. `epochs` is empty before the run has ended. `conclusion` is a sentence on
    what the result means.
    """
    # The UI shows the first lines, and the rest on a click.
    first = (
        f"**{as_markdown(job.variant)}**, seed {job.settings.config.seed}: {_accuracy(job, epochs)}"
    )
    parts = [
        first,
        as_markdown(conclusion),
        _data(job),
        _settings_in_a_line(job.settings),
        _own_code(job),
        _changes(job),
        _costs(job, epochs),
        _preflight(job.settings.config, findings),
        _repetition(job, run_id),
    ]
    return "\n\n".join(part for part in parts if part)


def _data(job: Job) -> str:
    """Return what the images are, of other data than digits."""
    form = job.dataset.form
    return "" if form.is_digits else f"Data: {as_markdown(in_words(form))}."


def _repetition(job: Job, run_id: str) -> str:
    """Return how the run is repeated, or why it cannot be."""
    if note := session.note(job.settings.config.to_dict(), job.own.model):
        return as_markdown(note, 1000)
    command = code(f"python -m mnist_exp.rerun {shlex.quote(run_id)}")
    return f"Train it again and compare: {command}"


def columns(job: Job, epochs: Sequence[EpochResult] = ()) -> dict[str, str]:
    """Return tags for the columns of the runs table, beside `variant` and `seed`."""
    tags = {"result": "none yet", "changes": " ".join(job.changes) or "none"}
    if job.settings.config.preflight == "off":
        tags["preflight"] = "off"
    if epochs:
        claim = None if job.reference is None else job.reference.test_accuracy
        tutorial = "" if claim is None else f" (tutorial {claim:g})"
        if job.is_scored_on_train:
            tutorial = " (on its training images)"
        tags["result"] = f"{final_test(epochs).accuracy:.4f}{tutorial}"
    return tags


def _accuracy(job: Job, epochs: Sequence[EpochResult]) -> str:
    if not epochs:
        return "the result will be here when the run has ended."
    claim = None if job.reference is None else job.reference.test_accuracy
    tutorial = "" if claim is None else f", the tutorial's is {claim:g}"
    if job.is_scored_on_train:
        return f"accuracy **{final_test(epochs).accuracy:.4f}** on its own training images."
    return f"test accuracy **{final_test(epochs).accuracy:.4f}**{tutorial}."


def _settings_in_a_line(settings: Settings) -> str:
    config = settings.config
    # A rerun has the choices that its run's record holds.
    model, init, optimizer = (
        code(settings.choices.get(group, "unknown")) for group in ("model", "init", "optimizer")
    )
    loss = f"{config.loss.kind.replace('_', ' ')}, {config.loss.reduction} over the batch"
    if isinstance(config.loss, EntropyConfig) and config.loss.from_probabilities:
        loss += ", log(softmax) taken literally"
    if takes_init(config.model):
        model = f"{model}, initial values {init}"
    return (
        f"Model {model}; {loss}; "
        f"{optimizer} at {config.optimizer.learning_rate:g}, {_schedule(config)}."
    )


def _own_code(job: Job) -> str:
    """Return which functions of the user's own the run used, and where their source is."""
    functions = own_functions(job.settings.config, job.own)
    if not functions or job.own.code is None:
        return ""
    used = listed([code(f"{function.setting}={function.name}") for function in functions])
    return (
        f"Code of your own: {used}, digest {code(job.own.code.digest)}; its source is in the "
        f"artifacts {code(f'{FOLDER}/')}."
    )


def _schedule(config: Config) -> str:
    schedule = config.schedule
    limits = {"epochs": schedule.epochs, "steps": schedule.max_steps}
    lengths = [f"{count:,} {unit}" for unit, count in limits.items() if count is not None]
    rate = "" if schedule.kind == "constant" else f", {schedule.kind.replace('_', ' ')} rate"
    return f"{' or '.join(lengths)} of batches of {schedule.batch_size}{rate}"


def _changes(job: Job) -> str:
    """Return how the run differs from its tutorial's, or from the defaults."""
    origin, source = "the defaults", ""
    if job.reference is not None:
        origin = "the tutorial's run"
        source = f" (claims: {as_markdown(job.reference.source)})"
    if not job.changes:
        return f"Settings: those of {origin}{source}."
    return f"Differs from {origin}{source} in {' '.join(map(code, job.changes))}."


def _costs(job: Job, epochs: Sequence[EpochResult]) -> str:
    """Return the results that the first line leaves out."""
    if not epochs:
        return ""
    last, best = epochs[-1], best_epoch(list(epochs))
    claim = None if job.reference is None else job.reference.cost_of(last.epoch)
    tutorial = "" if claim is None else f", the tutorial's is {claim:.6f}"
    better = ""
    if best.epoch != last.epoch:
        better = f", the best {best.val.accuracy:.4f} in epoch {best.epoch}"
    lines = [f"training cost of the last epoch {last.cost:.6f}{tutorial}"]
    if not job.is_scored_on_train:
        lines.append(f"validation accuracy {last.val.accuracy:.4f}{better}")
    return _list(lines)


def _preflight(config: Config, findings: "Sequence[Finding] | None") -> str:
    if findings is None:
        is_off = config.preflight == "off"
        return f"Preflight: {'off' if is_off else 'before the first step, see `preflight.json`'}."
    if not findings:
        return "Preflight: nothing found."
    lines = [f"{finding.severity} **{finding.code}**: {finding.message}" for finding in findings]
    return f"Preflight:\n\n{_list(lines)}"


def study(
    name: str,
    space: Mapping[str, str],
    ended: Mapping[str, int],
    best: str,
    params: Mapping[str, object],
    pages: Mapping[str, str],
) -> str:
    """Return a study's description.

    Args:
        name: The study's name.
        space: What is searched where, by setting.
        ended: The number of trials by how they ended.
        best: The values of the best settings, empty while no trial is complete.
        params: The best settings.
        pages: The summary of each page below the artifact folder `study`, by its file's name.
    """
    counts = ", ".join(f"{count} {state.lower()}" for state, count in ended.items() if count)
    parts = [f"**Study {as_markdown(name)}**: {counts or 'no trial has ended'}."]
    if best:
        parts.append(f"Best: {best}\n\n{_settings(params)}")
    for page, summary in pages.items():
        parts.append(f"{as_markdown(summary, 2000)} The page: artifact `study/{page}`.")
    command = code(f"python -m mnist_exp.compare --study {shell(name)}")
    parts += [f"What the study sets:\n\n{_settings(space)}", f"Compare its trials: {command}"]
    return "\n\n".join(parts)


def _settings(values: Mapping[str, object]) -> str:
    return _list([f"{code(key)}: {code(value)}" for key, value in values.items()])


def _list(lines: Sequence[str]) -> str:
    """Return a list and not a table: MLflow draws tables without room between the columns."""
    return "\n".join(f"- {line}" for line in lines)
