"""What a person sees while an experiment runs: the start, a live bar or plain lines, and the summary."""

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, Progress, TaskID, TextColumn

from mnist_exp.config.schema import ReferenceConfig
from mnist_exp.config.tree import Settings
from mnist_exp.data import Dataset
from mnist_exp.outside.printing import console
from mnist_exp.outside.uris import masked
from mnist_exp.sweeper.lasting_stream import LastingStream
from mnist_exp.sweeper.wording import duration
from mnist_exp.training.results import EpochResult, LayerRow, best_epoch
from mnist_exp.training.results import Progress as TrainingProgress

if TYPE_CHECKING:
    from mnist_exp.preflight import PreflightReport


class Reporter:
    """Prints to standard output; the bar is drawn on terminals alone, everything else always."""

    def __init__(self) -> None:
        output = LastingStream()
        # Files and pipes have no width; lines there are never cut or wrapped.
        self._console = console(file=output, width=None if output.isatty() else 200)
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._last_scored = -1  # step of the last batch accuracy printed
        self.run_id: str | None = None  # once there is a run

    def start(
        self, settings: Settings, run_name: str, data: Dataset, layers: list[LayerRow]
    ) -> None:
        choices = " ".join(
            f"{group}={option}" for group, option in sorted(settings.choices.items())
        )
        self._print(f"{run_name}: {choices} seed={settings.config.seed}")
        if settings.overrides:
            self._print(f"overrides: {' '.join(settings.overrides)}")
        self._print(
            f"data: {data.source}; {len(data.train):,} training, {len(data.val):,} validation, "
            f"{len(data.test):,} test images\n"
        )
        self._print(layer_text(layers))

    def preflight(self, report: "PreflightReport") -> None:
        self._print(f"{report}\n")

    def resumed(self, run_id: str, progress: TrainingProgress) -> None:
        self._print(
            f"Resuming run {run_id} at step {progress.step}, epoch {max(progress.epoch, 1)}."
        )

    def interrupted(
        self, run_id: str, progress: TrainingProgress | None, overrides: Sequence[str]
    ) -> None:
        """What a Ctrl-C leaves, by the last checkpoint, and the command that goes on with it."""
        if progress is None:
            self._print("\nInterrupted before the first checkpoint; the same command starts anew.")
            return
        if not progress.step:
            where = "at step 0, before the first epoch"
        elif progress.evaluated:
            where = f"after epoch {progress.epoch}, at step {progress.step}"
        else:
            where = f"in epoch {progress.epoch}, at step {progress.step}"
        own = [masked(text) for text in overrides if text.startswith("tracking.uri=")]
        command = shlex.join(["python", "-m", "mnist_exp", f"resume={run_id}", *own])
        self._print(f"\nInterrupted; run {run_id} is saved {where}. To go on: {command}")

    def warn(self, text: str) -> None:
        self._print(f"warning: {text}")

    @contextmanager
    def training(self, total_steps: int) -> Iterator[None]:
        """Keeps the live bar on the screen for the length of the block."""
        if not self._console.is_terminal:
            yield
            return
        columns = (
            BarColumn(bar_width=30),
            TextColumn("step {task.completed}/{task.total}  {task.description}"),
        )
        with Progress(*columns, console=self._console, transient=True) as self._bar:
            self._task = self._bar.add_task("", total=total_steps)
            try:
                yield
            finally:
                self._bar = None

    def progress(self, progress: TrainingProgress, seconds_left: float) -> None:
        for step, accuracy in progress.batch_accuracies:
            if step > self._last_scored:
                self._print(f"step {step}, training accuracy {accuracy:g}")
                self._last_scored = step
        if self._bar is not None:
            self._bar.update(
                self._task,
                completed=progress.step,
                description=f"cost {progress.cost:.4f}  accuracy {progress.accuracy:.4f}  "
                f"{progress.images_per_second:,.0f} images/s  {duration(seconds_left)} left",
            )

    def epoch(
        self, result: EpochResult, reference: ReferenceConfig | None, seconds_left: float
    ) -> None:
        """The blog post's own line, and what else is known."""
        said = _said_cost(reference, result.epoch)
        self._print(
            f"Epoch: {result.epoch:04d} cost = {result.cost:.9f}{f' (tutorial {said})' if said else ''}"
            f"  validation {result.val.accuracy:.4f}  test {result.test.accuracy:.4f}"
            f"  {result.images_per_second:,.0f} images/s  {duration(seconds_left)} left"
        )
        if not result.complete:
            self._print(
                f"The last epoch ended at step {result.step}, after {result.examples:,} images."
            )

    def summary(
        self,
        run_name: str,
        epochs: list[EpochResult],
        reference: ReferenceConfig | None,
        changes: list[str],
    ) -> None:
        last = epochs[-1]
        best = best_epoch(epochs)
        training = sum(result.seconds for result in epochs)
        self._print(f"\n{run_name}: {last.step:,} steps, {duration(training)} of training")
        rows = [("test accuracy", f"{last.test.accuracy:.4f}", _said_accuracy(reference))]
        rows.append(
            ("cost of the last epoch", f"{last.cost:.9f}", _said_cost(reference, last.epoch))
        )
        rows.append(("validation accuracy", f"{last.val.accuracy:.4f}", ""))
        if best.epoch != last.epoch:
            rows.append(
                (f"best validation accuracy, epoch {best.epoch}", f"{best.val.accuracy:.4f}", "")
            )
        width = max(len(name) for name, _, _ in rows)
        self._print(
            f"  {'':<{width}}  {'this run':<12}  {'tutorial said' if reference else ''}".rstrip()
        )
        for name, measured, said in rows:
            self._print(f"  {name:<{width}}  {measured:<12}  {said}".rstrip())
        if reference is not None:
            self._print(f"tutorial: {reference.source}")
            if changes:
                self._print(f"This run differs from the tutorial's in: {' '.join(changes)}")

    def tracked(self, run_id: str, ui_command: str, page: str) -> None:
        self._print(f"\nrun {run_id}\nto see it: {ui_command}    then open {page}")

    def _print(self, text: str) -> None:
        self._console.print(text, soft_wrap=True)


def layer_text(layers: list[LayerRow]) -> str:
    """The layer table as plain text, the shapes with `?` for the batch, as the tutorials print them."""
    rows = [("layer", "output shape", "parameters")]
    rows += [
        (row.name, f"(?, {', '.join(map(str, row.shape))})", f"{row.parameters:,}")
        for row in layers
    ]
    rows.append(("total", "", f"{sum(row.parameters for row in layers):,}"))
    return "".join(f"  {name:<10}{shape:<20}{parameters:>12}\n" for name, shape, parameters in rows)


def _said_accuracy(reference: ReferenceConfig | None) -> str:
    return (
        ""
        if reference is None or reference.test_accuracy is None
        else f"{reference.test_accuracy:g}"
    )


def _said_cost(reference: ReferenceConfig | None, epoch: int) -> str:
    said = None if reference is None else reference.cost_of(epoch)
    return "" if said is None else f"{said:.9f}"
