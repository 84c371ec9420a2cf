"""Whether code that a record names may run, and which source of it.

A record is somebody else's, as far as this project knows. Code runs because the person at the
keyboard names it, or because its source lies here just as the record has it, or because
`trust_code=true` says so.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mnist_exp.outside.printing import listed, plural
from mnist_exp.own_code.changes import changes
from mnist_exp.own_code.code import OwnCode, digest_of
from mnist_exp.own_code.failures import OwnCodeError
from mnist_exp.own_code.finding import ModuleNotHere, find
from mnist_exp.own_code.names import Named
from mnist_exp.sweeper.foreign_text import clean

ALLOW = "trust_code=true"
_PATH = re.compile(r"(?:(?!\.+/)[^/\\\0]+/)*[^/\\\0]+\.py")  # within its folder


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """The code of a user's own in a record.

    where: what a message begins with, such as `run ID` or `resume=ID`
    place: where a person finds the source
    digest: that of `OwnCode`; None if the record has none
    sources: the files' bytes by their paths; empty if the record has none
    """

    where: str
    place: str
    digest: str | None
    sources: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def code(self) -> OwnCode | None:
        """The recorded source, to run it; None if it is not whole."""
        if not all(map(_PATH.fullmatch, self.sources)):
            return None
        if not self.sources or digest_of(self.sources) != self.digest:
            return None
        return OwnCode(sources=self.sources, folder=self.place)


def repeated(
    functions: Sequence[Named], recorded: Recorded, *, is_named: bool, is_trusted: bool
) -> OwnCode | None:
    """Return the code for a run that repeats a record, perhaps with other code than it had.

    `is_named`: the command, or a config of the person's own, names these functions. None if there
    are no functions. Raises OwnCodeError if the code may not run, or is nowhere.
    """
    here, missing = _here(functions)
    if here is not None:
        if is_named or is_trusted or here.digest == recorded.digest:
            return here
        raise OwnCodeError(
            f"{recorded.where}: {_names(functions)}: {_difference(recorded, here)}\n"
            f"{ALLOW} trains with the code here; the run's own is {recorded.place}"
        )
    if missing is None:
        return None
    if is_named:
        raise missing
    return _from_record(functions, recorded, missing, is_trusted=is_trusted)


def continued(
    functions: Sequence[Named], recorded: Recorded, *, is_trusted: bool, here: OwnCode | None = None
) -> OwnCode | None:
    """Return the code for a run that goes on: always what it began with.

    `here` is the code as it was read before, if it was. None if there are no functions. Raises
    OwnCodeError if the code has changed, or is nowhere.
    """
    here, missing = _here(functions) if here is None else (here, None)
    if here is not None:
        if here.digest == recorded.digest:
            return here
        raise OwnCodeError(
            f"{recorded.where}: {_difference(recorded, here)}; a run goes on with its own code\n"
            f"The earlier source is {recorded.place}: bring it back, or begin a new run without "
            "resume"
        )
    if missing is None:
        return None
    return _from_record(functions, recorded, missing, is_trusted=is_trusted)


def _here(functions: Sequence[Named]) -> tuple[OwnCode | None, OwnCodeError | None]:
    """Return the code here, or why a module of it is not here."""
    try:
        return find(functions), None
    except ModuleNotHere as error:
        return None, error


def _from_record(
    functions: Sequence[Named], recorded: Recorded, missing: OwnCodeError, *, is_trusted: bool
) -> OwnCode:
    """Return the recorded code, if that is trusted. Raises OwnCodeError."""
    code = recorded.code
    if is_trusted and code is not None:
        return code
    if code is None:
        first = str(missing).partition("\n")[0]
        raise OwnCodeError(f"{recorded.where}: {first}\nNor is its source in the record")
    raise OwnCodeError(
        f"{recorded.where}: its record names code that is not here: {_names(functions)}\n"
        f"{ALLOW} runs the source in the record ({recorded.place}); read it first"
    )


def _names(functions: Sequence[Named]) -> str:
    return listed([clean(function, 200) for function in functions])


def _difference(recorded: Recorded, here: OwnCode) -> str:
    """Return what changed since the record, in a few words."""
    if recorded.digest is None:
        return "the record does not say which source it had"
    if recorded.code is None:
        return f"the source has changed: its digest was {clean(recorded.digest, 16)}, now " + (
            here.digest
        )
    found = changes(recorded.sources, here.sources)
    more = f" ({plural(len(found) - 1, 'more file')} changed)" if len(found) > 1 else ""
    return f"the source has changed since: {found[0]}{more}" if found else "the source has changed"
