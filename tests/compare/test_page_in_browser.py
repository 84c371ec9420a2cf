"""compare.html in a browser: tables sort, words explain themselves, nothing goes wrong."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks.fake_runs import FakeRuns
from tests.support import browser

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
# Between the sign that sorts a column and the heading right of it, in pixels.
SMALLEST_GAP = """Math.min(...[...document.querySelectorAll('table.sortable th + th')]
    .filter(head => head.offsetParent).map(head =>
    head.getBoundingClientRect().left
    - head.previousElementSibling.querySelector('.sort').getBoundingClientRect().right))"""
COLUMN = "rows => rows.map(row => row.cells[0].innerText.split('\\n')[0])"


@pytest.fixture
def page_file(fake_runs: FakeRuns, command: Callable[..., tuple[int, str, str]]) -> Path:
    for model, mean in (("mlp", 0.9), ("cnn", 0.98), ("softmax", 0.1)):
        for seed in range(3):
            fake_runs.add(seed, mean + seed / 1000, settings={"model": model})
    assert command("--experiment", "mnist_exp", "--baseline", "model=mlp")[0] == 0
    return Path("compare.html").absolute()


def groups(page: "Page") -> list[str]:
    return list(page.locator("table.groups tbody tr").evaluate_all(COLUMN))


def test_sorting_words_links_and_scrolling(page_file: Path) -> None:
    with browser.page() as page:
        messages: list[str] = []
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.goto(page_file.as_uri())
        assert groups(page) == ["cnn", "mlp", "softmax"]  # the best mean first
        mean = page.locator("table.groups th", has_text="mean").first
        mean.click()
        assert groups(page) == ["softmax", "mlp", "cnn"]
        assert mean.get_attribute("aria-sort") == "ascending"
        page.get_by_role("button", name="Sort by group").press("Enter")
        page.get_by_role("button", name="Sort by group").press("Enter")
        assert groups(page) == ["softmax", "mlp", "cnn"]
        page.get_by_role("button", name=re.compile("Sort by difference")).click()
        assert groups(page) == ["softmax", "cnn", "mlp"]  # the baseline has none and is last

        word = page.locator("table.groups th a.term", has_text="sd")
        style = "(link, part) => getComputedStyle(link, '::after').content"
        assert word.evaluate(style) == "none"
        word.focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        assert "how far single runs typically lie from their mean" in word.evaluate(style)
        word.click()
        assert page.locator("div:target dt").inner_text() == "Standard deviation"

        table = page.get_by_role("region", name="The table of groups")
        table.focus()
        assert table.evaluate("box => document.activeElement === box")
        assert page.locator("section > h2 > a.anchor").count() > 4
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") == width
            assert page.evaluate(SMALLEST_GAP) >= 3
        assert table.evaluate("box => box.scrollWidth <= box.clientWidth")
        assert messages == []
