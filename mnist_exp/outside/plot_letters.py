"""Names in any script on matplotlib's figures: in fonts of this machine that have their letters.

matplotlib's own font has Latin, Greek and Cyrillic letters, and a few more. For others it draws
boxes, unless it is told of a font that has them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

_OWN = "DejaVu Sans"  # it comes with matplotlib
_BOXES = "Last Resort"  # so do fonts of this name, which have a box for each letter of the world
_REGULAR = (400, "normal", "regular", "book")  # what matplotlib calls the weight of plain text


@contextmanager
def written(names: Sequence[str], other: str = "") -> Iterator[list[str]]:
    """Yield the names as text that a figure can show, which is made within the block.

    A name for whose letters this machine has no font is `class 7`, with its position counted from
    0. A dollar sign is a dollar sign, where matplotlib would begin a formula. The fonts have the
    letters of the `other` text, too, which `drawable` has returned.
    """
    from matplotlib import rc_context

    fonts, missing = _fonts(frozenset("".join([*names, other])))
    shown = [f"class {i}" if missing & set(name) else name for i, name in enumerate(names)]
    with rc_context({"font.family": fonts, "text.parse_math": False}):
        yield shown


def drawable(text: str) -> str:
    """Return a text with "?" for each letter that no font of this machine has."""
    _, missing = _fonts(frozenset(text))
    return "".join("?" if letter in missing else letter for letter in text)


@cache
def _fonts(letters: frozenset[str]) -> tuple[list[str], frozenset[str]]:
    """Return matplotlib's font and those that have letters it lacks, and what none of them has."""
    chosen, files = [_OWN], _files()
    missing = {letter for letter in letters if ord(letter) not in _code_points(files[_OWN])}
    for family in sorted(files):
        if not missing:
            break
        if found := {letter for letter in missing if ord(letter) in _code_points(files[family])}:
            chosen.append(family)
            missing -= found
    return chosen, frozenset(missing)


@cache
def _files() -> dict[str, str]:
    """Return {family: file} of the fonts with upright plain text."""
    from matplotlib.font_manager import fontManager

    return {
        entry.name: entry.fname
        for entry in fontManager.ttflist
        if entry.weight in _REGULAR and entry.style == "normal" and _BOXES not in entry.name
    }


@cache
def _code_points(file: str) -> frozenset[int]:
    """Return the code points that a font has; none of one that cannot be read or drawn."""
    from matplotlib.font_manager import get_font

    try:
        font = get_font(file)
        # Fonts of coloured pictures have one size, in which matplotlib cannot draw.
        return frozenset(font.get_charmap()) if font.scalable else frozenset()
    except (OSError, RuntimeError, ValueError):  # a broken file of the machine's
        return frozenset()
