"""Text that somebody else wrote (names, reasons, labels of runs), made safe to show on one line."""


def clean(text: object, limit: int = 500) -> str:
    r"""Return the text as one printable line of at most `limit` characters.

    Runs of white space become one space. Characters that control a terminal or the direction of
    writing, and those that no encoding has, are written as Python escapes them: a name with an
    escape sequence shows `\x1b[31m`.
    """
    whole = str(text)
    start = whole[: 4 * limit]  # a text of a gigabyte is not looked through
    line = printable(" ".join(start.split()))
    if len(line) <= limit and len(start) == len(whole):
        return line
    return f"{line[: max(limit - 4, 0)].rstrip()} ..."[:limit].strip()


def short(value: object) -> str:
    """Return a value as messages name it: no longer than leaves room for the reason behind it."""
    return clean(value, 200)


def printable(text: str) -> str:
    r"""Return the text with every character escaped as in Python that is no letter, sign or space.

    The end of a line becomes `\n`.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
