"""What the commands print: it reaches any terminal, in any encoding, and holds no commands of somebody else's."""

import codecs
import re
import shlex
import sys
from typing import TYPE_CHECKING, Any

from mnist_exp.sweeper.foreign_text import clean, printable
from mnist_exp.sweeper.lasting_stream import LastingStream

if TYPE_CHECKING:
    from rich.console import Console

# What a terminal is given for our own signs where its encoding lacks them. A minus must stay a minus.
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
    return "".join(_PLAIN.get(c, "?") for c in error.object[error.start : error.end]), error.end


codecs.register_error(_HANDLER, _replaced)


def use_any_encoding() -> None:
    """Let standard output and error replace what their encoding lacks, instead of raising UnicodeEncodeError."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)  # a notebook's streams take every text
        if reconfigure is not None and stream.errors in ("strict", "surrogateescape"):
            reconfigure(errors=_HANDLER)


def console(**settings: Any) -> "Console":
    """Return a Rich console for standard output that shows texts unchanged, except control characters.

    `[...]` in a text is not markup. Markup cannot show every text (it loses a backslash before a
    bracket), so a style is given with a `rich.text.Text`. A text of several lines keeps its lines.
    """
    from rich.console import Console
    from rich.text import Text

    class PlainConsole(Console):
        def render_str(self, text: str, **options: Any) -> Text:
            return super().render_str(_lines(text), **options)

    use_any_encoding()
    return PlainConsole(
        **{"file": LastingStream(), "highlight": False, "emoji": False, "markup": False, **settings}
    )


def say(text: object) -> None:
    """Print a text of one or several lines at once, without any control character in it."""
    use_any_encoding()
    print(_lines(str(text)), file=LastingStream(), flush=True)


def _lines(text: str) -> str:
    return "\n".join(map(printable, text.split("\n")))


def markdown(text: object, limit: int = 500) -> str:
    """Return foreign text as one line of Markdown that shows it unchanged, without any formatting.

    Underscores between letters or digits are not escaped: they never mean emphasis, and `a_name`
    stays readable in the source.
    """
    escaped = re.sub(
        r"[\\`*\[\]<>&~#]|(?<!\w)_+|_+(?!\w)",
        lambda special: "".join(f"\\{sign}" for sign in special[0]),
        clean(text, limit),
    )
    return escaped.replace("://", ":\\//").replace("www.", "www\\.")  # which some make links of


def code(text: object, limit: int = 2000) -> str:
    """Foreign text as Markdown's inline code: its marks are longer than any in the text."""
    shown = clean(text, limit) or " "
    marks = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    space = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{marks}{space}{shown}{space}{marks}"


def shell(text: str) -> str:
    """One word for a shell, in quotes whether it needs them or not."""
    quoted = shlex.quote(text)
    return quoted if quoted != text else f"'{text}'"


def plural(count: int, word: str) -> str:
    """Return `1 run` or `2 runs`."""
    return f"{count} {word}{'' if count == 1 else 's'}"
