"""What the commands print: it reaches any terminal, in any encoding, and holds no commands of somebody else's."""

import codecs
import sys
from typing import TYPE_CHECKING

from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.sweeper.lasting_stream import LastingStream

if TYPE_CHECKING:
    from rich.console import Console

# What a terminal is given for our own signs where its encoding lacks them. A minus must stay a minus.
_PLAIN = {
    "\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", "\N{EM DASH}": "-", "\N{MIDDLE DOT}": ".", "\N{BULLET}": "*",
    "\N{FULL BLOCK}": "#", "\N{MULTIPLICATION SIGN}": "x", "\N{PLUS-MINUS SIGN}": "+-", "\N{HORIZONTAL ELLIPSIS}": "...",
    "\N{GREATER-THAN OR EQUAL TO}": ">=", "\N{LESS-THAN OR EQUAL TO}": "<=", "\N{ALMOST EQUAL TO}": "~",
    "\N{RIGHTWARDS ARROW}": "->", "\N{LEFT SINGLE QUOTATION MARK}": "'", "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"', "\N{RIGHT DOUBLE QUOTATION MARK}": '"', "\N{GREEK SMALL LETTER SIGMA}": "s",
}  # fmt: skip
_HANDLER = "mnist_exp.plain"


def _replaced(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(_PLAIN.get(c, "?") for c in error.object[error.start : error.end]), error.end


codecs.register_error(_HANDLER, _replaced)


def use_any_encoding() -> None:
    """Let standard output and error replace what their encoding lacks, instead of raising UnicodeEncodeError."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # a notebook's streams take every text
        if reconfigure is not None and stream.errors in ("strict", "surrogateescape"):
            reconfigure(errors=_HANDLER)


def console(**settings: object) -> "Console":
    """A Rich console for standard output; give it foreign text through `line`, or with markup=False and `clean`."""
    from rich.console import Console

    use_any_encoding()
    return Console(**{"file": LastingStream(), "highlight": False, "emoji": False, **settings})  # type: ignore[arg-type]


def line(text: object, limit: int = 500) -> str:
    """Foreign text for a Rich console or table: one clean line in which `[...]` is no markup."""
    from rich.markup import escape

    return escape(clean(text, limit))
