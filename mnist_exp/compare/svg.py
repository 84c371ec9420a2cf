"""Draw the shapes of the page as SVG. Colours are CSS classes: s0 to s7 set `color`."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from markupsafe import Markup, escape

from mnist_exp.compare.scales import SMALLEST_ERROR, Scale

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


def line(
    class_: str, *, x: tuple[object, object], y: tuple[object, object], title: str = ""
) -> Markup:
    """Return a straight line from (x[0], y[0]) to (x[1], y[1]), with a title as `dot` has it."""
    content = [element("title", title)] if title else []
    return element("line", *content, class_=class_, x1=x[0], x2=x[1], y1=y[0], y2=y[1])


def dot(x: object, y: object, title: str, radius: float = 4) -> Markup:
    """Return a dot with a title, which the page shows where a pointer or the keyboard is."""
    return element("circle", element("title", title), class_="dot", cx=x, cy=y, r=f"{radius:g}")


def marker(series: int, x: object, y: object) -> Markup:
    """Return the marker of a series, 0 to 7, at a position."""
    path = element("path", class_="mark", d=_MARKERS[series % 8])
    return element("svg", path, x=x, y=y, overflow="visible")


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

    @property
    def size(self) -> tuple[int, int]:
        """Return the width and the height between the axes."""
        return self.width - self.left - self.right, self.height - self.top - self.bottom

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Return the position of a value between the axes: from the left, from the top."""
        width, height = self.size
        return self.x.at(x) * width, (1 - self.y.at(y)) * height

    def draw(self, content: Iterable[Markup], description: str, *, whole_x: bool = False) -> Markup:
        """Return the chart; with `whole_x` only whole numbers are on the x axis."""
        width, height = self.size
        place = {"x": self.left, "y": self.top, "width": width, "height": height}
        marks = element("g", *content, class_="marks")
        shape = {"viewBox": f"0 0 {width} {height}", "preserveAspectRatio": "none"}
        axes = [_zoomed("y", *self._y_ticks()), _zoomed("x", *self._x_ticks(whole_x))]
        axis = line("axis", x=(0, width), y=(height, height))
        label = element(
            *("text", self.x_label),
            class_="label",
            x=self.left + width / 2,
            y=self.height - 8,
            text_anchor="middle",
        )
        return element(
            "svg",
            element("rect", class_="ground", **place),
            element("svg", *axes, axis, **place, overflow="visible"),
            element("svg", _zoomed("xy", marks, **shape), **place, class_="area"),
            label,
            class_="chart",
            viewBox=f"0 0 {self.width} {self.height}",
            role="img",
            aria_label=description,
            data_x=_described(self.x, whole=whole_x),
            data_y=_described(self.y),
        )

    def _y_ticks(self) -> Iterable[Markup]:
        for value, text in self.y.ticks():
            number = element("text", text, class_="tick", x=-8, dy=".35em", text_anchor="end")
            grid = line("grid", x=(0, "100%"), y=(0, 0))
            yield _tick("y", 1 - self.y.at(value), grid, number)

    def _x_ticks(self, whole: bool) -> Iterable[Markup]:
        height = self.size[1]
        for value, text in self.x.ticks():
            if whole and abs(value - round(value)) > 1e-9:
                continue
            text = str(round(value)) if whole else text
            number = element("text", text, class_="tick", y=height + 20, text_anchor="middle")
            mark = line("axis", x=(0, 0), y=(height, height + 5))
            yield _tick("x", self.x.at(value), mark, number)


def _zoomed(along: str, *content: Markup, **attributes: object) -> Markup:
    """Return content that the page's script stretches along an axis, or both: `x`, `y`, `xy`."""
    return element(
        "svg", *content, class_="zoomed", data_along=along, overflow="visible", **attributes
    )


def _tick(axis: str, at: float, *content: Markup) -> Markup:
    """Return what stands at a share `at` of an axis; the page's script copies it to others."""
    place = {axis: f"{100 * at:.4f}%"}
    return element("svg", *content, class_="at", overflow="visible", **place)


def _described(scale: Scale, *, whole: bool = False) -> str:
    """Return a scale for the page's script, which puts ticks on the part that is zoomed into."""
    return json.dumps(asdict(scale) | {"smallest_error": SMALLEST_ERROR, "whole": whole})


def strip(content: Iterable[str], scale: Scale, height: int, *, zero: bool = False) -> Markup:
    """Return one row as wide as there is room, with a grid, and a line at `zero` if asked for.

    Positions are in percent, so that dots stay round and text keeps its size.
    """
    grid = [
        _tick("x", scale.at(value), line("grid", x=(0, 0), y=(0, "100%")))
        for value, _ in scale.ticks(4)
    ]
    if zero:
        x = percent(scale, 0.0)
        grid.append(line("zero", x=(x, x), y=("0", "100%")))
    if scale.cut is not None:
        grid.append(_break(percent(scale, scale.cut[0])))
    shifted = element("g", *content, class_="marks", transform=f"translate(0,{-height / 2:g})")
    inner = element("svg", shifted, y="50%", overflow="visible")
    return _strip([_zoomed("x", *grid, inner)], height)


def _break(x: str) -> Markup:
    """Return two broken lines with nothing between them: the axis goes on elsewhere."""
    lines = [line("break", x=(side, side), y=(0, "100%")) for side in (-4, 4)]
    gap = element("rect", class_="gap", x=-4, y=0, width=8, height="100%")
    return element("svg", gap, *lines, x=x, overflow="visible")


def strip_axis(scale: Scale) -> Markup:
    """Return the numbers below the rows that are drawn on this scale."""
    ticks = []
    for value, text in scale.ticks(4):
        at = scale.at(value)
        anchor = "start" if at < 0.04 else "end" if at > 0.96 else "middle"
        number = element("text", text, class_="tick", y=14, text_anchor=anchor)
        ticks.append(_tick("x", at, number))
    return _strip([_zoomed("x", *ticks)], 20, data_x=_described(scale))


def _strip(content: Iterable[Markup], height: int, **attributes: object) -> Markup:
    picture = element("svg", *content, role="presentation")
    style = f"min-height:{height}px"
    return element("div", picture, class_="strip", style=style, **attributes)


def percent(scale: Scale, value: float) -> str:
    """Return where a value lies on a strip."""
    return f"{100 * scale.at(value):.4f}%"
