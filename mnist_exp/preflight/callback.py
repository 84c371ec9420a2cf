"""Check a program when its training begins, from inside `fit`."""

import sys
from typing import Any

import keras

from mnist_exp.preflight.checking import check
from mnist_exp.preflight.errors import PreflightError
from mnist_exp.preflight.report import PreflightReport

_SETTINGS = {
    "validation_data", "class_weight", "sample_weight", "batch_size", "budget_seconds", "seed"
}  # fmt: skip


class Preflight(keras.callbacks.Callback):  # type: ignore[misc]
    """A Keras callback that looks for mistakes before the first step of `fit`.

    report: what was found; None before a training, and where the program could not be checked.
    """

    report: PreflightReport | None = None

    def __init__(self, x: Any, y: Any = None, *, on_error: str = "warn", **given: Any) -> None:
        """Take what `fit` gets.

        Args:
            x: The inputs, as `fit` gets them, or a dataset.
            y: The labels; None for a dataset.
            on_error: "warn" writes what was found to the standard error and trains; "stop" raises
                PreflightError at an error, before any step.
            given: What `check` takes besides: validation_data, class_weight, sample_weight,
                batch_size, budget_seconds, seed. How many steps there are is known.

        Raises:
            PreflightError: on_error is neither, or `check` takes no such argument.
        """
        super().__init__()
        if on_error not in ("stop", "warn"):
            raise PreflightError(f'on_error must be "stop" or "warn", got {on_error!r}')
        if unknown := set(given) - _SETTINGS:
            raise PreflightError(f"Preflight takes no argument {min(unknown)}")
        self._x, self._y, self._on_error, self._given = x, y, on_error, given

    def on_train_begin(self, logs: Any = None) -> None:
        """Check the model with the optimizer and loss that it was compiled with."""
        self.report = None
        epochs, of_one = (self.params.get(name) for name in ("epochs", "steps"))
        steps = epochs * of_one if epochs and of_one else None
        try:
            self.report = check(self.model, self._x, self._y, **self._given | {"steps": steps})
        except PreflightError as error:
            if self._on_error == "stop":
                raise
            sys.stderr.write(f"preflight: the program is not checked: {error}\n")
            return
        if self._on_error == "stop" and self.report.errors:
            raise PreflightError(_stopped(self.report))
        if self.report.findings:
            sys.stderr.write(f"{self.report}\n")


def _stopped(report: PreflightReport) -> str:
    """Return the first error in two lines: what was found, and what to do."""
    first, *others = report.errors
    more = f" (also found: {', '.join(error.code for error in others)})" if others else ""
    return f"{first.code}: {first.message}{more}\n{first.advice}"
