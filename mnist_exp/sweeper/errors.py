"""The error of a sweep that cannot start or must stop, and what led to an error."""

from collections.abc import Iterator

from hydra.errors import CompactHydraException


class SweepError(CompactHydraException):
    """Names the setting, the value found and what was expected.

    Hydra shows it without a traceback.
    """


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield the error, then the one that led to it, and so on, each once."""
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in seen:
        seen.append(cause)
        yield cause
        cause = cause.__cause__ or cause.__context__
