"""Round numbers at the ticks of matplotlib's axes, written as people write them: 0.36 and 20,000.

On its own, matplotlib puts 4 x 10^-1 at a short logarithmic axis, and 0.945 at one of epochs.
"""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from matplotlib.axis import Axis
from matplotlib.ticker import Formatter, LogLocator, MaxNLocator, NullFormatter

_STEPS = [1, 2, 2.5, 5, 10]
_MOST = 7  # ticks
_FEWEST = 3  # on a logarithmic axis
_LOG_DIGITS = ((1.0,), (1.0, 2.0, 5.0), (1.0, 2.0, 3.0, 5.0, 7.0))
_DIGITS = 6  # that count
_SMALLEST, _LARGEST = 1e-6, 1e9  # of a number without a power of ten
_MINUS = "\N{MINUS SIGN}"


def round_ticks(axis: Axis, *, whole: bool = False) -> None:
    """Let an axis have round ticks in plain decimals; with `whole` at whole numbers alone.

    Call it after the axis has got its scale, of which linear and logarithmic are known.
    """
    locator = MaxNLocator(_MOST, steps=_STEPS, integer=whole, min_n_ticks=1 if whole else 2)
    if axis.get_scale() == "log":
        locator = _LogTicks(_MOST, steps=_STEPS)
        axis.set_minor_formatter(NullFormatter())
    axis.set_major_locator(locator)
    axis.set_major_formatter(_PlainNumbers())


def plain_number(value: float) -> str:
    """Return `0.36` or `20,000`; only what is very small or very large has a power of ten."""
    text = f"{value:.{_DIGITS}g}"
    if not value or _SMALLEST <= abs(value) < _LARGEST:
        text = f"{Decimal(text).normalize():,f}"
    return text.replace("-", _MINUS)


class _PlainNumbers(Formatter):
    """Plain decimals; those at equal distances all have as many decimals as the longest."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        return plain_number(x)

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        texts = [plain_number(value) for value in values]
        gaps = np.diff(values)
        if len(gaps) and np.allclose(gaps, gaps[0]) and not any("e" in text for text in texts):
            decimals = max(len(text.partition(".")[2]) for text in texts)
            texts = [_with_decimals(text, decimals) for text in texts]
        return texts


def _with_decimals(text: str, count: int) -> str:
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals:0<{count}}" if count else whole


class _LogTicks(MaxNLocator):
    """Powers of ten; where these are few, some of their multiples; else multiples of a step."""

    def tick_values(self, vmin: float, vmax: float) -> Sequence[float]:
        for digits in _LOG_DIGITS:
            values = LogLocator(subs=digits, numticks=_MOST).tick_values(vmin, vmax)
            inside = [float(value) for value in values if vmin <= value <= vmax]
            if len(inside) >= _FEWEST:
                return inside
        return [value for value in super().tick_values(vmin, vmax) if value > 0]
