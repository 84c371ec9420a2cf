"""Debian's Chromium, driven by playwright, on pages of this machine alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Page

EXECUTABLE = "/usr/bin/chromium"
_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
SECONDS = 240  # until something is on the page, on a slow machine


class Unavailable(Exception):
    """There is no browser, or nothing to drive it with."""


@contextmanager
def page(width: int = 1280, height: int = 900) -> "Iterator[Page]":
    """A page that reaches no other host. Raises Unavailable."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        raise Unavailable("playwright is not installed: pip install -e '.[test]'") from None
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=EXECUTABLE, args=_ARGUMENTS)
        except Error as error:
            raise Unavailable(f"no browser: {str(error).splitlines()[0]}") from None
        opened = browser.new_page(viewport={"width": width, "height": height})
        opened.set_default_timeout(1000 * SECONDS)
        opened.route(
            lambda url: urlsplit(url).hostname not in ("127.0.0.1", None), lambda route: route.abort()
        )
        try:
            yield opened
        finally:
            browser.close()
