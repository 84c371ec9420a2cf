"""Figures answer a pointer, a finger and the keyboard: values, groups that are hidden, zoom."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.fake_runs import FakeRuns
from mnist_exp.compare import page, svg
from mnist_exp.compare.comparison import compare
from mnist_exp.compare.question import Question
from mnist_exp.compare.scales import Scale, ScaleKind, scale_of, value_scale
from mnist_exp.compare.strips import StripRow, Strips, dots
from mnist_exp.outside import templates
from mnist_exp.tracking.runs import Selection, Store
from tests.support import browser

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = pytest.mark.browser
EPOCHS = 40
MEANS = {"mlp": 0.9, "cnn <b>": 0.98, "softmax": 0.1}


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of three groups of three seeds, one of which is far from the others."""
    folder = tmp_path_factory.mktemp("figures")
    fake_runs = FakeRuns(folder)
    for model, mean in MEANS.items():
        for seed in range(3):
            accuracies = [mean + seed / 1000 - (EPOCHS - epoch) / 1000 for epoch in range(EPOCHS)]
            costs = [1 / (1 + epoch) for epoch in range(EPOCHS)]
            fake_runs.add(seed, accuracies, costs=costs, settings={"model": model})
    store = Store(f"sqlite:///{folder}/mlflow.db")
    compared = compare(store, Selection(experiment="mnist_exp"), Question(baseline="model=mlp"))
    file = folder / "compare.html"
    file.write_text(page.render(compared, "2026-11-26 04:00"), encoding="utf-8")
    return file


@pytest.fixture
def opened(page_file: Path) -> "Iterator[Page]":
    with browser.page(touch=True) as shown:
        messages: list[str] = []
        shown.on("console", lambda message: messages.append(message.text))
        shown.on("pageerror", lambda error: messages.append(str(error)))
        shown.goto(page_file.as_uri())
        yield shown
        assert messages == []


def settled(opened: "Page") -> None:
    """Let the events of a scroll or resize come: a frame begins with them, and a hint goes away."""
    opened.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def middle(shape: "Locator") -> tuple[float, float]:
    shape.scroll_into_view_if_needed()
    settled(shape.page)
    box = shape.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(
    opened: "Page", shape: "Locator", start: tuple[float, float], end: tuple[float, float]
) -> None:
    """Drag between two places of a shape, given as shares of its width and height."""
    shape.scroll_into_view_if_needed()
    box = shape.bounding_box()
    assert box is not None
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    opened.mouse.move(*places[0])
    opened.mouse.down()
    opened.mouse.move(*places[1], steps=3)
    opened.mouse.up()


def numbers(figure: "Locator") -> list[str]:
    return figure.locator(".tick").all_text_contents()


def test_a_pointer_and_a_finger_read_a_mark(opened: "Page") -> None:
    tip = opened.locator(".tip")
    assert tip.is_hidden()
    opened.mouse.move(*middle(opened.locator("#seeds .row:first-child .dot").nth(1)))
    assert tip.inner_text().split("\n") == ["cnn <b>", "seed 1: 0.98"]
    assert opened.locator("#seeds title, .chart title").count() == 0  # no second hint beside ours
    opened.mouse.wheel(0, 40)
    tip.wait_for(state="hidden")
    opened.touchscreen.tap(*middle(opened.locator("#paired-differences .dot").last))
    assert tip.is_visible()
    assert re.fullmatch(r"softmax\nseed \d: -0.8", tip.inner_text())
    accuracy = opened.locator(".chart").nth(1)
    line = accuracy.locator("[data-group=softmax] polyline")
    line.scroll_into_view_if_needed()
    settled(opened)
    at = line.evaluate(
        "line => { const at = line.points[9].matrixTransform(line.getScreenCTM());"
        "return [at.x, at.y]; }"
    )
    opened.mouse.move(*at)
    assert tip.inner_text().split("\n") == ["softmax", "epoch 10: 0.07 (0.069 to 0.071)"]
    for width in (1280, 390):
        opened.set_viewport_size({"width": width, "height": 900})
        settled(opened)
        opened.mouse.move(*middle(opened.locator("#seeds .dot").first))
        box = tip.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width


