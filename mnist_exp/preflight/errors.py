"""The mistakes of a caller that leave preflight nothing to check."""


class PreflightError(ValueError):
    """What was given cannot be checked; the text says what was expected."""
