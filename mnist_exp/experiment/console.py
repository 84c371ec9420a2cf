"""What a person sees while a run goes on: the start, a live bar or plain lines, and the summary."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from mnist_exp.config.groups import own_folder_flags
from mnist_exp.config.schema import ReferenceConfig
from mnist_exp.config.settings import Settings
from mnist_exp.experiment.conclusion import conclusion
from mnist_exp.experiment.screens import Screen, present_screen
from mnist_exp.outside.printing import command_line, plural, terminal_width
from mnist_exp.outside.uris import masked
from mnist_exp.own_code import session
from mnist_exp.sweeper.wording import duration
from mnist_exp.tracking.form_words import in_words
from mnist_exp.tracking.job import Job
from mnist_exp.training.results import EpochResult, LayerRow, Progress, best_epoch, final_test

if TYPE_CHECKING:
    from mnist_exp.preflight import PreflightReport
    from mnist_exp.tracking.links import Places


class Reporter:
    """Shows a run on a screen; a quiet one has only warnings, and how to go on.

    `in_python`: whether the commands to type are Python's, not the shell's.
    """

    def __init__(
        self, screen: Screen | None = None, *, quiet: bool = False, in_python: bool = False
    ) -> None:
        self._screen = present_screen() if screen is None else screen
        self._is_quiet, self._in_python = quiet, in_python
        self._last_accuracy_step = -1  # of the last batch accuracy printed
        self._is_scored_on_train = False  # instead of validation and test images
        self.run_id: str | None = None
        """The id of the run, as soon as there is one."""

    def start(self, job: Job, layers: list[LayerRow]) -> None:
        """Print the run's name, settings and data, and the layers of its model."""
        settings, data = job.settings, job.dataset
        choices = " ".join(f"{group}={name}" for group, name in settings.effective_choices)
        self._print(f"{job.run_name}: {choices} seed={settings.config.seed}")
        if settings.overrides:
            last = {text.partition("=")[0].lstrip("+"): text for text in settings.overrides}
            self._print(f"overrides: {' '.join(last.values())}")
        self._is_scored_on_train = job.is_scored_on_train
        images = f"{len(data.train):,} training, {len(data.val):,} validation, "
        images += plural(len(data.test), "test image")
        if job.is_scored_on_train:
            images = (
                f"{plural(len(data.train), 'training image')}, on which the model is also scored"
            )
        self._print(f"data: {data.source}; {images}")
        self._print("" if data.form.is_digits else f"{in_words(data.form)}\n")
        if note := session.note(settings.config.to_dict(), job.own.model):
            self._print(f"{note}\n")
        self._print(layer_text(layers))

    @property
    def teller(self) -> Callable[[str], None] | None:
        """What shows a passing line, such as what is being looked at; None for standard error."""
        return (lambda line: None) if self._is_quiet else self._screen.aside

    def preflight(self, report: "PreflightReport") -> None:
        """Print what preflight found."""
        self._print(f"{report.text(terminal_width())}\n")

    def resumed(self, run_id: str, progress: Progress) -> None:
        """Print where a run goes on."""
        epoch = max(progress.epoch, 1)
        self._print(f"Resuming run {run_id} at step {progress.step:,}, epoch {epoch}.")

    def interrupted(self, progress: Progress | None, settings: Settings) -> None:
        """Print where the last checkpoint is, and the command that goes on from it."""
        if progress is None:
            same = "call" if self._in_python else "command"
            self._screen.print(
                f"\nInterrupted before the first checkpoint; the same {same} starts anew."
            )
            return
        if not progress.step:
            where = "at step 0, before the first epoch"
        elif progress.evaluated:
            where = f"after epoch {progress.epoch}, at step {progress.step:,}"
        else:
            where = f"in epoch {progress.epoch}, at step {progress.step:,}"
        self._screen.print(
            f"\nInterrupted; a checkpoint of run {self.run_id} is saved {where}.\n"
            f"To go on: {self._way_on(settings)}"
        )

    def _way_on(self, settings: Settings) -> str:
        """Return what to type to go on with the run."""
        if given := session.named(settings.config.to_dict()):
            if given.keys() - session.GIVEN_AGAIN:
                return "not possible: Python gave the code to mnist_exp.run"
            return f'run(resume="{self.run_id}", data=...) with the same arrays'
        resumed = [f"resume={self.run_id}", *_store(settings)]
        if self._in_python:
            return f"run({resumed})"
        return command_line("python", "-m", "mnist_exp", *own_folder_flags(), *resumed)

    def warn(self, text: str) -> None:
        """Print a warning."""
        self._screen.print(f"warning: {text}")

    def training(self, total_steps: int) -> AbstractContextManager[None]:
        """Keep the live bar on the screen for the length of the block."""
        return nullcontext() if self._is_quiet else self._screen.bar(total_steps)

    def progress(self, progress: Progress, seconds_left: float) -> None:
        """Print the new batch accuracies, and move the bar."""
        for step, accuracy in progress.batch_accuracies:
            if step > self._last_accuracy_step:
                self._print(f"step {step}, training accuracy {accuracy:g}")
                self._last_accuracy_step = step
        if not self._is_quiet:
            self._screen.move(progress.step, lambda: _beside_bar(progress, seconds_left))

    def epoch(
        self, result: EpochResult, reference: ReferenceConfig | None, seconds_left: float
    ) -> None:
        """Print the blog post's own line, the tutorial's cost and the accuracies."""
        claim = _claimed_cost(reference, result.epoch)
        accuracies = f"validation {result.val.accuracy:.4f}"
        if self._is_scored_on_train:
            accuracies = f"accuracy on the training images {result.val.accuracy:.4f}"
        elif result.test is not None:
            accuracies += f"  test {result.test.accuracy:.4f}"
        self._print(
            f"Epoch: {result.epoch:04d} cost = {result.cost:.9f}"
            f"{f' (tutorial {claim})' if claim else ''}"
            f"  {accuracies}"
            f"  {result.images_per_second:,.0f} images/s  {duration(seconds_left)} left"
        )
        if not result.complete:
            images = plural(result.examples, "image")
            self._print(f"The last epoch ended at step {result.step}, after {images}.")

    def summary(self, job: Job, epochs: list[EpochResult]) -> None:
        """Print the run's results beside the tutorial's claims."""
        last, best, reference = epochs[-1], best_epoch(epochs), job.reference
        seconds = sum(result.seconds for result in epochs)
        steps = plural(last.step, "step")
        self._print(f"\n{job.run_name}: {steps}, {duration(seconds)} of training")
        rows = [
            ("", "this run", "reference" if reference else ""),
            ("test accuracy", f"{final_test(epochs).accuracy:.4f}", _claimed_accuracy(reference)),
            ("cost of the last epoch", f"{last.cost:.9f}", _claimed_cost(reference, last.epoch)),
            ("validation accuracy", f"{last.val.accuracy:.4f}", ""),
        ]
        if job.is_scored_on_train:
            rows[1:] = [("accuracy on the training images", rows[1][1], ""), rows[2]]
        elif best.epoch != last.epoch:
            name = f"best validation accuracy, epoch {best.epoch}"
            rows.append((name, f"{best.val.accuracy:.4f}", ""))
        width = max(len(name) for name, _, _ in rows)
        for name, measured, claim in rows:
            self._print(f"  {name:<{width}}  {measured:<12}  {claim}".rstrip())
        if sentence := conclusion(job, epochs):
            self._print(sentence)
        if reference is not None:
            self._print(f"reference: {reference.source}")
            if job.changes:
                self._print(f"This run differs from the tutorial's in: {' '.join(job.changes)}")

    def tracked(self, job: Job, run_id: str, places: "Places", *, has_model: bool) -> None:
        """Print where the run, and all runs beside it, can be seen, and how to try its model."""
        self._print(f"\nrun {run_id}\nto see it: {places.command}    then open {places.run}")
        self._print(f"all runs: {places.all_runs}")
        if has_model:
            is_digits = job.dataset.form.is_digits
            what = ("--draw",) if is_digits else ("--image", "FILE")
            predict = ("python", "-m", "mnist_exp.predict", *what, "--run", run_id)
            said = "draw a digit for it" if is_digits else "ask it about a picture"
            self._print(f"to {said}: {command_line(*predict, *_store(job.settings))}")

    def _print(self, text: str) -> None:
        if not self._is_quiet:
            self._screen.print(text)


