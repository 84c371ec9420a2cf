"""What changes the digest of the code that trains a run, and what does not."""

import ast
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mnist_exp.own_code.syntax import computed
from mnist_exp.tracking import code_digest as module

CODE = '''"""A module."""
from typing import TYPE_CHECKING
import numpy as np
from mnist_exp.training.seeds import sequence

if TYPE_CHECKING:
    from keras import Model

RATE = 0.5  # of dropout


class Layer:
    """A layer."""

    size: int = 3
    """The number of units."""

    def forward(self, x: float) -> float:
        """Return twice x."""
        import math

        return 2 * math.exp(x) + RATE


def unused() -> None:
    pass
'''
# Changes of the text, each of which computes the same.
HARMLESS = {
    "a comment": ("# of dropout", "# the share of units that is left out"),
    "no comment": ("  # of dropout", ""),
    "a module's docstring": ('"""A module."""', '"""Another text."""'),
    "no docstring of a module": ('"""A module."""', ""),
    "a class' docstring": ('"""A layer."""', '"""Its text."""'),
    "a field's docstring": ('"""The number of units."""', ""),
    "a function's docstring": ('"""Return twice x."""', '"""Twice."""\n\n        # so'),
    "an import's place": ("        import math\n\n", ""),
    "another import": ("from mnist_exp.training.seeds import sequence", "import json"),
    "an import for types": ("from keras import Model", "from keras import Layer, Model"),
    "no import for types": ("if TYPE_CHECKING:\n    from keras import Model\n", ""),
    "parentheses": ("2 * math.exp(x) + RATE", "(2 * math.exp(x)) + RATE"),
    "line breaks": ("2 * math.exp(x) + RATE", "(\n            2 * math.exp(x) + RATE\n        )"),
    "quotes of nothing": ("    pass\n", '    """Does nothing."""\n'),
    "spaces": ("x: float) ->", "x:float)->"),
}
OTHER_CODE = {
    "a number": ("0.5", "0.51"),
    "the type of a number": ("= 3", "= 3.0"),
    "an operator": ("+ RATE", "- RATE"),
    "the order": ("2 * math.exp(x) + RATE", "RATE + 2 * math.exp(x)"),
    "a name": ("math.exp(x)", "math.exp(RATE)"),
    "a condition": ("if TYPE_CHECKING:", "if RATE:"),
    "a decorator": ("    def forward", "    @staticmethod\n    def forward"),
    "a default": ("x: float)", "x: float = 1.0)"),
    "a statement": ("        return", "        x += 1\n        return"),
    "a text": ("RATE = 0.5", 'RATE = "0.5"'),
    "a sign": ("RATE = 0.5", "RATE = -0.5"),
    "no function": ("def unused() -> None:\n    pass\n", ""),
}


@pytest.fixture
def digest_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """The digest of a package whose one module holds this text."""
    monkeypatch.setattr(module, "_PACKAGE_DIR", tmp_path)
    (tmp_path / "training").mkdir()

    def digest(text: str) -> str:
        ast.parse(text)
        (tmp_path / "training" / "layer.py").write_text(text)
        return module._project_digest.__wrapped__()

    return digest


@pytest.mark.parametrize("change", HARMLESS)
def test_what_is_written_about_the_code_does_not_count(
    change: str, digest_of: Callable[[str], str]
) -> None:
    before, after = HARMLESS[change]
    assert CODE.count(before) >= 1
    assert digest_of(CODE.replace(before, after)) == digest_of(CODE)


@pytest.mark.parametrize("change", OTHER_CODE)
def test_what_computes_counts(change: str, digest_of: Callable[[str], str]) -> None:
    before, after = OTHER_CODE[change]
    assert CODE.count(before) >= 1
    assert digest_of(CODE.replace(before, after)) != digest_of(CODE)


def test_every_version_of_python_gives_the_same(digest_of: Callable[[str], str]) -> None:
    """Syntax trees of two versions differ in empty fields and in empty parts of texts."""
    text = "def f(a, /, *, b=None, **c): return f'{a!r:>{b}} x' 'y' if b else [None, '', ...]\n"
    assert computed(ast.parse(text), imports=False) == (
        "Module(body=[FunctionDef(name='f',args=arguments(posonlyargs=[arg(arg='a')],"
        "kwonlyargs=[arg(arg='b')],kw_defaults=[Constant()],kwarg=arg(arg='c')),"
        "body=[Return(value=IfExp(test=Name(id='b'),body=JoinedStr(values=["
        "FormattedValue(value=Name(id='a'),conversion=114,format_spec=JoinedStr(values=["
        "Constant(value='>'),FormattedValue(value=Name(id='b'),conversion=-1)])),"
        "Constant(value=' xy')]),orelse=List(elts=[Constant(),Constant(value=''),"
        "Constant(value=Ellipsis)])))])])"
    )


def test_only_files_that_compute_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(module._PACKAGE_DIR, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(module, "_PACKAGE_DIR", tmp_path)
    before = module._project_digest.__wrapped__()
    (tmp_path / "figures.py").write_text("")
    assert module._project_digest.__wrapped__() == before
    for name in (
        "training/losses.py",
        "data/dataset.py",
        "config/schema.py",
        "config/group_schemas.py",
    ):
        text = (tmp_path / name).read_text()
        (tmp_path / name).write_text("")
        assert module._project_digest.__wrapped__() != before
        (tmp_path / name).write_text(f"# a comment\n{text}")
        assert module._project_digest.__wrapped__() == before
