"""The code of a user's own that a run uses: its source, and objects given from Python."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True, kw_only=True)
class OwnCode:
    """The source of the modules of a user's own that a run uses.

    sources: the files' bytes, by their path relative to `folder`
    folder: where they were read, for people
    """

    sources: Mapping[str, bytes]
    folder: str

    @cached_property
    def digest(self) -> str:
        """16 hex digits that stand for what the modules compute."""
        sha = hashlib.sha256()
        for path, source in sorted(self.sources.items()):
            sha.update(path.encode() + b"\0" + source + b"\0")
        return sha.hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Own:
    """What of a run is a user's own.

    code: the source of the modules that the settings name; None if they name none
    model: a function build(input_shape, num_classes, **options) or a Keras model, given from Python
    loss: a function (labels, logits) -> losses, given from Python
    """

    code: OwnCode | None = None
    model: Any = None
    loss: Any = None


NOTHING_OWN = Own()
