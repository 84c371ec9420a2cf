"""Names of any length and script, made to fit into so many columns of text."""

from collections import Counter
from collections.abc import Sequence

from rich.cells import cell_len

from mnist_exp.sweeper.foreign_text import clean

_CUT = "\N{HORIZONTAL ELLIPSIS}"


def shortened(name: str, columns: int) -> str:
    """Return the name in at most so many columns; what is left out of its middle is one sign.

    A letter of Chinese, Japanese or Korean takes two columns. Names that begin alike often end
    differently, so that both ends are kept.
    """
    name = clean(name)
    if cell_len(name) <= columns:
        return name
    ending = _first(name[::-1], (columns - 1) // 3)[::-1]
    return f"{_first(name, columns - 1 - cell_len(ending)).rstrip()}{_CUT}{ending.lstrip()}"


def all_shortened(names: Sequence[str], columns: int) -> list[str]:
    """Return the names in at most so many columns, all different from each other.

    Of names that are then the same, each begins with its position, counted from 0.
    """
    short = [shortened(name, columns) for name in names]
    times = Counter(short)
    return [
        text if times[text] == 1 else f"{i} {shortened(names[i], columns - len(f'{i} '))}"
        for i, text in enumerate(short)
    ]


def longest(names: Sequence[str]) -> int:
    """Return the columns that the longest of the names takes."""
    return max(map(cell_len, names), default=0)


def _first(text: str, columns: int) -> str:
    """Return the longest beginning of the text that takes at most so many columns."""
    end = 0
    while end < len(text) and cell_len(text[: end + 1]) <= columns:
        end += 1
    return text[:end]
