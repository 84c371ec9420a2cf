"""The page itself, in a real browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest

from mnist_exp import data, run
from mnist_exp.predict import drawing
from mnist_exp.predict.trained_models import Models
from tests.support import browser
from tests.support.pictures import dark_on_light, encoded, large
from tests.support.servers import served


@pytest.fixture
def page(server: drawing.Server) -> Iterator[Any]:
    """The page at a phone's width."""
    with opened(server, 390, touch=True) as page:
        yield page


@contextmanager
def opened(server: drawing.Server, width: int, *, touch: bool = False) -> Iterator[Any]:
    """The page with its cards; an error in its script or on its console fails the test."""
    errors: list[str] = []

    def note(message: Any) -> None:
        if message.type == "error" and "ERR_FAILED" not in message.text:  # a test causes that one
            errors.append(message.text)

    with browser.page(width, 844, touch=touch) as page:
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", note)
        page.goto(server.url)
        page.locator("article").first.wait_for()
        yield page
    assert errors == []


SEVEN = [(0.28, 0.22), (0.72, 0.22), (0.45, 0.8)]


def draw(page: Any, points: list[tuple[float, float]]) -> None:
    """Along these corners, as fractions of the drawing area, with the mouse."""
    box = page.locator("#pad").bounding_box()
    corners = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner, steps=8)
    page.mouse.up()


def answered(page: Any, digit: int | None = None) -> str:
    """Wait until the whole drawing is read, and return the words; perhaps both runs read a digit.

    A part of the drawing is read, too, and doubted.
    """
    page.locator("#runs[aria-busy=false]").wait_for()
    words: str = page.locator("#status").inner_text()
    if digit is not None:
        assert words == f"Both runs read a {digit}."
        assert page.locator(".digit").all_inner_texts() == [str(digit)] * 2
    return words


@pytest.mark.browser
def test_a_drawing_is_read_live_by_both_runs(page: Any) -> None:
    assert answered(page).startswith("Draw one digit")
    draw(page, SEVEN)
    answered(page, 7)
    assert page.locator("article li.top").count() == 2
    # It is sure by far: the words beside the bar do not say that it is certain.
    assert page.locator("article li").nth(7).locator("output").inner_text() == ">99.9%"
    assert page.locator(".doubted").count() == 0
    assert page.locator("h2").first.inner_text().split()[-2:] == ["latest", "best"]


@pytest.mark.browser
def test_no_answer_is_waited_for_before_it_is_there(page: Any) -> None:
    """Whoever reads the page aloud, and a test, is told while an answer is still to come."""
    asked = []
    page.route("**/classify", lambda route: asked.append(route))
    answered(page)
    draw(page, SEVEN)
    page.wait_for_function("() => document.querySelector('#runs').ariaBusy === 'true'")
    page.unroute("**/classify")
    while asked:
        asked.pop().continue_()
    answered(page, 7)


@pytest.mark.browser
def test_clear(page: Any) -> None:
    for how in (page.locator("#clear").click, lambda: page.keyboard.press("Escape")):
        draw(page, SEVEN)
        answered(page, 7)
        how()
        is_empty(page)


def is_empty(page: Any) -> None:
    assert answered(page).startswith("Draw one digit")
    assert set(page.locator(".digit").all_inner_texts()) == {""}
    assert page.locator("li.top").count() == 0
    pixels = "document.querySelector('#pad').getContext('2d').getImageData(0, 0, 300, 300).data"
    assert not page.evaluate(f"[...{pixels}].some(value => value)")
    assert page.locator("#undo").is_disabled()


@pytest.mark.first_cases(2)
@pytest.mark.browser
@pytest.mark.parametrize("by", ["the button", "Control+z", "Meta+z"])
def test_undo_takes_the_last_stroke_back(page: Any, by: str) -> None:
    draw(page, SEVEN)
    answered(page, 7)
    bars = page.locator("output").all_inner_texts()
    draw(page, [(0.2, 0.5), (0.8, 0.5)])
    answered(page)
    assert page.evaluate("strokes.length") == 2

    def undo() -> None:
        page.locator("#undo").tap() if by == "the button" else page.keyboard.press(by)

    undo()
    answered(page, 7)
    assert page.locator("output").all_inner_texts() == bars
    undo()
    is_empty(page)


@pytest.mark.browser
def test_a_picture_is_opened_or_dropped(page: Any, mnist: data.Dataset, tmp_path: Path) -> None:
    picture = tmp_path / "digit.png"
    picture.write_bytes(encoded(dark_on_light(large(mnist.test.images[0, :, :, 0]))))
    draw(page, [(0.2, 0.5), (0.8, 0.5)])
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Open a picture").click()
    chooser.value.set_files(picture)
    page.wait_for_function("() => picture !== null")
    answered(page, 7)
    draw(page, [(0.5, 0.2), (0.5, 0.8)])
    answered(page, 1)
    page.evaluate(
        """bytes => {
            const given = new DataTransfer();
            given.items.add(new File([new Uint8Array(bytes)], "digit.png", {type: "image/png"}));
            document.dispatchEvent(new DragEvent("drop", {dataTransfer: given, cancelable: true}));
        }""",
        list(picture.read_bytes()),
    )
    page.wait_for_function("() => picture !== null")
    answered(page, 7)
    page.locator("#undo").click()
    is_empty(page)
    page.locator("#file").set_input_files(Path(__file__))
    page.get_by_text("This browser cannot read that file as a picture.").wait_for()