def test_the_name_of_a_group_hides_it_in_all_figures(opened: "Page") -> None:
    seeds, curves = opened.locator("#seeds .rows"), opened.locator("#learning-curves .chart").nth(1)
    before = numbers(seeds), numbers(curves)
    name = opened.locator("button.toggle", has_text="softmax")
    assert [one.get_attribute("aria-pressed") for one in name.all()] == ["true"] * 3
    name.last.click()  # in the legend of the curves
    assert [one.get_attribute("aria-pressed") for one in name.all()] == ["false"] * 3
    assert seeds.locator(".row", has_text="softmax").locator(".dot").first.is_hidden()
    assert curves.locator("[data-group=softmax]").first.is_hidden()
    after = numbers(seeds), numbers(curves)
    assert all(float(text) > 0.8 for part in after for text in part if "." in text)
    name.first.focus()
    opened.keyboard.press("Enter")
    assert (numbers(seeds), numbers(curves)) == before
    opened.keyboard.press("Shift+Enter")
    shown = opened.locator("#seeds .row:not(.off):not(.foot) .name b").all_text_contents()
    assert [text.split()[0] for text in shown] == ["softmax"]
    opened.keyboard.press("Shift+Enter")
    assert (numbers(seeds), numbers(curves)) == before
    name.first.dblclick()
    assert opened.locator("#seeds .row.off").count() == 2
    assert all(float(text) < 0.2 for text in numbers(seeds))  # the axis still fits it


def test_a_group_of_equal_values_is_in_the_middle_of_its_axis(opened: "Page") -> None:
    """The differences of `softmax` are -0.8 with each seed; the axis has zero at its other end."""
    opened.locator("button.toggle", has_text="softmax").first.click(modifiers=["Shift"])
    costs = opened.locator("#learning-curves .chart").first
    area, line = costs.locator(".ground"), costs.locator("[data-group=softmax] polyline")
    whole, shown = area.bounding_box(), line.bounding_box()
    assert whole is not None
    assert shown is not None
    assert whole["y"] < shown["y"]
    assert shown["y"] + shown["height"] < whole["y"] + whole["height"]
    far, near = (
        middle(opened.locator("#paired-differences [data-group=softmax] .dot").first),
        middle(opened.locator("#paired-differences .row:not(.off):not(.foot) .zero")),
    )
    assert far[0] < near[0]


def test_a_button_let_go_elsewhere_ends_a_drag(opened: "Page") -> None:
    strip = opened.locator("#seeds .strip").first
    x, y = middle(strip)
    opened.mouse.move(x, y)
    send = "(one, [type, x, buttons]) => one.dispatchEvent(new PointerEvent(type, {bubbles: true, "
    send += "clientX: x, clientY: one.getBoundingClientRect().y + 5, button: 0, buttons}))"
    strip.evaluate(send, ["pointerdown", x, 1])
    strip.evaluate(send, ["pointermove", x + 200, 0])
    assert opened.locator(".selection").is_hidden()
    strip.evaluate(send, ["pointerup", x + 200, 0])
    assert opened.locator(".is-part").count() == 0


def test_dragging_and_keys_zoom_and_show_all_again(opened: "Page") -> None:
    curves = opened.locator("#learning-curves .chart").nth(1)
    before = numbers(curves)
    drag(opened, curves.locator(".ground"), (0.5, 0.0), (0.95, 0.2))
    x_numbers = [int(text) for text in numbers(curves) if text.isdigit()]
    assert min(x_numbers) >= 20
    marker = (
        "one => { const {width, height} = one.getBoundingClientRect(); return width / height; }"
    )
    assert opened.get_by_role("button", name="Show all: test/accuracy").is_visible()
    opened.mouse.dblclick(*middle(curves.locator(".ground")))
    assert numbers(curves) == before

    seeds = opened.locator("#seeds .rows")
    before = numbers(seeds)
    seeds.focus()
    spoken = opened.get_by_role("status")
    for key, said in (
        ("ArrowRight", "cnn <b>, seed 0: 0.979"),
        ("ArrowRight", "cnn <b>, seed 1: 0.98"),
        ("ArrowDown", "mlp, seed 2: 0.901"),
    ):
        opened.keyboard.press(key)
        assert spoken.inner_text() == said
    for _ in range(4):
        opened.keyboard.press("+")
    assert all(0.85 < float(text) < 0.95 for text in numbers(seeds))
    assert seeds.locator(".dot").first.evaluate(marker) == pytest.approx(1, abs=0.01)
    opened.keyboard.press("ArrowUp")  # out of what is shown, which follows
    assert spoken.inner_text().startswith("cnn <b>")
    assert opened.locator(".tip").is_visible()
    opened.keyboard.press("0")
    assert numbers(seeds) == before


