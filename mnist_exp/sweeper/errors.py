"""The error of a sweep that cannot start or must stop; Hydra shows it without a traceback."""

from hydra.errors import CompactHydraException


class SweepError(CompactHydraException):
    """Names the setting, the value found and what was expected."""