@pytest.mark.browser
def test_an_answer_that_is_not_sure_looks_unlike_one_that_is(page: Any) -> None:
    """Whatever the network says: its doubts are made up here."""
    sizes = "() => parseFloat(getComputedStyle(document.querySelector('.digit')).fontSize)"
    colors = "() => getComputedStyle(document.querySelector('.digit')).color"
    draw(page, SEVEN)
    answered(page, 7)
    sure = page.evaluate(sizes), page.evaluate(colors)
    doubt = "it is unlike the digits that the network was trained on"
    expected = {
        (7, doubt, 7, doubt): "Neither run is sure. Perhaps it is a 7.",
        (7, doubt, 8, doubt): "Neither run is sure. Perhaps it is a 7 or an 8.",
        (7, None, 8, None): "The first run reads a 7; the second reads an 8.",
        (7, None, 7, doubt): "The first run reads a 7; the second is not sure: perhaps a 7.",
    }
    for (first, why_first, second, why_second), words in expected.items():
        answers = [
            {"digit": digit, "doubt": why, "pixels": [0] * 784, "probabilities": shares(digit)}
            for digit, why in ((first, why_first), (second, why_second))
        ]
        page.route("**/classify", answering(answers))
        draw(page, SEVEN)
        assert answered(page) == words
        assert page.locator(".doubted").count() == (why_first, why_second).count(doubt)
        page.unroute("**/classify")
        if why_first is not None:
            assert page.locator(".doubt").first.inner_text() == "Not sure"
            assert "compare the ten digits" in page.locator(".why").first.inner_text()
            assert page.evaluate(sizes) < sure[0]
            assert page.evaluate(colors) != sure[1]


def answering(answers: list[dict[str, Any]]) -> Any:
    return lambda route: route.fulfill(json=answers)


def shares(digit: int) -> list[float]:
    return [float(other == digit) for other in range(10)]


@pytest.mark.browser
def test_the_keyboard_draws(page: Any) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "pad"
    for _ in range(15):
        page.keyboard.press("ArrowUp")
    page.keyboard.press(" ")
    for _ in range(30):
        page.keyboard.press("ArrowDown")
    page.keyboard.press(" ")
    answered(page, 1)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert set(page.locator(".digit").all_inner_texts()) == {""}


@pytest.mark.browser
def test_a_finger_draws(page: Any) -> None:
    session = page.context.new_cdp_session(page)
    box = page.locator("#pad").bounding_box()

    def touch(kind: str, *points: tuple[float, float]) -> None:
        at = [
            {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in points
        ]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    touch("touchStart", (0.5, 0.2))
    for step in np.linspace(0.2, 0.8, 12):
        touch("touchMove", (0.5, float(step)))
    touch("touchEnd")
    answered(page, 1)


@pytest.mark.browser
def test_it_can_be_used_without_seeing_it(page: Any) -> None:
    """Everything that takes the focus has a name and shows that it has the focus."""
    draw(page, SEVEN)
    answered(page, 7)
    page.locator("h1").click()
    named = []
    for _ in range(4):
        page.keyboard.press("Tab")
        named.append(
            page.evaluate("document.activeElement.ariaLabel || document.activeElement.innerText")
        )
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert named[0].startswith("Drawing area.")
    assert named[1:] == ["Clear", "Undo", "Open a picture"]
    assert page.locator("[role=status]").count() == 1
    assert page.evaluate("document.documentElement.lang") == "en"


@pytest.mark.first_cases(3)
@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_the_screen_and_can_be_read(page: Any, scheme: str, width: int) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 844})
    draw(page, SEVEN)
    answered(page, 7)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("#undo").bounding_box()["height"] >= 44
    colors = page.evaluate("(s => [s.color, s.backgroundColor])(getComputedStyle(document.body))")
    ink, paper = (
        sum(map(int, color.removeprefix("rgb(").rstrip(")").split(","))) / 3 for color in colors
    )
    assert (ink < 100 < paper) if scheme == "light" else (paper < 100 < ink)


@pytest.mark.browser
def test_a_server_that_has_ended_is_told(page: Any, server: drawing.Server) -> None:
    page.route("**/classify", lambda route: route.abort())
    draw(page, SEVEN)
    page.get_by_text("the program that serves this page has ended").wait_for()


@pytest.mark.slow
@pytest.mark.browser
def test_picture_of_the_page(workdir: Path, pictures: Path) -> None:
    """Of two presets, which takes half a minute of training."""
    for preset in ("notebook_softmax", "speedrun"):
        run([f"experiment={preset}", "preflight=off"])
    models = Models(None)
    runs = mlflow.MlflowClient().search_runs(["1"])
    loaded = [models.load(run.info.run_id) for run in runs]
    with served(loaded, models.roles()) as server, opened(server, 1280) as page:
        draw(page, SEVEN)
        answered(page, 7)
        assert page.locator("h2").all_inner_texts() == [
            "speedrun-s0 latest best",
            "notebook_softmax-s0",
        ]
        page.mouse.move(0, 0)
        page.locator("main").screenshot(path=pictures / "drawing.png", animations="disabled")
    assert (pictures / "drawing.png").stat().st_size > 10_000