def test_paper_has_no_buttons_and_no_hints(opened: "Page") -> None:
    opened.mouse.move(*middle(opened.locator("#seeds .dot").first))
    opened.emulate_media(media="print")
    for shape in (".tip", ".ring", ".tools >> nth=0"):
        assert opened.locator(shape).is_hidden()
    assert opened.locator("#seeds .dot").first.is_visible()


SCALES = {
    "linear": Scale(low=0.2, high=0.9),
    "broken": value_scale([(0.1, 0.11), (0.8, 0.82), (0.83, 0.84)], "width"),
    "error": scale_of([0.2, 0.9999], ScaleKind.ERROR),
    "log": scale_of([1e-5, 20.0], ScaleKind.LOG),
    "asinh": Scale(low=-1, high=0.02, kind=ScaleKind.ASINH, unit=0.0005),
}


def values_on(scale: Scale, count: int = 200) -> list[float]:
    """Values that are evenly far apart on the axis, found by bisection."""
    values = []
    for i in range(1, count):
        low, high = scale.low, scale.high
        for _ in range(60):
            halfway = (low + high) / 2
            low, high = (halfway, high) if scale.at(halfway) < i / count else (low, halfway)
        values.append(high)
    return values


@pytest.mark.slow
def test_the_numbers_of_a_zoomed_axis_stand_where_the_values_are(tmp_path: Path) -> None:
    """Of each kind of scale: no dot with a lower value is right of a number, nor the reverse."""
    rows = []
    for name, scale in SCALES.items():
        marks = dots(scale, [(value, f"{value!r}") for value in values_on(scale)])
        row = StripRow(
            color="s1", name=name, note="", number="", picture=svg.strip(marks, scale, 38)
        )
        rows.append(Strips(rows=(row,), axis=svg.strip_axis(scale)))
    source = (
        "{% extends 'compare/document.html' %}{% from 'compare/strips.html' import strip_rows %}"
    )
    source += "{% block body %}{% for one in all %}<figure><h3>{{ one.rows[0].name }}</h3>"
    source += "{{ strip_rows(one) }}</figure>{% endfor %}{% endblock %}"
    file = tmp_path / "scales.html"
    file.write_text(templates._environment().from_string(source).render(all=rows, title="scales"))
    with browser.page() as shown:
        shown.goto(file.as_uri())
        assert SCALES["broken"].cut is not None
        for name in SCALES:
            figure = shown.locator(
                "figure", has=shown.get_by_role("heading", name=name, exact=True)
            )
            figure.locator(".rows").focus()
            for keys in ("", "+", "+", "+ArrowRight"):
                for key in re.findall(r"\+|\w+", keys):
                    shown.keyboard.press(key)
                check(figure, name)


def check(figure: "Locator", name: str) -> None:
    """The texts of the ticks are right: each lies between the dots of the next values."""
    ticks = figure.locator(".foot .at").evaluate_all(
        """all => all.map(one => [one.textContent, one.getScreenCTM().e])"""
    )
    places = figure.evaluate(
        """figure => figures.find(one => one.host === figure).lines()[0].map(m => [m.text, m.x])"""
    )
    assert len(ticks) >= 2, name
    box = figure.locator(".foot .strip").bounding_box()
    assert box is not None
    assert all(box["x"] - 1 <= at <= box["x"] + box["width"] + 1 for _, at in ticks), name
    for text, at in ticks:
        value = float(text.replace("\N{MINUS SIGN}", "-"))
        for (low, left), (high, right) in pairwise(places):
            if float(low) <= value <= float(high):
                assert left - 0.5 <= at <= right + 0.5, (name, text)
