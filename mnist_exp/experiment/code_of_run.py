"""The code of a user's own in a run: found here, or taken from what is recorded of it."""

from collections.abc import Callable, Mapping
from typing import Any

from mnist_exp.config.own_functions import own_functions
from mnist_exp.config.schema import Config
from mnist_exp.own_code.code import FOLDER, Own, OwnCode
from mnist_exp.own_code.failures import OwnCodeError, shown_file
from mnist_exp.own_code.finding import find
from mnist_exp.own_code.names import names
from mnist_exp.own_code.trust import Recorded, continued
from mnist_exp.tracking import credentials
from mnist_exp.tracking.job import Origin
from mnist_exp.training.checkpoint import RunState

_KEY = "own_code"  # in a checkpoint's record
_BYTES_AS_TEXT = "latin-1"  # it has a letter for each byte


def of_run(config: Config, state: RunState | None, given: Own, origin: Origin) -> OwnCode | None:
    """Return the code that the settings name, unless `given` has that already.

    A run that goes on from a checkpoint has the code that it began with, and a trial that which its
    sweep has read. Raises OwnCodeError.
    """
    if given.code is not None:
        return given.code
    functions = own_functions(config, given)
    here = origin.codes.get(names(functions))
    if state is None:
        return here or find(functions)
    recorded = _recorded(state.record)
    return continued(functions, recorded, is_trusted=config.trust_code, here=here)


def check_secrets(own: Own, warn: Callable[[str], None]) -> None:
    """Raise OwnCodeError for a source with a key or token: sources are recorded with the run.

    Call `warn` for one that may only look like it.
    """
    if own.code is None:
        return
    for path, source in own.code.sources.items():
        found = credentials.by_content(path, source)
        if found is None:
            continue
        said = f"{shown_file(own.code.file(path))}: {found}, and code of your own is recorded"
        if credentials.is_guess(found):
            warn(f"{said} with the run; take it from an environment variable, if it is one")
        else:
            raise OwnCodeError(f"{said} with each run\nTake it from an environment variable")


def in_checkpoint(own: Own) -> dict[str, Any]:
    """Return what a checkpoint's record has of the code, as plain JSON."""
    if own.code is None:
        return {}
    sources = {path: text.decode(_BYTES_AS_TEXT) for path, text in own.code.sources.items()}
    return {_KEY: {"digest": own.code.digest, "sources": sources}}


def is_readable(record: Mapping[str, Any]) -> bool:
    """Return whether the code in a checkpoint's record has the form that `in_checkpoint` gave."""
    kept = record.get(_KEY, {"digest": "", "sources": {}})
    if not isinstance(kept, dict) or not isinstance(kept.get("sources"), dict):
        return False
    return all(isinstance(text, str) for text in [kept.get("digest"), *kept["sources"].values()])


def _recorded(record: Mapping[str, Any]) -> Recorded:
    run_id, kept = record["run_id"], record.get(_KEY, {})
    return Recorded(
        where=f"resume={run_id}",
        place=f"in the artifacts {FOLDER}/ of that run",
        digest=kept.get("digest"),
        sources={
            path: text.encode(_BYTES_AS_TEXT, "replace")
            for path, text in kept.get("sources", {}).items()
        },
    )
