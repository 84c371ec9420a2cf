"""Short wordings of values that stand in messages: a length of time, an error's reason."""

_ADVICE = "(raised as a result of Query-invoked autoflush"  # of SQLAlchemy, before the error


def duration(seconds: float) -> str:
    """Return a rounded length of time: `0.3 s`, `42 s`, `2:20 min` or, of hours, `1:02:03`."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d} min"


def first_line(error: object) -> str:
    """Return the first line of an error's text that tells of it, or its type if it has no text."""
    try:
        lines = [line for line in str(error).strip().splitlines() if not line.startswith(_ADVICE)]
    except Exception:  # noqa: BLE001  # an error whose own __str__ fails
        lines = []
    return lines[0] if lines else type(error).__name__
