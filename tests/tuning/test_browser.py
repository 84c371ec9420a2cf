"""The page in a browser, on a laptop and on a phone, by day and by night."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from mnist_exp.tuning import page
from tests.support import browser
from tests.tuning.studies import a_study, a_trial
from tests.tuning.test_page import BOTH, a_search

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]
# The height on the screen of the numbers on axes, in pixels, the smallest.
SMALLEST_TEXT = """Math.min(...[...document.querySelectorAll('.chart .tick')].map(
    text => text.getBoundingClientRect().height))"""


@pytest.fixture(params=[1280, 390])
def opened(request: pytest.FixtureRequest) -> "Iterator[Page]":
    with browser.page(request.param, 900) as shown:
        yield shown


def test_the_page_fits_and_can_be_read(opened: "Page", tmp_path: Path, pictures: Path) -> None:
    width = opened.evaluate("innerWidth")
    errors: list[str] = []
    opened.on("console", lambda message: errors.append(message.text))
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("request", lambda asked: errors.append(asked.url) if "http" in asked.url else None)
    several = [
        a_trial(i, {"model": "ab"[i % 2], "rate": i / 20}, 0.9 + i / 200, 1.0 + (i - 5) ** 2)
        for i in range(12)
    ]
    studies = {"few": a_search(30), "many": a_search(200, 15), "both": a_study(several, BOTH)}
    for name, study in studies.items():
        file = tmp_path / f"{name}.html"
        file.write_text(page.render(study, "2026-11-26 04:00")[0])
        for scheme in ("dark", "light"):
            opened.emulate_media(color_scheme=scheme)
            opened.goto(file.as_uri())
            assert opened.evaluate("document.documentElement.scrollWidth") == width
            assert opened.evaluate(SMALLEST_TEXT) > 9
            if name == "few":
                opened.screenshot(path=pictures / f"tuning_{width}.png", full_page=True)
            table = opened.get_by_role("region", name="Best trials" if name != "both" else "").first
            table.focus()  # so that the keyboard can scroll it
            assert opened.evaluate("document.activeElement.className") == "scroll"
    assert errors == []


def test_a_table_that_is_cut_shows_that_it_scrolls(opened: "Page", tmp_path: Path) -> None:
    """The edge behind which there is more is shaded; the others have the colour of the paper."""
    wide = [a_trial(i, {f"parameter_{k}": i / 9 for k in range(16)}, 0.9) for i in range(3)]
    file = tmp_path / "wide.html"
    file.write_text(page.render(a_study(wide), "2026-11-26 04:00")[0])
    opened.goto(file.as_uri())
    box = opened.locator(".scroll").first
    paper = (255, 255, 255)
    assert shade_at_the_right_edge(box) != paper
    box.evaluate("box => box.scrollLeft = box.scrollWidth")
    assert shade_at_the_right_edge(box) == paper
    file.write_text(page.render(a_study([a_trial(0, {}, 0.9)]), "2026-11-26 04:00")[0])
    opened.goto(file.as_uri())
    assert shade_at_the_right_edge(box) == paper


def shade_at_the_right_edge(box: "Locator") -> object:
    """The colour of a table's box below its heading's text, at the right edge."""
    with Image.open(BytesIO(box.screenshot())) as picture:
        return picture.convert("RGB").getpixel((picture.width - 2, 4))
