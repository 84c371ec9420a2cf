"""The system's Chromium, driven by playwright, on pages of this machine alone."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.support.surroundings import skip_unless_required

if TYPE_CHECKING:
    from playwright.sync_api import Page

EXECUTABLE = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SECONDS = 240  # until something is on the page, on a slow machine


@contextmanager
def page(width: int = 1280, height: int = 900, *, touch: bool = False) -> "Iterator[Page]":
    """A page that reaches no other host, or a skip that says what is missing."""
    if EXECUTABLE is None:
        skip_unless_required("browser", "no Chromium here: apt-get install chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        skip_unless_required("browser", "no playwright here: pip install -e '.[test]'")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=EXECUTABLE, args=_ARGUMENTS, timeout=1000 * SECONDS
        )
        opened = browser.new_page(viewport={"width": width, "height": height}, has_touch=touch)
        opened.set_default_timeout(1000 * SECONDS)
        opened.route(
            lambda url: urlsplit(url).hostname not in ("127.0.0.1", None),
            lambda route: route.abort(),
        )
        try:
            yield opened
        finally:
            browser.close()
