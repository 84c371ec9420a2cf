"""A page is opened in the browser of whoever sits at this machine."""

import os
import sys


def open_page(address: str) -> None:
    """Open the address in a browser, if this machine has a display."""
    variables = ("DISPLAY", "WAYLAND_DISPLAY")
    if sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in variables):
        import webbrowser

        webbrowser.open(address)
