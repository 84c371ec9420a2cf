"""What a person chose by typing its name, or the beginning of it."""

from collections.abc import Sequence

from mnist_exp.errors import UserError, did_you_mean


def chosen(option: str, text: str, names: Sequence[str], kind: str) -> str:
    """Return the name that was meant: that one, or the only one that begins so.

    Capitals count as small letters. Raises UserError, which calls the names `kind`s, if none is
    meant or several are.
    """
    wanted = text.strip().lower()
    begin = [name for name in names if wanted and name.startswith(wanted)]
    if wanted in names or len(begin) == 1:
        return wanted if wanted in names else begin[0]
    why = f"{len(begin)} {kind}s begin so" if begin else f"no such {kind}"
    guess = "" if begin else did_you_mean(wanted, names)
    raise UserError(f"{option} {text}: {why}{guess}\n{kind.capitalize()}s: {', '.join(names)}")
