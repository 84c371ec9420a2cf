"""The code of a user's own in a study: read once by the command, and the same in all its trials."""

import hashlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from mnist_exp.config.own_functions import own_functions
from mnist_exp.config.schema import Config
from mnist_exp.outside.printing import listed
from mnist_exp.own_code.code import FOLDER, OwnCode, meaning
from mnist_exp.own_code.finding import find
from mnist_exp.own_code.names import names
from mnist_exp.sweeper.errors import SweepError
from mnist_exp.sweeper.foreign_text import clean

if TYPE_CHECKING:
    import optuna

_FILES = "own_code"  # the attribute of a study with a digest of each file


def codes_of(config: Config) -> dict[str, OwnCode]:
    """Return the code that a trial with this config needs, by the functions' names.

    Raises OwnCodeError if it is not here, or takes no such options.
    """
    functions = own_functions(config)
    code = find(functions)
    return {} if code is None else {names(functions): code}


def refuse_changes(study: "optuna.Study", codes: Iterable[OwnCode]) -> None:
    """Note what the files compute with a study that begins; refuse others for one that goes on.

    Raises SweepError.
    """
    now = {
        path: hashlib.sha256(meaning(source).encode()).hexdigest()[:16]
        for code in codes
        for path, source in code.sources.items()
    }
    before: Mapping[str, str] = study.user_attrs.get(_FILES, {})
    if not before:
        if now:
            study.set_user_attr(_FILES, now)
        return
    changed = [path for path in sorted({*before, *now}) if before.get(path) != now.get(path)]
    if changed:
        shown = listed([clean(path, 100) for path in changed[:5]])
        raise SweepError(
            f"study {study.study_name}: code of your own has changed since its trials: {shown}; "
            f"what they ran is in their artifacts {FOLDER}/\n"
            "Bring the earlier source back; hydra.sweeper.study_name=NAME starts another study"
        )
