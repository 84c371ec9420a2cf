"""Values of messages in a form that a person reads at once."""


def duration(seconds: float) -> str:
    """Return a length of time, rounded: `0.3 s`, `42 s`, `2:20 min` or, from an hour on, `1:02:03`."""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d} min"
