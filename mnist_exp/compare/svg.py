"""Scales and the few shapes the page is drawn with, as SVG text. Colours are CSS classes: s0 to s7 set `color`."""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

_SMALLEST_ERROR = (
    0.5 / 10_000
)  # half a test image: where an accuracy of 1 is drawn on the error scale
_SMALLEST_LOG = 1e-30  # less is drawn there
_ACCURACIES = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 1.0)
_MARKERS = (
    "M-4,0A4,4 0 1,0 4,0A4,4 0 1,0 -4,0Z",
    "M-3.6,-3.6H3.6V3.6H-3.6Z",
    "M0,-4.8L4.4,3.4H-4.4Z",
    "M0,-5L5,0L0,5L-5,0Z",
    "M0,4.8L4.4,-3.4H-4.4Z",
    "M-1.4,-4.6H1.4V-1.4H4.6V1.4H1.4V4.6H-1.4V1.4H-4.6V-1.4H-1.4Z",
    "M-4.4,-1.6L0,-4.8L4.4,-1.6L2.7,3.8H-2.7Z",
    "M-4.6,-2H4.6V2H-4.6Z",
)
DASHES = ("", "", "8 4", "2 3", "10 3 2 3", "5 3", "14 4", "1 4")


@dataclass(frozen=True)
class Scale:
    """From data to a fraction of the axis.

    `kind`: linear; log; error, which is the log of 1 - accuracy; asinh, linear within `unit` of zero and log beyond.
    """

    low: float
    high: float
    kind: str = "linear"
    unit: float = 1.0

    def at(self, value: float) -> float:
        """0 is the low end, 1 the high one."""
        low, high = self._turn(self.low), self._turn(self.high)
        return (self._turn(value) - low) / (high - low) if high > low else 0.5

    def _turn(self, value: float) -> float:
        if self.kind == "log":
            return math.log10(max(value, self.low))
        if self.kind == "error":
            return -math.log10(max(1 - value, _SMALLEST_ERROR))
        return math.asinh(value / self.unit) if self.kind == "asinh" else value

    def ticks(self, most: int = 6) -> list[tuple[float, str]]:
        """(value, text), never so near that texts would touch."""
        if self.kind == "error":
            candidates = [a for a in _ACCURACIES if self.low <= a <= self.high]
            candidates = _apart(candidates[::-1], self, 0.6 / most)[::-1]  # the good ones matter
            if len(candidates) > 1:
                return [(a, f"{a:g}") for a in candidates]
        if self.kind == "asinh":
            return self._ticks_from_zero(0.6 / most)
        if self.kind == "log":
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            for digits in ((1,), (1, 3), (1, 2, 5)):
                found = [
                    d * 10.0**e
                    for e in decades
                    for d in digits
                    if self.low <= d * 10.0**e <= self.high
                ]
                found = _apart(found, self, 0.6 / most)
                if len(found) > 2:
                    return [(v, f"{v:g}") for v in found]
        return _linear_ticks(self.low, self.high, most)

    def _ticks_from_zero(self, gap: float) -> list[tuple[float, str]]:
        """Zero, and powers of ten as far apart as can be read, the largest first."""
        largest = max(abs(self.low), abs(self.high))
        powers = [
            10.0**e
            for e in range(
                math.floor(math.log10(largest)), math.floor(math.log10(self.unit)) - 1, -1
            )
        ]
        kept = [0.0]
        for value in [sign * power for power in powers for sign in (1, -1)]:
            if self.low <= value <= self.high and all(
                abs(self.at(value) - self.at(k)) >= gap for k in kept
            ):
                kept.append(value)
        return [(v, f"{v:+g}".replace("-", "\N{MINUS SIGN}") if v else "0") for v in sorted(kept)]


def _apart(values: Sequence[float], scale: Scale, gap: float) -> list[float]:
    kept: list[float] = []
    for value in values:
        if not kept or abs(scale.at(value) - scale.at(kept[-1])) >= gap:
            kept.append(value)
    return kept


def _linear_ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    if not high > low:
        return [(low, f"{low:.4g}")]
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.9999)
    decimals = max(
        0, -math.floor(math.log10(step) + 1e-9) + (1 if abs(step / power - 2.5) < 1e-9 else 0)
    )
    first = math.ceil(low / step - 1e-9)
    values = [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]
    texts = [
        f"{0.0 if abs(v) < step / 2 else v:.{min(decimals, 8)}f}".replace("-", "\N{MINUS SIGN}")
        for v in values
    ]
    return list(zip(values, texts, strict=True))


def scale_of(
    values: Sequence[float], kind: str = "linear", pad: float = 0.06, with_zero: bool = False
) -> Scale:
    """A scale on which all values lie inside the ends; values that a log cannot have are left out."""
    kept = [v for v in values if math.isfinite(v) and (kind != "log" or v > 0)]
    low, high = (min(kept), max(kept)) if kept else (0.1, 1.0)
    if with_zero:
        low, high = min(low, 0.0), max(high, 0.0)
    if kind == "log":
        room = max(high / max(low, _SMALLEST_LOG), 1.5) ** pad
        return Scale(max(low, _SMALLEST_LOG) / room, high * room, kind)
    if kind == "error":
        one, other = max(1 - low, _SMALLEST_ERROR), max(1 - high, _SMALLEST_ERROR)
        room = max(one / other, 1.5) ** pad
        return Scale(1 - one * room, 1 - max(other / room, _SMALLEST_ERROR), kind)
    room = (high - low) * pad or max(abs(high) * 0.01, 1e-6)
    return Scale(low - room, high + room)


