"""A digest of the code that computes a run. Comments, docstrings and imports do not count."""

import ast
import hashlib
import importlib.metadata
from functools import cache
from pathlib import Path

_PACKAGE_DIR = Path(__file__).parent.parent
# The files and packages that decide what a config computes; the others record, compare and show it.
_COMPUTING = ("config/group_schemas.py", "config/schema.py", "data/*.py", "training/*.py")
_COMPUTING_PACKAGES = ("tensorflow", "keras", "numpy")
_NO_MEANING = ("ctx", "kind", "type_comment")  # fields of a syntax tree


@cache
def code_digest() -> str:
    """Return 16 hex digits of SHA-256 that are the same only if the same code trains a run.

    They stand for this package's modules that compute, and for the versions of the packages that
    these use. Comments, docstrings, import statements and the layout of the text do not count:
    changing them changes no run. Nor does the version of Python.
    """
    digest = hashlib.sha256()
    for pattern in _COMPUTING:
        for file in sorted(_PACKAGE_DIR.glob(pattern)):
            digest.update(_text(ast.parse(file.read_bytes())).encode())
    for package in _COMPUTING_PACKAGES:
        digest.update(f"{package}=={importlib.metadata.version(package)}\n".encode())
    return digest.hexdigest()[:16]


def _text(node: object) -> str:
    """Return a text for a syntax tree that is the same for all trees that compute the same.

    `ast.dump` names fields that only some versions of Python have; empty fields are left out here.
    """
    if isinstance(node, list):
        return f"[{','.join(_text(item) for item in node if _computes(item))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = {name: value for name, value in ast.iter_fields(node) if name not in _NO_MEANING}
    if isinstance(node, ast.JoinedStr):  # Python 3.12 ends some f-strings with an empty text
        fields["values"] = [value for value in node.values if _text(value) != "Constant(value='')"]
    texts = {name: _text(value) for name, value in fields.items() if value is not None}
    shown = (f"{name}={text}" for name, text in texts.items() if text != "[]")
    return f"{type(node).__name__}({','.join(shown)})"


def _computes(node: object) -> bool:
    """Return False for docstrings, imports and other statements that change no number."""
    if isinstance(node, ast.Expr):
        return not isinstance(node.value, ast.Constant)
    if isinstance(node, ast.If) and isinstance(node.test, ast.Name):
        only_imports = not any(map(_computes, [*node.body, *node.orelse]))
        return not (node.test.id == "TYPE_CHECKING" and only_imports)
    return not isinstance(node, ast.Import | ast.ImportFrom | ast.Pass)
