"""Map data to positions on an axis, and choose the ticks of it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mnist_exp.compare.statistics import is_share

SMALLEST_ERROR = 0.5 / 10_000  # half a test image: where the error scale has an accuracy of 1
_SMALLEST_LOG = 1e-30  # less is drawn there
_ACCURACIES = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 1.0)
_MINUS = "\N{MINUS SIGN}"
_ROUNDING = 1e-11  # of two numbers: nearer ones are one place on an axis
_SQUEEZED = 0.6  # of an axis without a value or an interval: the others lie in the rest
_MOST_TIMES = 30  # one difference is of another: beyond, a linear axis hides the smaller one
_APART = 0.6  # of the mean distance of the ticks that fit: nearer texts would touch

Tick = tuple[float, str]
Span = tuple[float, float]  # from the smallest to the largest value or end of an interval


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
    cut: Span | None = None  # what is left out of a linear axis, which is broken there

    def at(self, value: float) -> float:
        """Return where a value lies: 0 at the low end of the axis, 1 at the high one."""
        low, high = self._transform(self.low), self._transform(self.high)
        return (self._transform(value) - low) / (high - low) if high > low else 0.5

    def _transform(self, value: float) -> float:
        match self.kind:
            case ScaleKind.LOG:
                return math.log10(max(value, self.low))
            case ScaleKind.ERROR:
                return -math.log10(max(1 - value, SMALLEST_ERROR))
            case ScaleKind.ASINH:
                return math.asinh(value / self.unit)
        if self.cut is not None and value > self.cut[0]:
            return max(self.cut[0], value - (self.cut[1] - self.cut[0]))
        return value

    def ticks(self, most: int = 6) -> list[Tick]:
        """Return (value, text) of at most about `most` ticks, whose texts do not touch."""
        gap = _APART / most
        match self.kind:
            case ScaleKind.ERROR:
                values = [a for a in _ACCURACIES[::-1] if self.low <= a <= self.high]
                values = self._apart([*_ends(values), *values], gap)  # the good ones come first
                if len(values) > 1:
                    return [(accuracy, f"{accuracy:g}") for accuracy in sorted(values)]
            case ScaleKind.ASINH:
                return self._ticks_from_zero(gap)
            case ScaleKind.LOG:
                for digits in ((1,), (1, 3), (1, 2, 5)):
                    values = self._apart(self._round_numbers(digits), gap)
                    if len(values) > 2:
                        return [(value, f"{value:g}") for value in values]
        if self.cut is not None:
            return self._ticks_beside_the_cut(self.cut, most)
        return _linear_ticks(self.low, self.high, most)

    def _round_numbers(self, digits: Sequence[int]) -> list[float]:
        """Return these digits times the powers of ten, as far as they are on the axis."""
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        values = [digit * 10.0**power for power in range(first, last + 1) for digit in digits]
        return [value for value in values if self.low <= value <= self.high]

    def _ticks_from_zero(self, gap: float) -> list[Tick]:
        """Return zero, both ends, and powers of ten that are far enough apart, the largest first.

        No value lies beyond the outermost tick: `difference_scale` ends an axis at one.
        """
        ends = [end for end in (self.low, self.high) if abs(end) > self.unit]
        largest = math.floor(math.log10(max(abs(self.low), abs(self.high))))
        smallest = math.floor(math.log10(self.unit))
        powers = [10.0**exponent for exponent in range(largest, smallest - 1, -1)]
        values = [sign * power for power in powers for sign in (1, -1)]
        inside = (v for v in values if self.low <= v <= self.high)
        kept = self._apart([0.0, *ends, *inside], gap)
        return [(value, _with_sign(value)) for value in sorted(kept)]

    def _ticks_beside_the_cut(self, cut: Span, most: int) -> list[Tick]:
        """Return ticks on both sides of a broken axis, at least one on the shorter side."""
        left_out = cut[1] - cut[0]
        parts = sorted(
            [(self.low, cut[0]), (cut[1], self.high)], key=lambda part: part[1] - part[0]
        )
        step, decimals = _step(self.high - self.low - left_out, most)
        ticks = [
            tick
            for low, high in parts
            for tick in (_multiples(low, high, step, decimals) or [_roundest(low, high)])
        ]
        texts = dict(ticks)
        return [(value, texts[value]) for value in sorted(self._apart(texts, _APART / most))]

    def _apart(self, values: Iterable[float], gap: float) -> list[float]:
        """Return the values that are no nearer than `gap` to an earlier one that is kept."""
        kept: list[float] = []
        for value in values:
            if all(abs(self.at(value) - self.at(other)) >= gap for other in kept):
                kept.append(value)
        return kept


def _ends(values: Sequence[float]) -> list[float]:
    """Return the first and the last value, if there are any."""
    return [values[0], values[-1]] if values else []


def _with_sign(value: float) -> str:
    return plain(value, "+").replace("-", _MINUS) if value else "0"


def plain(value: float, sign: str = "-") -> str:
    """Return a number of few digits without an exponent: 0.00005, not 5e-05."""
    if not 1e-8 < abs(value) < 1e9:
        return f"{value:{sign}g}"
    return f"{value:{sign}.9f}".rstrip("0").rstrip(".")


def _linear_ticks(low: float, high: float, most: int) -> list[Tick]:
    """Return ticks at multiples of 1, 2, 2.5 or 5 times a power of ten."""
    if not high > low:
        return [(low, f"{low:.4g}")]
    return _multiples(low, high, *_step(high - low, most))


def _step(length: float, most: int) -> tuple[float, int]:
    """Return the distance of about `most` ticks on so long an axis, and the decimals of it."""
    rough = length / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.9999)
    half_digit = abs(step / power - 2.5) < 1e-9  # 2.5 has one decimal more than 2
    return step, min(8, max(0, half_digit - math.floor(math.log10(step) + 1e-9)))


def _multiples(low: float, high: float, step: float, decimals: int) -> list[Tick]:
    """Return a tick at each multiple of the step from `low` to `high`."""
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    values = [i * step for i in range(first, last + 1)]
    texts = [f"{0.0 if abs(v) < step / 2 else v:.{decimals}f}" for v in values]
    return [(v, text.replace("-", _MINUS)) for v, text in zip(values, texts, strict=True)]


def _roundest(low: float, high: float) -> Tick:
    """Return a tick from `low` to `high` with as few digits as possible."""
    most = max(1, math.ceil(high - low))
    while True:
        step, decimals = _step(high - low, most)
        if ticks := _multiples(low, high, step, decimals):
            return ticks[len(ticks) // 2]
        most += 1


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
        low, high = (min(1.0, max(0.0, end)) for end in (low, high))
        return Scale(
            low=max(accuracy for accuracy in _ACCURACIES if accuracy <= low),
            high=min(accuracy for accuracy in _ACCURACIES if accuracy >= high),
            kind=kind,
        )
    length = 0.0 if _are_same(low, high) else high - low
    room = length * pad or max(abs(high) * 0.01, 1e-6)
    return Scale(low=low - room, high=high + room)


def _are_same(low: float, high: float) -> bool:
    """Return whether two numbers differ by rounding alone, and so are one place on an axis."""
    return high - low <= _ROUNDING * max(abs(low), abs(high))


def value_scale(spans: Sequence[Span], metric: str) -> Scale:
    """Return a scale of each group's values and interval.

    One very bad group does not squeeze the others: then the axis is broken, or shows the logarithm
    of 1 - accuracy.
    """
    values = [end for span in spans for end in span]
    kind = accuracy_kind(values, metric)
    broken = _broken(spans) if kind is ScaleKind.LINEAR else None
    return scale_of(values, kind) if broken is None else broken


def difference_scale(means: Sequence[float], spans: Sequence[Span]) -> Scale:
    """Return a scale that contains zero and the differences and interval of each group.

    It is linear, and broken where one group would squeeze the others. It is asinh if even then the
    largest mean difference is 30 times the smallest.
    """
    linear = scale_of([end for span in spans for end in span], with_zero=True)
    broken = _broken([*spans, (0.0, 0.0)])
    if broken is not None and broken.cut is not None:
        start = broken.cut[0]
        beside_zero = [mean for mean in means if (mean > start) == (start < 0)]
        if not _differ_much(beside_zero):
            return broken
    if not _differ_much(means):
        return linear
    sizes = [abs(mean) for mean in means if mean]
    unit = max(min(sizes) / 2, max(sizes) / 10_000)
    low = -_asinh_end(max(-low for low, _ in spans), unit)
    high = _asinh_end(max(high for _, high in spans), unit)
    return Scale(low=low, high=high, kind=ScaleKind.ASINH, unit=unit)


def _differ_much(means: Sequence[float]) -> bool:
    """Return whether a linear axis would hide the smaller of these differences."""
    sizes = [abs(mean) for mean in means if mean]
    return bool(sizes) and max(sizes) >= _MOST_TIMES * min(sizes)


def _asinh_end(farthest: float, unit: float) -> float:
    """Return how far from zero an axis ends on a side: at a round number beyond all values.

    A side without values, whose `farthest` is not above zero, has a little room.
    """
    if farthest <= 0:
        return 0.5 * unit
    beyond = max(farthest, 3 * unit)
    power = 10.0 ** math.floor(math.log10(beyond))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= beyond * (1 - 1e-9))


def _broken(spans: Sequence[Span]) -> Scale | None:
    """Return a broken linear scale, or None if no gap between three or more spans is that large."""
    ordered = sorted(spans)
    reached, gaps = ordered[0][1], []
    for low, high in ordered:
        if low > reached:
            gaps.append((low - reached, reached, low))
        reached = max(reached, high)
    start, length = ordered[0][0], reached - ordered[0][0]
    is_short = len(spans) < 3 or not gaps or _are_same(start, reached)
    if is_short or max(gaps)[0] < _SQUEEZED * length:
        return None
    gap, end_below, start_above = max(gaps)
    room = max(0.08 * (length - gap), 0.001 * gap)
    return Scale(low=start - room, high=reached + room, cut=(end_below + room, start_above - room))


def accuracy_kind(values: Sequence[float], metric: str) -> ScaleKind:
    """Return ERROR for accuracies from poor to good: a linear axis would hide the good ones."""
    if not (values and is_share(metric) and 0.9 < max(values) <= 1):
        return ScaleKind.LINEAR
    return ScaleKind.ERROR if max(values) - min(values) > 0.15 else ScaleKind.LINEAR
