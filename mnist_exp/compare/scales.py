"""Map data to positions on an axis, and choose the ticks of it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mnist_exp.compare.statistics import is_share

_SMALLEST_ERROR = 0.5 / 10_000  # half a test image: where the error scale has an accuracy of 1
_SMALLEST_LOG = 1e-30  # less is drawn there
_ACCURACIES = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 1.0)
_MINUS = "\N{MINUS SIGN}"
_APART = 0.6  # of the mean distance of the ticks that fit: nearer texts would touch

Tick = tuple[float, str]


class ScaleKind(StrEnum):
    """How positions grow with the data."""

    LINEAR = "linear"
    LOG = "log"
    ERROR = "error"  # with the logarithm of 1 - accuracy
    ASINH = "asinh"  # linearly within `unit` of zero, logarithmically beyond


@dataclass(frozen=True, kw_only=True)
class Scale:
    """From data to a fraction of the axis."""

    low: float
    high: float
    kind: ScaleKind = ScaleKind.LINEAR
    unit: float = 1.0

    def at(self, value: float) -> float:
        """Return where a value lies: 0 at the low end of the axis, 1 at the high one."""
        low, high = self._transform(self.low), self._transform(self.high)
        return (self._transform(value) - low) / (high - low) if high > low else 0.5

    def _transform(self, value: float) -> float:
        match self.kind:
            case ScaleKind.LOG:
                return math.log10(max(value, self.low))
            case ScaleKind.ERROR:
                return -math.log10(max(1 - value, _SMALLEST_ERROR))
            case ScaleKind.ASINH:
                return math.asinh(value / self.unit)
        return value

    def ticks(self, most: int = 6) -> list[Tick]:
        """Return (value, text) of at most about `most` ticks, whose texts do not touch."""
        gap = _APART / most
        match self.kind:
            case ScaleKind.ERROR:
                values = [a for a in _ACCURACIES[::-1] if self.low <= a <= self.high]
                values = self._apart(values, gap)[::-1]  # the good ones are kept first
                if len(values) > 1:
                    return [(accuracy, f"{accuracy:g}") for accuracy in values]
            case ScaleKind.ASINH:
                return self._ticks_from_zero(gap)
            case ScaleKind.LOG:
                for digits in ((1,), (1, 3), (1, 2, 5)):
                    values = self._apart(self._round_numbers(digits), gap)
                    if len(values) > 2:
                        return [(value, f"{value:g}") for value in values]
        return _linear_ticks(self.low, self.high, most)

    def _round_numbers(self, digits: Sequence[int]) -> list[float]:
        """Return these digits times the powers of ten, as far as they are on the axis."""
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        values = [digit * 10.0**power for power in range(first, last + 1) for digit in digits]
        return [value for value in values if self.low <= value <= self.high]

    def _ticks_from_zero(self, gap: float) -> list[Tick]:
        """Return zero, and powers of ten that are far enough apart, the largest kept first."""
        largest = math.floor(math.log10(max(abs(self.low), abs(self.high))))
        smallest = math.floor(math.log10(self.unit))
        powers = [10.0**exponent for exponent in range(largest, smallest - 1, -1)]
        values = [sign * power for power in powers for sign in (1, -1)]
        kept = self._apart([0.0, *(v for v in values if self.low <= v <= self.high)], gap)
        return [
            (value, f"{value:+g}".replace("-", _MINUS) if value else "0") for value in sorted(kept)
        ]

    def _apart(self, values: Iterable[float], gap: float) -> list[float]:
        """Return the values that are no nearer than `gap` to an earlier one that is kept."""
        kept: list[float] = []
        for value in values:
            if all(abs(self.at(value) - self.at(other)) >= gap for other in kept):
                kept.append(value)
        return kept


def _linear_ticks(low: float, high: float, most: int) -> list[Tick]:
    """Return ticks at multiples of 1, 2, 2.5 or 5 times a power of ten."""
    if not high > low:
        return [(low, f"{low:.4g}")]
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.9999)
    half_digit = abs(step / power - 2.5) < 1e-9  # 2.5 has one decimal more than 2
    decimals = min(8, max(0, half_digit - math.floor(math.log10(step) + 1e-9)))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = [i * step for i in range(first, last + 1)]
    texts = [f"{0.0 if abs(v) < step / 2 else v:.{decimals}f}" for v in values]
    return [(v, text.replace("-", _MINUS)) for v, text in zip(values, texts, strict=True)]


def scale_of(
    values: Sequence[float],
    kind: ScaleKind = ScaleKind.LINEAR,
    *,
    pad: float = 0.06,
    with_zero: bool = False,
) -> Scale:
    """Return a scale on which all values lie inside the ends, a share `pad` of its length away.

    Values that a logarithm does not have are left out.
    """
    is_log = kind is ScaleKind.LOG
    kept = [v for v in values if math.isfinite(v) and (not is_log or v > 0)]
    low, high = (min(kept), max(kept)) if kept else (0.1, 1.0)
    if with_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if is_log:
        low = max(low, _SMALLEST_LOG)
        room = max(high / low, 1.5) ** pad
        return Scale(low=low / room, high=high * room, kind=kind)
    if kind is ScaleKind.ERROR:
        worst, best = max(1 - low, _SMALLEST_ERROR), max(1 - high, _SMALLEST_ERROR)
        room = max(worst / best, 1.5) ** pad
        return Scale(low=1 - worst * room, high=1 - max(best / room, _SMALLEST_ERROR), kind=kind)
    room = (high - low) * pad or max(abs(high) * 0.01, 1e-6)
    return Scale(low=low - room, high=high + room)


def difference_scale(means: Sequence[float], values: Sequence[float]) -> Scale:
    """Return a scale that contains zero and all values.

    It is linear, or asinh where the largest mean difference is 30 times the smallest: both can be
    seen then.
    """
    sizes = [abs(mean) for mean in means if mean]
    linear = scale_of(values, with_zero=True)
    if not sizes or max(sizes) < 30 * min(sizes):
        return linear
    unit = max(min(sizes) / 2, max(sizes) / 10_000)
    low, high = (math.asinh(end / unit) for end in (linear.low, linear.high))
    room = 0.04 * (high - low)
    low = min(low, math.asinh(min(values) / unit) - room)
    high = max(high, math.asinh(max(values) / unit) + room)
    return Scale(
        low=unit * math.sinh(low), high=unit * math.sinh(high), kind=ScaleKind.ASINH, unit=unit
    )


def accuracy_kind(values: Sequence[float], metric: str) -> ScaleKind:
    """Return ERROR for accuracies from poor to good: a linear axis would hide the good ones."""
    if not (values and is_share(metric) and 0.9 < max(values) <= 1):
        return ScaleKind.LINEAR
    return ScaleKind.ERROR if max(values) - min(values) > 0.15 else ScaleKind.LINEAR
