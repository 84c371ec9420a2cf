"""The code of a user's own that a run uses: its source, and objects given from Python."""

import ast
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from mnist_exp.own_code.isolation import Modules
from mnist_exp.own_code.syntax import computed

DIGEST_TAG = "own_code.digest"  # of a run
FOLDER = "own_code"  # of a run's artifacts, with the sources


@dataclass(frozen=True, kw_only=True)
class OwnCode:
    """The source of the modules of a user's own that a run uses.

    sources: the files' bytes, by their path relative to `folder`: `my_models.py`, `nets/block.py`
    folder: where they were read, for people
    files: the whole path of those that are not in `folder`
    """

    sources: Mapping[str, bytes]
    folder: str
    files: Mapping[str, str] = field(default_factory=dict)

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process gets: the modules run in each by themselves."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @cached_property
    def digest(self) -> str:
        """16 hex digits that stand for what the modules compute.

        Comments, docstrings and the layout of the text do not count.
        """
        return digest_of(self.sources)

    @cached_property
    def modules(self) -> Modules:
        """The modules, which run once for this object, apart from all others of their names."""
        return Modules(self.sources, {path: self.file(path) for path in self.sources})

    def file(self, path: str) -> str:
        """Return where a source was read."""
        return self.files.get(path) or f"{self.folder}/{path}"


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


def digest_of(sources: Mapping[str, bytes]) -> str:
    """Return 16 hex digits over what the sources compute; of one that is no Python, its bytes."""
    sha = hashlib.sha256()
    for path, source in sorted(sources.items()):
        sha.update(path.encode() + b"\0" + meaning(source).encode() + b"\0")
    return sha.hexdigest()[:16]


def meaning(source: bytes) -> str:
    """Return a text that is the same for all sources that compute the same."""
    try:
        return computed(ast.parse(source), imports=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return repr(source)
