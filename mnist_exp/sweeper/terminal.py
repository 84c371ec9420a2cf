"""What is printed reaches any terminal, in any encoding, and no text of others can control it."""

import codecs
import sys
from typing import TYPE_CHECKING, Any

from mnist_exp.sweeper.foreign_text import printable
from mnist_exp.sweeper.lasting_stream import LastingStream

if TYPE_CHECKING:
    from rich.console import Console

# What a terminal gets for our own signs where its encoding lacks them: a minus must stay a minus.
# Other characters are escaped as in Python.
_PLAIN = {
    "\N{MINUS SIGN}": "-",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{MIDDLE DOT}": ".",
    "\N{BULLET}": "*",
    "\N{FULL BLOCK}": "#",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{PLUS-MINUS SIGN}": "+-",
    "\N{HORIZONTAL ELLIPSIS}": "...",
    "\N{GREATER-THAN OR EQUAL TO}": ">=",
    "\N{LESS-THAN OR EQUAL TO}": "<=",
    "\N{ALMOST EQUAL TO}": "~",
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{LEFT SINGLE QUOTATION MARK}": "'",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
    "\N{GREEK SMALL LETTER SIGMA}": "s",
}
_HANDLER = "mnist_exp.plain"


def _replaced(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_PLAIN.get(c) or c.encode("unicode_escape").decode() for c in missing), error.end


codecs.register_error(_HANDLER, _replaced)


def use_any_encoding() -> None:
    """Let standard output and error replace what their encoding lacks, and not raise an error."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # a notebook's streams take every text
        if reconfigure is not None and stream.errors in ("strict", "surrogateescape"):
            reconfigure(errors=_HANDLER)


def console(**settings: Any) -> "Console":
    """Return a Rich console for standard output that changes nothing but control characters.

    `[...]` in a text is not markup. Markup cannot show every text (it loses a backslash before a
    bracket), so a style is given with a `rich.text.Text`. A text of several lines keeps its lines.
    """
    from rich.console import Console
    from rich.text import Text

    class PlainConsole(Console):
        def render_str(self, text: str, **options: Any) -> Text:
            return super().render_str(printable_lines(text), **options)

    use_any_encoding()
    return PlainConsole(
        **{"file": LastingStream(), "highlight": False, "emoji": False, "markup": False, **settings}
    )


def printable_lines(text: str) -> str:
    """Return a text of one or several lines, each printable."""
    return "\n".join(map(printable, text.split("\n")))