def _beside_bar(progress: Progress, seconds_left: float) -> str:
    return (
        f"cost {progress.cost:.4f}  accuracy {progress.accuracy:.4f}  "
        f"{progress.images_per_second:,.0f} images/s  {duration(seconds_left)} left"
    )


def _store(settings: Settings) -> list[str]:
    """Return the setting that names the store, if the command line had it, without a password."""
    return [masked(text) for text in settings.overrides if text.startswith("tracking.uri=")]


def time_left(total_steps: int, first_step: int) -> Callable[[int], float]:
    """Return a function of the present step: the seconds until the last step, evaluation included.

    It counts on the time that the steps since `first_step`, at which the run is now, took.
    """
    started = time.perf_counter()

    def left(step: int) -> float:
        return (total_steps - step) * (time.perf_counter() - started) / max(step - first_step, 1)

    return left


def layer_text(layers: list[LayerRow]) -> str:
    """Return the layer table as plain text, with `?` for the batch as the tutorials have it."""
    rows = [("layer", "output shape", "parameters")]
    rows += [(row.name, _shape_text(row.shape), f"{row.parameters:,}") for row in layers]
    rows.append(("total", "", f"{sum(row.parameters for row in layers):,}"))
    width = max(10, *(len(name) + 2 for name, _, _ in rows))
    return "".join(
        f"  {name:<{width}}{shape:<20}{parameters:>12}\n" for name, shape, parameters in rows
    )


def _shape_text(shape: tuple[int, ...] | None) -> str:
    """Return the shape of a batch of outputs, "" if it is not known."""
    return "" if shape is None else f"(?, {', '.join(map(str, shape))})"


def _claimed_accuracy(reference: ReferenceConfig | None) -> str:
    """Return the test accuracy that the tutorial reports, or ""."""
    accuracy = None if reference is None else reference.test_accuracy
    return "" if accuracy is None else f"{accuracy:g}"


def _claimed_cost(reference: ReferenceConfig | None, epoch: int) -> str:
    """Return the cost that the tutorial reports for an epoch, or ""."""
    cost = None if reference is None else reference.cost_of(epoch)
    return "" if cost is None else f"{cost:.9f}"
