"""The page's server over HTTP, and the page in a real browser."""

import http.client
import json
import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mnist_exp import data
from mnist_exp.predict import drawing
from mnist_exp.predict.trained_models import Models, TrainedModel
from tests.support import browser
from tests.support.pictures import dark_on_light, encoded, large
from tests.support.runs import Trained
from tests.support.waiting import LIMIT


@pytest.fixture(scope="module")
def models(trained: Trained) -> list[TrainedModel]:
    """The same run twice, as two are shown side by side."""
    return [Models(trained.uri).load(trained.run_id)] * 2


@pytest.fixture
def server(models: list[TrainedModel]) -> Iterator[drawing.Server]:
    with drawing.serving(models) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(
    server: drawing.Server, method: str, path: str, body: bytes = b"", **headers: str
) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=LIMIT)
    kind = {"Content-Type": "image/png"} if method == "POST" else {}
    connection.request(
        method, path, body or None, kind | {k.replace("_", "-"): v for k, v in headers.items()}
    )
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, json.loads(content) if b"<html" not in content else content.decode()


def test_the_page_needs_no_network(server: drawing.Server) -> None:
    status, page = ask(server, "GET", "/")
    assert status == 200
    assert server.url == f"http://127.0.0.1:{server.server_port}/"
    assert "http:" not in page
    assert "https:" not in page
    assert "src=" not in page


def test_each_run_answers(server: drawing.Server, trained: Trained, mnist: data.Dataset) -> None:
    status, runs = ask(server, "GET", "/models")
    assert (status, [run["id"] for run in runs]) == (200, [trained.run_id] * 2)
    picture = encoded(dark_on_light(large(mnist.test.images[0, :, :, 0])))
    status, answers = ask(server, "POST", "/classify", picture)
    assert status == 200
    assert [answer["digit"] for answer in answers] == [7, 7]
    assert sum(answers[0]["probabilities"]) == pytest.approx(1)
    assert len(answers[0]["pixels"]) == 784


def test_what_is_no_drawing_is_told(server: drawing.Server) -> None:
    assert ask(server, "POST", "/classify", encoded(Image.new("L", (50, 50)))) == (
        422,
        {
            "error": "the page is empty: there is no ink that stands out from the paper, or it is "
            "too small for its page"
        },
    )
    assert ask(server, "POST", "/classify", b"text")[0] == 422


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {"Host": "evil.example"}, 403),
        ("GET", "/", {"Host": "127.0.0.1:1"}, 403),
        ("POST", "/classify", {"Host": "evil.example:80"}, 403),
        ("POST", "/classify", {"Origin": "http://evil.example"}, 403),
        ("POST", "/classify", {"Origin": "null"}, 403),
        ("POST", "/classify", {"Content_Length": str(drawing.MOST_BYTES + 1)}, 413),
        ("POST", "/classify", {"Content_Length": "9" * 5000}, 413),
        ("POST", "/classify", {"Content_Length": "-1"}, 411),
        ("POST", "/classify", {"Transfer_Encoding": "chunked"}, 411),
        ("POST", "/classify", {"Content_Type": "text/plain"}, 415),
        ("POST", "/", {}, 404),
        ("GET", "/../predict.py", {}, 404),
        ("PUT", "/classify", {}, 501),
    ],
)
def test_others_are_refused(
    server: drawing.Server, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=LIMIT)
    connection.putrequest(method, path, skip_host="Host" in headers)
    sent = {"Content_Length": "0", "Content_Type": "image/png"} | headers
    if "Transfer_Encoding" in headers:
        del sent["Content_Length"]
    for name, value in sent.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    assert connection.getresponse().status == status
    connection.close()


def test_this_machine_alone_is_answered(server: drawing.Server) -> None:
    assert server.socket.getsockname()[0] == "127.0.0.1"


def test_who_leaves_before_the_answer_is_no_error(
    server: drawing.Server, mnist: data.Dataset, capfd: pytest.CaptureFixture[str]
) -> None:
    server.one_at_a_time.acquire()
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=LIMIT)
    picture = encoded(large(mnist.test.images[0, :, :, 0]))
    connection.request("POST", "/classify", picture, {"Content-Type": "image/png"})
    assert connection.sock is not None
    connection.sock.setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )  # closed by a reset
    connection.close()
    server.one_at_a_time.release()
    assert ask(server, "POST", "/classify", picture)[0] == 200
    assert capfd.readouterr().err == ""


@pytest.fixture
def page(server: drawing.Server) -> Iterator[Any]:
    """The page at a phone's width; an error in its script fails the test."""
    with browser.page(390, 844, touch=True) as page:
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(server.url)
        page.locator("article").nth(1).wait_for()
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


def answered(page: Any, digit: int) -> None:
    """Wait until both runs say so of the whole drawing: a part of it is read, too, and doubted."""
    page.wait_for_function(
        "d => document.querySelector('#status').textContent.startsWith(`Read as ${d} (`)"
        " && [...document.querySelectorAll('.digit')].every(e => e.textContent === d)",
        arg=str(digit),
    )


@pytest.mark.browser
def test_a_drawing_is_read_live_by_both_runs(page: Any) -> None:
    draw(page, SEVEN)
    answered(page, 7)
    assert "Read as 7" in page.locator("#status").inner_text()
    assert page.locator("article li.top").count() == 2
    assert page.locator("article li").nth(7).locator("output").inner_text().endswith("%")


@pytest.mark.browser
def test_clear(page: Any) -> None:
    for how in (page.locator("#clear").click, lambda: page.keyboard.press("Escape")):
        draw(page, SEVEN)
        answered(page, 7)
        how()
        assert set(page.locator(".digit").all_inner_texts()) == {""}
        assert page.locator("li.top").count() == 0
        pixels = "document.querySelector('#pad').getContext('2d').getImageData(0, 0, 300, 300).data"
        assert not page.evaluate(f"[...{pixels}].some(value => value)")


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
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_fits_the_screen_and_can_be_read(page: Any, scheme: str, width: int) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 844})
    draw(page, SEVEN)
    answered(page, 7)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
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
