"""What the commands print, and foreign text within Markdown or a shell's command."""

import re
import shlex
import shutil
from collections.abc import Sequence

from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.sweeper.lasting_stream import LastingStream
from mnist_exp.sweeper.terminal import console, printable_lines, use_any_encoding

__all__ = [
    "code",
    "command_line",
    "console",
    "first_of",
    "listed",
    "markdown",
    "plural",
    "say",
    "shell",
    "terminal_width",
    "use_any_encoding",
]


def say(text: object) -> None:
    """Print a text of one or several lines at once, without any control character in it."""
    use_any_encoding()
    print(printable_lines(str(text)), file=LastingStream(), flush=True)


def terminal_width() -> int | None:
    """Return the number of columns where a person reads; None for a file or pipe.

    Lines there are never broken.
    """
    return shutil.get_terminal_size().columns if LastingStream().isatty() else None


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
    # Some readers of Markdown make links of addresses.
    return escaped.replace("://", ":\\//").replace("www.", "www\\.")


def code(text: object, limit: int = 2000) -> str:
    """Return foreign text as Markdown's inline code, with more backticks than any run in it has."""
    shown = clean(text, limit) or " "
    marks = "`" * (1 + max(map(len, re.findall("`+", shown)), default=0))
    space = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{marks}{space}{shown}{space}{marks}"


def shell(text: str) -> str:
    """Return the text as one word for a shell, in quotes whether it needs them or not."""
    quoted = shlex.quote(text)
    return quoted if quoted != text else f"'{text}'"


def command_line(*words: str) -> str:
    """Return the words as a command for bash and zsh.

    A word that needs quotes and holds single ones is put in double ones, where a shell reads it
    unchanged: `'"'"'` is hard to read.
    """
    return " ".join(
        f'"{word}"' if "'" in word and not re.search(r'["$`\\!]', word) else shlex.quote(word)
        for word in words
    )


def first_of(names: Sequence[str], most: int = 20) -> str:
    """Return the first of foreign names, as `a, b and 5 more`; `none` if there are none."""
    more = len(names) - most
    shown = ", ".join(clean(name, 100) for name in names[:most])
    return f"{shown} and {more} more" if more > 0 else shown or "none"


def listed(parts: Sequence[str]) -> str:
    """Return `a, b and c`; empty without parts."""
    return " and ".join(filter(None, [", ".join(parts[:-1]), *parts[-1:]]))


def plural(count: int, word: str) -> str:
    """Return `1 run` or `2,000 runs`."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"
