"""A digest of the code that computes a run. Comments, docstrings and imports do not count."""

import ast
import hashlib
import importlib.metadata
from functools import cache
from pathlib import Path

from mnist_exp.own_code.code import OwnCode
from mnist_exp.own_code.syntax import computed

_PACKAGE_DIR = Path(__file__).parent.parent
# The files and packages that decide what a config computes; the others record, compare and show it.
_COMPUTING = ("config/group_schemas.py", "config/schema.py", "data/*.py", "training/*.py")
_COMPUTING_PACKAGES = ("tensorflow", "keras", "numpy")


def code_digest(own: OwnCode | None = None) -> str:
    """Return 16 hex digits of SHA-256 that are the same only if the same code trains a run.

    They stand for this package's modules that compute, for the versions of the packages that these
    use, and for the user's own code. Comments, docstrings and the layout of the text do not count:
    changing them changes no run. Nor does the version of Python.
    """
    if own is None:
        return _project_digest()
    return hashlib.sha256(f"{_project_digest()} {own.digest}".encode()).hexdigest()[:16]


@cache
def _project_digest() -> str:
    """Return the digest of this package's code, in which import statements do not count."""
    digest = hashlib.sha256()
    for pattern in _COMPUTING:
        for file in sorted(_PACKAGE_DIR.glob(pattern)):
            digest.update(computed(ast.parse(file.read_bytes()), imports=False).encode())
    for package in _COMPUTING_PACKAGES:
        digest.update(f"{package}=={importlib.metadata.version(package)}\n".encode())
    return digest.hexdigest()[:16]