def difference_scale(means: Sequence[float], values: Sequence[float]) -> Scale:
    """With zero. Linear, unless some groups' differences are 30 times others': then asinh, which shows both."""
    sizes = [abs(mean) for mean in means if mean]
    linear = scale_of(values, with_zero=True)
    if not sizes or max(sizes) < 30 * min(sizes):
        return linear
    unit = max(min(sizes) / 2, max(sizes) / 10_000)
    low, high = (math.asinh(end / unit) for end in (linear.low, linear.high))
    room = 0.04 * (high - low)
    low, high = (
        min(low, math.asinh(min(values) / unit) - room),
        max(high, math.asinh(max(values) / unit) + room),
    )
    return Scale(unit * math.sinh(low), unit * math.sinh(high), "asinh", unit)


def accuracy_kind(values: Sequence[float], metric: str) -> str:
    """`error` where accuracies reach from poor to good: on a linear axis all good ones would be one point."""
    wide = (
        bool(values) and max(values) > 0.9 and max(values) - min(values) > 0.15 and max(values) <= 1
    )
    return "error" if metric.endswith("accuracy") and wide else "linear"


def marker(series: int, x: float, y: float, title: str = "") -> str:
    told = f"<title>{html.escape(title)}</title>" if title else ""
    return f'<path class="mark" d="{_MARKERS[series % 8]}" transform="translate({x:.1f},{y:.1f})">{told}</path>'


def swatch(series: int) -> str:
    """A legend's line and marker."""
    return (
        f'<svg class="swatch s{series}" viewBox="0 0 34 14" aria-hidden="true">'
        f'<line class="line" x1="1" x2="33" y1="7" y2="7" stroke-dasharray="{DASHES[series]}"/>{marker(series, 17, 7)}</svg>'
    )


@dataclass(frozen=True)
class Chart:
    """Axes of a fixed shape that grows with its column; text is the page's, and larger on a phone."""

    x: Scale
    y: Scale
    x_label: str
    width: int = 540
    height: int = 320
    left: int = 66
    right: int = 18
    top: int = 14
    bottom: int = 54

    def point(self, x: float, y: float) -> tuple[float, float]:
        return (
            self.left + self.x.at(x) * (self.width - self.left - self.right),
            self.height - self.bottom - self.y.at(y) * (self.height - self.top - self.bottom),
        )

    def draw(self, content: Sequence[str], description: str, whole_x: bool = False) -> str:
        """`whole_x`: only whole numbers on the x axis."""
        foot, end = self.height - self.bottom, self.width - self.right
        parts = []
        for value, text in self.y.ticks():
            _, y = self.point(self.x.low, value)
            parts.append(
                f'<line class="grid" x1="{self.left}" x2="{end}" y1="{y:.1f}" y2="{y:.1f}"/>'
            )
            parts.append(
                f'<text class="tick" x="{self.left - 8}" y="{y:.1f}" dy=".35em" text-anchor="end">{text}</text>'
            )
        for value, text in self.x.ticks():
            if whole_x and abs(value - round(value)) > 1e-9:
                continue
            x, _ = self.point(value, self.y.low)
            text = str(round(value)) if whole_x else text
            parts.append(
                f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{foot}" y2="{foot + 5}"/>'
            )
            parts.append(
                f'<text class="tick" x="{x:.1f}" y="{foot + 20}" text-anchor="middle">{text}</text>'
            )
        parts.append(f'<line class="axis" x1="{self.left}" x2="{end}" y1="{foot}" y2="{foot}"/>')
        middle = (self.left + end) / 2
        label = html.escape(self.x_label)
        parts.append(
            f'<text class="label" x="{middle:.0f}" y="{self.height - 8}" text-anchor="middle">{label}</text>'
        )
        return (
            f'<svg class="chart" viewBox="0 0 {self.width} {self.height}" role="img" '
            f'aria-label="{html.escape(description)}">{"".join(parts)}{"".join(content)}</svg>'
        )


def strip(content: Sequence[str], scale: Scale, height: int, zero: bool = False) -> str:
    """One row as wide as there is room: positions in percent, so that dots stay round and text keeps its size."""
    grid = [
        f'<line class="grid" x1="{percent(scale, v)}" x2="{percent(scale, v)}" y1="0" y2="100%"/>'
        for v, _ in scale.ticks(4)
    ]
    if zero:
        x = percent(scale, 0)
        grid.append(f'<line class="zero" x1="{x}" x2="{x}" y1="0" y2="100%"/>')
    inner = f'<svg y="50%" overflow="visible"><g transform="translate(0,{-height / 2:g})">{"".join(content)}</g></svg>'
    return f'<div class="strip" style="min-height:{height}px"><svg role="presentation">{"".join(grid)}{inner}</svg></div>'


def strip_axis(scale: Scale) -> str:
    texts = []
    for value, text in scale.ticks(4):
        at = scale.at(value)
        anchor = "start" if at < 0.04 else "end" if at > 0.96 else "middle"
        texts.append(
            f'<text class="tick" x="{percent(scale, value)}" y="14" text-anchor="{anchor}">{text}</text>'
        )
    return f'<div class="strip" style="min-height:20px"><svg role="presentation">{"".join(texts)}</svg></div>'


def percent(scale: Scale, value: float) -> str:
    return f"{100 * scale.at(value):.2f}%"
