"""Objects that a Python session gave to a run: what stands for them in the settings.

`mnist_exp.run` takes functions, models and arrays that no setting can name. The settings then have
`session:NAME@DIGEST` in the place of MODULE:FUNCTION or of a file. A record has no more than that,
so that nothing can be repeated from it.
"""

import hashlib
import re
from collections.abc import Container, Mapping
from typing import Any

from mnist_exp.errors import ConfigError
from mnist_exp.outside.printing import listed
from mnist_exp.own_code.code import OwnCode

FOLDER = "session"  # of the sources in a run's artifacts
# What may be given again, to go on with a run: a digest shows that it is the same. What functions
# and models compute, no digest shows.
GIVEN_AGAIN = {"data.dir"}
_NAME = re.compile(r"session:\w*@[0-9a-f]{12}")
# The settings that can name an object of a session, and how to name something lasting instead.
_INSTEAD = {
    "model.build": "A function in a module can be repeated: model=own model.build=MODULE:FUNCTION",
    "loss.function": "A function in a module can be repeated: loss=own "
    "loss.function=MODULE:FUNCTION",
    "data.dir": "Arrays in a file can be read again: numpy.savez(FILE, x_train=..., y_train=..., "
    "x_test=..., y_test=...) and data.dir=FILE",
}


class SessionError(ConfigError):
    """Settings that need an object of a Python session that is not here."""


def name(word: str, content: str) -> str:
    """Return what stands for an object with this content in the settings; `word` is for people."""
    letters = re.sub(r"\W", "", word) or "object"
    return f"session:{letters}@{hashlib.sha256(content.encode()).hexdigest()[:12]}"


def is_session(value: object) -> bool:
    """Return whether the value of a setting stands for an object of a Python session."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def named(settings: Mapping[str, Any]) -> dict[str, str]:
    """Return the settings, by dotted key, that stand for objects of a session, with their values.

    `settings` are nested, as in a record.
    """
    found = {}
    for key in _INSTEAD:
        group, _, leaf = key.partition(".")
        part = settings.get(group)
        value = part.get(leaf) if isinstance(part, Mapping) else None
        if is_session(value):
            found[key] = str(value)
    return found


def lasting(code: OwnCode) -> dict[str, bytes]:
    """Return the sources that lie in files, without those of a session's objects."""
    return {path: text for path, text in code.sources.items() if not path.startswith(f"{FOLDER}/")}


def note(settings: Mapping[str, Any], model: Any) -> str:
    """Return in words what cannot be repeated from the record; "" if all can be.

    `settings` are nested; `model` is what the session gave for the model, if anything.
    """
    objects = named(settings)
    if not objects:
        return ""
    shown = listed([f"{key}={value}" for key, value in objects.items()])
    words = f"This run cannot be repeated from its record: Python gave {shown} to mnist_exp.run."
    if objects.keys() - GIVEN_AGAIN:
        words += f" What is known of it is in the artifacts own_code/{FOLDER}."
    if hasattr(model, "get_weights"):
        words += " The model began with the weights that it had; the seed did not draw them."
    return words


def refusal(key: str, value: str) -> str:
    """Return why a setting cannot be used that stands for an object, and what can be."""
    return (
        f"{key}={value} was given to mnist_exp.run in Python, and no record can bring it back\n"
        f"{_INSTEAD[key]}"
    )


def refuse(settings: Mapping[str, Any], where: str = "", given: Container[str] = ()) -> None:
    """Raise SessionError if the settings stand for an object of a session, unless it is `given`.

    `where` begins the message: whose record the settings are. `given` has settings by their dotted
    keys.
    """
    for key, value in named(settings).items():
        if key not in given:
            raise SessionError(f"{where}{refusal(key, value)}")
