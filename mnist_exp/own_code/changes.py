"""What differs between two versions of the source of a user's own modules."""

import difflib
from collections.abc import Mapping, Sequence

from mnist_exp.outside.printing import listed
from mnist_exp.own_code.code import meaning
from mnist_exp.sweeper.foreign_text import clean

_MOST_PARTS = 5  # of a file that are named
_LONGEST = 80  # characters of a line of source


def changes(before: Mapping[str, bytes], now: Mapping[str, bytes]) -> list[str]:
    """Return a line for each file that computes something else now, with its line numbers now.

    A file in which only comments, docstrings or the layout changed has none.
    """
    lines = []
    for path in sorted({*before, *now}):
        shown = clean(path, 200)
        if path not in before:
            lines.append(f"{shown} is new")
        elif path not in now:
            lines.append(f"{shown} is not used any more")
        elif meaning(before[path]) != meaning(now[path]):
            lines.append(f"{shown}: {_changed_lines(before[path], now[path])}")
    return lines


def _changed_lines(before: bytes, now: bytes) -> str:
    """Return `line 3 was "a = 1" and is "a = 2"`, or which lines changed."""
    earlier, later = _lines(before), _lines(now)
    matcher = difflib.SequenceMatcher(None, earlier, later, autojunk=False)
    parts = [part for part in matcher.get_opcodes() if part[0] != "equal"]
    if len(parts) == 1 and parts[0][0] == "replace":
        _, start, end, first, last = parts[0]
        if end - start == last - first == 1:
            was, now_is = _where_they_differ(earlier[start], later[first])
            return f'line {last} was "{was}" and is "{now_is}"'
    shown = [_part(kind, first, last) for kind, _, _, first, last in parts[:_MOST_PARTS]]
    more = len(parts) - len(shown)
    return listed([*shown, *([f"{more} more parts"] if more else [])]) or "the bytes differ"


def _where_they_differ(was: str, now: str) -> tuple[str, str]:
    """Return both lines; of lines too long to show, from a little before the first difference."""
    was, now = was.strip(), now.strip()
    if max(len(was), len(now)) > _LONGEST:
        pairs = enumerate(zip(was, now, strict=False))
        same = next((place for place, (a, b) in pairs if a != b), min(len(was), len(now)))
        start = max(same - _LONGEST // 4, 0)
        was, now = (f"{'... ' if start else ''}{text[start:]}" for text in (was, now))
    return clean(was, _LONGEST), clean(now, _LONGEST)


def _part(kind: str, first: int, last: int) -> str:
    """Return which lines [first, last), counted from 0 in the file now, are meant."""
    if kind == "delete":
        return f"lines are gone behind line {first}"
    what = "new" if kind == "insert" else "changed"
    if last - first == 1:
        return f"line {last} is {what}"
    return f"lines {first + 1} to {last} are {what}"


def _lines(source: bytes) -> Sequence[str]:
    return source.decode(errors="replace").splitlines()
