"""The source of what a Python session holds: complete, and equal only for equal objects."""

import functools
import importlib
import sys
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from mnist_exp.own_code.code import meaning
from mnist_exp.own_code.finding import find
from mnist_exp.own_code.names import parse
from mnist_exp.own_code.session_source import is_in_module, source_text
from tests.support.notebook import Notebook

HELPERS = """
from json import dumps as as_text
import math
WIDTH = 64
def helper(n):
    return math.sqrt(n) * WIDTH
class Base:
    rate = 0.5
class Layer(Base):
    def __init__(self):
        super().__init__()
    def call(self, x):
        return helper(x) + len(as_text([self.rate]))
"""
BUILD = """
def build(shape, classes, depth=3):
    # A comment.
    return [Layer() for _ in range(depth)]
"""


def notebook(*cells: str, is_known: bool = True) -> Notebook:
    session = Notebook()
    for cell in cells:
        session.run(cell, is_known=is_known)
    return session


def test_the_text_of_a_function_runs_and_gives_the_same() -> None:
    text = source_text(notebook(HELPERS, BUILD)["build"])
    fresh: dict[str, object] = {"__name__": "fresh"}
    # Python knows no lines of a class without methods.
    exec("class Base:\n    rate = 0.5\n" + text, fresh)  # noqa: S102
    made = fresh["build"]((28, 28, 1), 10, depth=2)  # type: ignore[operator]
    assert [layer.call(4) for layer in made] == [133.0, 133.0]
    assert "    # A comment." in text
    assert text.count("class Layer(Base)") == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("WIDTH = 64", "WIDTH = 32"),
        ("math.sqrt(n) * WIDTH", "math.sqrt(n) + WIDTH"),
        ("+ len(as_text([self.rate]))", "- len(as_text([self.rate]))"),
        ("rate = 0.5", "rate = 0.25"),
        ("depth=3", "depth=4"),
    ],
)
@pytest.mark.parametrize("is_known", [True, False])
def test_what_another_cell_holds_changes_the_text(before: str, after: str, is_known: bool) -> None:
    cells = [HELPERS, BUILD]
    changed = [cell.replace(before, after) for cell in cells]
    assert changed != cells
    first, same, other = (
        source_text(notebook(*given, is_known=is_known)["build"])
        for given in (cells, cells, changed)
    )
    assert first == same != other


def test_closures_defaults_lambdas_and_partials_are_told_apart() -> None:
    session = notebook(
        """
def factory(depth):
    return lambda shape, classes: depth
closures = [factory(8), factory(20)]
defaults = []
for depth in (8, 20):
    def build(shape, classes, depth=depth):
        return depth
    defaults.append(build)
lambdas = [lambda shape, classes: 8, lambda shape, classes: 20]
class Build:
    def __init__(self, depth): self.depth = depth
    def __call__(self, shape, classes): return self.depth
    def method(self, shape, classes): return self.depth
objects = [Build(8), Build(20)]
methods = [Build(8).method, Build(20).method]
"""
    )
    pairs = [session[name] for name in ("closures", "defaults", "lambdas", "objects", "methods")]
    base = session["defaults"][0]
    pairs.append([functools.partial(base, depth=8), functools.partial(base, depth=20)])
    for one, other in pairs:
        assert source_text(one) == source_text(one) != source_text(other)


@pytest.mark.parametrize(
    "cells",
    [
        "from random import random\ndef build(s, k): return random()",
        "from random import randint\ndef build(s, k): return randint(1, 2)",
        "import pathlib\njoin = pathlib.Path('a').joinpath\ndef build(s, k): return join('b')",
        "import functools\nbuild = functools.partial(lambda s, k, w: w, w=3)",
        (
            "def outer():\n    n = 0\n    def build(s, k):\n        nonlocal n\n        n += 1\n"
            "    return build\nbuild = outer()"
        ),
    ],
)
def test_every_text_is_python(cells: str) -> None:
    compile(source_text(notebook(cells)["build"]), "session", "exec")


def test_what_cannot_stand_at_the_top_of_a_module_is_a_comment() -> None:
    cell = (
        "def outer():\n    n = 0\n    def build(shape, classes):\n        nonlocal n\n"
        "        import json\n        n += 1  # a comment\n    return build\nbuild = outer()\n"
    )
    texts = [
        source_text(notebook(given)["build"])
        for given in (cell, cell.replace("a comment", "another"), cell.replace("1 ", "2 "))
    ]
    assert "#     n += 1  # a comment\nimport json\n" in texts[0]
    first, same, other = (meaning(text.encode()) for text in texts)
    assert first == same != other


def test_what_is_in_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = (
        "def factory():\n    def inner(): ...\n    return inner\ndef build(): ...\nother = build\n"
    )
    (tmp_path / "nets_for_a_test.py").write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    module: Any = importlib.import_module("nets_for_a_test")
    assert is_in_module(module.build)
    assert not is_in_module(module.factory())
    assert not is_in_module(notebook(BUILD)["build"])
    build = module.build
    module.build = module.factory
    assert not is_in_module(build)  # the module has another function of that name now
    module.build = build
    monkeypatch.undo()
    assert not is_in_module(build)  # a later process would not find the module


def test_a_package_with_a_finder_of_its_own_can_be_imported_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "editable_for_a_test.py").write_text("def build(a, b): ...\n")

    class Finder:  # as setuptools writes one for `pip install -e`
        @classmethod
        def find_spec(cls, fullname: str, path: Any = None, target: Any = None) -> Any:
            file = tmp_path / f"{fullname}.py"
            return spec_from_file_location(fullname, file) if file.exists() else None

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder])
    module: Any = importlib.import_module("editable_for_a_test")
    monkeypatch.setitem(sys.modules, "editable_for_a_test", module)
    assert is_in_module(module.build)
    assert find([parse("model.build", "editable_for_a_test:build")], tmp_path / "elsewhere")
    monkeypatch.setattr(sys, "meta_path", [one for one in sys.meta_path if one is not Finder])
    assert not is_in_module(module.build)
