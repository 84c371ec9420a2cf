"""The page in a browser, on a laptop and on a phone, by day and by night."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mnist_exp.tuning import page
from tests.support import browser
from tests.tuning.studies import a_study, a_trial
from tests.tuning.test_page import BOTH, a_search

if TYPE_CHECKING:
    from playwright.sync_api import Page

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
