"""Modules of a user's own run apart from all others, as the bytes that were read."""

import inspect
import pickle
import sys
import traceback
from pathlib import Path

import pytest

from mnist_exp.own_code.code import OwnCode
from mnist_exp.own_code.finding import find
from mnist_exp.own_code.loading import load
from mnist_exp.own_code.names import parse

BUILD = "model.build"


def code_in(folder: Path, name: str, **files: str) -> OwnCode:
    """The code that a name in the settings leads to; files are given as `nets__block`."""
    for module, text in files.items():
        path = folder / f"{module.replace('__', '/').replace('/init', '/__init__')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    code = find([parse(BUILD, name)], folder)
    assert code is not None
    return code


def test_what_was_read_runs_whatever_the_file_holds_by_now(tmp_path: Path) -> None:
    first = code_in(tmp_path, "mine:build", mine="def build(a, b):\n    return 1\n")
    second = code_in(tmp_path, "mine:build", mine="def build(a, b):\n    return 2\n")
    builds = [load("mine:build", BUILD, code) for code in (first, second)]
    assert [build(0, 0) for build in builds] == [1, 2]
    assert "return 2" in inspect.getsource(builds[1])
    (tmp_path / "mine.py").write_text("raise AssertionError\n")
    assert "return 2" in inspect.getsource(builds[1])  # TensorFlow's AutoGraph reads it so
    assert first.digest != second.digest


def test_modules_run_once_for_each_code_and_see_each_other(tmp_path: Path) -> None:
    text = "import mine\ncalls = []\ndef build(a, b):\n    calls.append(mine)\n    return calls\n"
    code = code_in(tmp_path, "mine:build", mine=text)
    assert load("mine:build", BUILD, code)(0, 0) is load("mine:build", BUILD, code)(0, 0)
    again = code_in(tmp_path, "mine:build")
    assert len(load("mine:build", BUILD, again)(0, 0)) == 1


def test_imports_of_every_kind_find_the_files_beside(tmp_path: Path) -> None:
    code = code_in(
        tmp_path,
        "nets.models:build",
        nets__init="from . import block\nfrom .block import SIZE\n",
        nets__block="SIZE = 1\n",
        nets__deep__leaf="VALUE = 'leaf'\n",  # a folder without __init__.py
        nets__models=(
            "import json\nimport nets.deep.leaf as leaf\nimport nets.block\n"
            "from .. import helpers as up\nfrom nets import block as b, SIZE\n"
            "from helpers import *\n"
            "def build(a, b_):\n"
            "    from .late import LATE\n"
            "    import other.late as late\n"
            "    return leaf.VALUE, nets.block.SIZE, b.SIZE, SIZE, up.HELP, HELP, LATE, late.X\n"
        ),
        nets__late="LATE = 'late'\n",
        helpers="HELP = 'help'\n",
        other__late="X = 'x'\n",
        unused="UNUSED = 1\n",
    )
    build = load("nets.models:build", BUILD, code)
    for path in tmp_path.rglob("*.py"):
        path.unlink()
    assert build(0, 0) == ("leaf", 1, 1, 1, "help", "help", "late", "x")
    assert sorted(code.sources) == [
        "helpers.py",
        "nets/__init__.py",
        "nets/block.py",
        "nets/deep/leaf.py",
        "nets/late.py",
        "nets/models.py",
        "other/late.py",
    ]
    assert not {"nets", "helpers", "other"} & {*sys.modules}


def test_a_package_that_imports_its_modules_by_name_has_them_all(tmp_path: Path) -> None:
    code = code_in(
        tmp_path,
        "zoo:build",
        zoo__init=(
            "import importlib, pkgutil\nfound = {}\n"
            "for module in pkgutil.iter_modules(__path__):\n"
            "    found[module.name] = importlib.import_module(f'{__name__}.{module.name}').X\n"
            "def build(a, b):\n    return found\n"
        ),
        zoo__a="X = 1\n",
        zoo__b="X = 2\n",
    )
    (tmp_path / "zoo/a.py").write_text("X = 99\n")
    assert load("zoo:build", BUILD, code)(0, 0) == {"a": 1, "b": 2}


