"""Errors that a person can act on.

The commands answer them in one or two lines, without a traceback, with exit code 1.
"""

import difflib
import signal
import textwrap
from collections.abc import Iterable

from mnist_exp.outside.uris import masked
from mnist_exp.sweeper import wording


class UserError(Exception):
    """A mistake in the settings, the data or the environment.

    The message names it, its value, and what was expected.
    """

    def _render_traceback_(self) -> list[str]:
        """Return the lines that a notebook shows, by IPython's convention: no traceback."""
        lines = getattr(self, "user_traceback", "")  # of code of the user's own
        return [*filter(None, [lines]), f"{type(self).__name__}: {self}"]


class ConfigError(UserError):
    """A setting with a value the experiment cannot run with."""


class UnknownSetting(ConfigError):
    """A setting that does not exist. `key` is its name as it was typed, with dots."""

    def __init__(self, key: str, known: Iterable[str]) -> None:
        super().__init__(f"{key}: no such setting\nSettings: {', '.join(sorted(known))}")
        self.key = key


class DataError(UserError):
    """A data file that is missing, damaged or not what it should be."""


class RunIsGone(UserError):
    """The store does not have a run any more, or has it in its trash."""


class NonFiniteCost(UserError):
    """Training produced a NaN or infinite cost."""

    def __init__(self, cost: float, epoch: int, step: int) -> None:
        super().__init__(
            f"training stopped: the cost became {cost} in epoch {epoch}; the first batch with a "
            f"NaN or infinite cost came after step {step}. A smaller optimizer.learning_rate or "
            "loss.from_probabilities=false may help."
        )
        self.cost, self.epoch, self.step = cost, epoch, step


class PreflightFailed(UserError):
    """Preflight found an error, and the settings ask to stop then."""


class Killed(KeyboardInterrupt):
    """The process was asked to end, by SIGTERM or because its terminal was closed (SIGHUP).

    To whoever knows Ctrl-C it is the same: a trial of a sweep that was stopped so waits again.
    """

    def __init__(self, signum: int = signal.SIGTERM) -> None:
        super().__init__(f"received {signal.Signals(signum).name}")
        self.exit_code = 128 + signum


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, at most 300 characters and without passwords.

    For a server that cannot be reached it is the cause alone, because MLflow and urllib3 write the
    address three times before it.
    """
    text = wording.first_line(error)
    if "(Caused by " in text:
        text = text.partition("(Caused by ")[2].removesuffix(")")
    return masked(text)[:300]


def require_texts(call: str, **given: object) -> None:
    """Raise UserError for an argument of a Python call that is neither a text nor None."""
    for name, value in given.items():
        if not (value is None or isinstance(value, str)):
            found = textwrap.shorten(repr(value), 60, placeholder=" ...")
            raise UserError(f"{call}({name}=...): expected a text, found {found}")


def did_you_mean(name: str, options: Iterable[str]) -> str:
    """Return `; did you mean X?` for the nearest option, or an empty text if none is near."""
    near = difflib.get_close_matches(name, list(options), n=1, cutoff=0.5)
    return f"; did you mean {near[0]}?" if near else ""
