"""Draw the shapes of the page as SVG. Colours are CSS classes: s0 to s7 set `color`."""

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup, escape

from mnist_exp.compare.scales import Scale

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


def element(tag: str, *content: str, **attributes: object) -> Markup:
    """Return an element; attributes and content are escaped, but for content that is Markup.

    `class_="dot"` is the attribute class, `text_anchor="end"` is text-anchor.
    """
    names = {name: name.rstrip("_").replace("_", "-") for name in attributes}
    start = tag + "".join(f' {names[name]}="{escape(at)}"' for name, at in attributes.items())
    inner = "".join(map(escape, content))
    return Markup(f"<{start}>{inner}</{tag}>" if content else f"<{start}/>")


def line(class_: str, *, x: tuple[object, object], y: tuple[object, object]) -> Markup:
    """Return a straight line from (x[0], y[0]) to (x[1], y[1])."""
    return element("line", class_=class_, x1=x[0], x2=x[1], y1=y[0], y2=y[1])


def dot(x: object, y: object, title: str, radius: float = 4) -> Markup:
    """Return a dot whose title shows when the mouse is over it."""
    return element("circle", element("title", title), class_="dot", cx=x, cy=y, r=f"{radius:g}")


def marker(series: int, x: float, y: float, title: str = "") -> Markup:
    """Return the marker of a series, 0 to 7, at a position."""
    content = [element("title", title)] if title else []
    position = f"translate({x:.1f},{y:.1f})"
    return element("path", *content, class_="mark", d=_MARKERS[series % 8], transform=position)


def swatch(series: int) -> Markup:
    """Return a legend's line and marker."""
    return element(
        "svg",
        element("line", class_="line", x1=1, x2=33, y1=7, y2=7, stroke_dasharray=DASHES[series]),
        marker(series, 17, 7),
        class_=f"swatch s{series}",
        viewBox="0 0 34 14",
        aria_hidden="true",
    )


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Axes of a fixed shape that grows with its column; text is the page's, larger on a phone."""

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
        """Return the position of a value: from the left, from the top."""
        return (
            self.left + self.x.at(x) * (self.width - self.left - self.right),
            self.height - self.bottom - self.y.at(y) * (self.height - self.top - self.bottom),
        )

    def draw(self, content: Iterable[Markup], description: str, *, whole_x: bool = False) -> Markup:
        """Return the chart; with `whole_x` only whole numbers are on the x axis."""
        foot, end = self.height - self.bottom, self.width - self.right
        middle = f"{(self.left + end) / 2:.0f}"
        label = element(
            "text", self.x_label, class_="label", x=middle, y=self.height - 8, text_anchor="middle"
        )
        return element(
            "svg",
            *self._y_ticks(end),
            *self._x_ticks(foot, whole_x),
            line("axis", x=(self.left, end), y=(foot, foot)),
            label,
            *content,
            class_="chart",
            viewBox=f"0 0 {self.width} {self.height}",
            role="img",
            aria_label=description,
        )

    def _y_ticks(self, end: int) -> Iterable[Markup]:
        for value, text in self.y.ticks():
            y = f"{self.point(self.x.low, value)[1]:.1f}"
            yield line("grid", x=(self.left, end), y=(y, y))
            yield element(
                "text", text, class_="tick", x=self.left - 8, y=y, dy=".35em", text_anchor="end"
            )

    def _x_ticks(self, foot: int, whole: bool) -> Iterable[Markup]:
        for value, text in self.x.ticks():
            if whole and abs(value - round(value)) > 1e-9:
                continue
            x = f"{self.point(value, self.y.low)[0]:.1f}"
            text = str(round(value)) if whole else text
            yield line("axis", x=(x, x), y=(foot, foot + 5))
            yield element("text", text, class_="tick", x=x, y=foot + 20, text_anchor="middle")


def strip(content: Iterable[str], scale: Scale, height: int, *, zero: bool = False) -> Markup:
    """Return one row as wide as there is room, with a grid, and a line at `zero` if asked for.

    Positions are in percent, so that dots stay round and text keeps its size.
    """
    values = [("grid", value) for value, _ in scale.ticks(4)] + [("zero", 0.0)] * zero
    grid = [
        line(class_, x=(x, x), y=("0", "100%"))
        for class_, value in values
        for x in [percent(scale, value)]
    ]
    if scale.cut is not None:
        grid.append(_break(percent(scale, scale.cut[0])))
    shifted = element("g", *content, transform=f"translate(0,{-height / 2:g})")
    inner = element("svg", shifted, y="50%", overflow="visible")
    return _strip([*grid, inner], height)


def _break(x: str) -> Markup:
    """Return two broken lines with nothing between them: the axis goes on elsewhere."""
    lines = [line("break", x=(side, side), y=(0, "100%")) for side in (-4, 4)]
    gap = element("rect", class_="gap", x=-4, y=0, width=8, height="100%")
    return element("svg", gap, *lines, x=x, overflow="visible")


def strip_axis(scale: Scale) -> Markup:
    """Return the numbers below the rows that are drawn on this scale."""
    texts = []
    for value, text in scale.ticks(4):
        at = scale.at(value)
        anchor = "start" if at < 0.04 else "end" if at > 0.96 else "middle"
        x = percent(scale, value)
        texts.append(element("text", text, class_="tick", x=x, y=14, text_anchor=anchor))
    return _strip(texts, 20)


def _strip(content: Iterable[Markup], height: int) -> Markup:
    picture = element("svg", *content, role="presentation")
    return element("div", picture, class_="strip", style=f"min-height:{height}px")


def percent(scale: Scale, value: float) -> str:
    """Return where a value lies on a strip."""
    return f"{100 * scale.at(value):.2f}%"