def test_a_module_may_be_named_as_an_installed_one(tmp_path: Path) -> None:
    code = code_in(
        tmp_path,
        "random:build",
        random="import json, yaml\ndef build(a, b):\n    return json.dumps(a), yaml.X, yaml\n",
        yaml="X = 1\n",
        json__init="def dumps(a):\n    return 'mine'\n",
        time="raise AssertionError\n",
    )
    import random

    import yaml

    assert load("random:build", BUILD, code)(0, 0)[:2] == ("mine", 1)
    assert sys.modules["random"] is random
    assert sys.modules["yaml"] is yaml


def test_classes_work_as_in_every_module(tmp_path: Path) -> None:
    text = (
        "from __future__ import annotations\n"
        "import dataclasses, enum, typing\n"
        "@dataclasses.dataclass(slots=True)\nclass Size:\n    n: typing.ClassVar[int] = 1\n"
        "    m: int = 2\n"
        "class Kind(enum.Enum):\n    A = 1\n"
        "def build(a, b):\n    return Size(), Kind.A, typing.get_type_hints(Size)\n"
    )
    size, kind, hints = load("mine:build", BUILD, code_in(tmp_path, "mine:build", mine=text))(0, 0)
    assert pickle.loads(pickle.dumps((size, kind))) == (size, kind)
    assert hints["m"] is int
    assert "class Size" in inspect.getsource(type(size))


def test_tracebacks_show_the_file_and_the_lines_that_ran(tmp_path: Path) -> None:
    code = code_in(tmp_path, "mine:build", mine="def build(a, b):\n    return 1 / 0\n")
    build = load("mine:build", BUILD, code)
    (tmp_path / "mine.py").write_text("# another text\n" * 3)
    with pytest.raises(ZeroDivisionError) as caught:
        build(0, 0)
    shown = "".join(traceback.format_exception(caught.value))
    assert f'File "{tmp_path}/mine.py", line 2, in build\n    return 1 / 0' in shown


def test_released_modules_are_forgotten_and_functions_go_on(tmp_path: Path) -> None:
    code = code_in(tmp_path, "mine:build", mine="X = 3\ndef build(a, b):\n    return X\n")
    build = load("mine:build", BUILD, code)
    assert code.modules.package in sys.modules
    code.modules.release()
    assert not [name for name in sys.modules if name.startswith(code.modules.package)]
    assert build(0, 0) == 3


@pytest.mark.parametrize(
    "late",
    [
        "import helpers",
        "from . import helpers",
        "import nets.helpers as helpers",
        "from .helpers import late as helpers",
        "from nets.helpers import *",
    ],
)
def test_functions_go_on_to_import_from_released_modules(tmp_path: Path, late: str) -> None:
    code = code_in(
        tmp_path,
        "nets.mine:build",
        helpers="",
        nets__init="",
        nets__helpers="late = helpers = [1]\n",
        nets__late="X = 1\n",
        nets__mine=f"{late}\ndef build(a, b):\n    global helpers\n    first = helpers\n"
        f"    {late.replace('*', 'helpers')}\n    from .late import X\n"
        "    return first is helpers and X\n",
    )
    build = load("nets.mine:build", BUILD, code)
    for _ in range(2):
        code.modules.release()
        assert build(0, 0) == 1
    code.modules.release()
    assert not [name for name in sys.modules if name.startswith(code.modules.package)]


def test_a_module_whose_code_raises_runs_anew_the_next_time(tmp_path: Path) -> None:
    text = "import builtins\nbuiltins.tries = getattr(builtins, 'tries', 0) + 1\n1 / 0\n"
    code = code_in(tmp_path, "mine:build", mine=text + "def build(a, b): ...\n")
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            code.modules.import_module("mine")
    import builtins

    assert vars(builtins).pop("tries") == 2


@pytest.mark.parametrize(
    "source",
    [
        b"\xef\xbb\xbf# a mark of its encoding\nX = 'd\xc3\xa9j\xc3\xa0'\n",
        b"# -*- coding: latin-1 -*-\nX = 'd\xe9j\xe0'\n",
        "X = 'déjà'\r\n".encode(),
    ],
)
def test_every_encoding_that_python_reads(tmp_path: Path, source: bytes) -> None:
    (tmp_path / "mine.py").write_bytes(source + b"def build(a, b):\n    return X\n")
    code = code_in(tmp_path, "mine:build")
    assert load("mine:build", BUILD, code)(0, 0) == "déjà"
    assert code.sources["mine.py"].startswith(source)
