"""The mistakes of a caller that leave preflight nothing to check."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OWN, _STANDARD = Path(__file__).parent, Path(traceback.__file__).parent


class PreflightError(ValueError):
    """What was given cannot be checked; the text says what was expected."""


@contextmanager
def in_own_words(what_fails: str) -> Iterator[None]:
    """Turn what the caller's program raises into one short PreflightError.

    The exception itself, whose text is a library's, stays its cause.
    """
    try:
        yield
    except PreflightError:
        raise
    except Exception as error:
        raise PreflightError(f"{what_fails}: {raised(error)}") from error


def raised(error: Exception) -> str:
    """Return which exception it is, and the caller's own line that it came from, if any."""
    kind = type(error).__name__
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename)
        libraries = "site-packages" in path.parts or path.is_relative_to(_OWN)
        generated = path.name.startswith("__autograph_generated_file")
        if path.exists() and not (libraries or generated or path.is_relative_to(_STANDARD)):
            return f"{kind} in {path.name}, line {frame.lineno}"
    return kind
