"""The source of a function is found where Python would import it, without running any of it."""

import importlib
import os
import sys
import zipfile
from pathlib import Path

import pytest

from mnist_exp.own_code import finding
from mnist_exp.own_code.code import OwnCode
from mnist_exp.own_code.failures import OwnCodeError
from mnist_exp.own_code.finding import find, is_of_others
from mnist_exp.own_code.loading import load
from mnist_exp.own_code.names import parse

BUILD, LOSS = "model.build", "loss.function"


def find_in(folder: Path, name: str = "mine:build", setting: str = BUILD) -> OwnCode:
    code = find([parse(setting, name)], folder)
    assert code is not None
    return code


def refused(
    folder: Path, name: str, setting: str = BUILD, options: dict[str, int] | None = None
) -> list[str]:
    with pytest.raises(OwnCodeError) as caught:
        find([parse(setting, name, options)], folder)
    lines = str(caught.value).split("\n")
    assert len(lines) <= 2
    return lines


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder, of which `sys.path` knows nothing, as for the command mnist-exp."""
    here = tmp_path / "my runs (2)"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    return here


def test_nothing_of_it_runs(folder: Path) -> None:
    (folder / "mine.py").write_text("raise AssertionError\ndef build(a, b): ...\n")
    assert find_in(folder).sources == {"mine.py": (folder / "mine.py").read_bytes()}


def test_the_current_folder_comes_first_then_pythonpath_then_packages(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = {"here": folder, "path": tmp_path / "path", "site": tmp_path / "site-packages"}
    for place in places.values():
        place.mkdir(exist_ok=True)
        (place / "mine.py").write_text(f"import beside\ndef build(a, b): return {place.name!r}\n")
        (place / "beside.py").write_text("X = 1\n")
    monkeypatch.setattr(sys, "path", [str(places["path"]), str(places["site"]), *sys.path])
    assert sorted(find_in(folder).sources) == ["beside.py", "mine.py"]
    assert load("mine:build", BUILD, find_in(folder))(0, 0) == folder.name
    for name in ("mine.py", "beside.py"):
        (folder / name).unlink()
    assert load("mine:build", BUILD, find_in(folder))(0, 0) == "path"
    assert find_in(folder).file("mine.py") == f"{places['path']}/mine.py"
    for name in ("mine.py", "beside.py"):
        (places["path"] / name).unlink()
    found = find_in(folder)
    assert sorted(found.sources) == ["mine.py"]  # its neighbours there are packages of others


def test_an_installed_package_is_recorded_whole_as_far_as_it_is_imported(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site-packages"
    (site / "course").mkdir(parents=True)
    (site / "course/__init__.py").write_text("import numpy\n")
    (site / "course/nets.py").write_text("from .parts import part\ndef build(a, b): ...\n")
    (site / "course/parts.py").write_text("part = 1\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(site)])
    found = find_in(folder, "course.nets:build")
    assert sorted(found.sources) == ["course/__init__.py", "course/nets.py", "course/parts.py"]


@pytest.mark.parametrize(
    ("listed", "names"),
    [
        ("theirs-1.dist-info/RECORD", "theirs/__init__.py,sha256=abc,12\ntheirs_too.py,,\n"),
        ("theirs.egg-info/installed-files.txt", "../theirs/__init__.py\n../theirs_too.py\n"),
    ],
)
def test_what_an_installer_put_into_a_folder_with_any_name_is_not_the_users(
    folder: Path, listed: str, names: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "mine.py").write_text(
        "import beside, theirs, theirs_too\nfrom edited import X\ndef build(a, b): ...\n"
    )
    (folder / "beside.py").write_text("X = 1\n")  # `pip install --target=.` is done, too
    for path in ("theirs/__init__.py", "theirs_too.py", "edited/__init__.py"):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text("def made(a, b): ...\n")
    files = {
        listed: names,
        "edited.egg-info/SOURCES.txt": "edited/__init__.py\n",  # as `pip install -e .` leaves it
        "edited-1.dist-info/RECORD": "__editable__.edited-1.pth,,\nedited-1.dist-info/RECORD,,\n",
    }
    for path, text in files.items():
        (folder / path).parent.mkdir()
        (folder / path).write_text(text)
    assert sorted(find_in(folder).sources) == ["beside.py", "edited/__init__.py", "mine.py"]
    assert list(find_in(folder, "theirs:made").sources) == ["theirs/__init__.py"]
    monkeypatch.syspath_prepend(folder)
    for name, is_theirs in (("theirs", True), ("edited", False), ("beside", False)):
        monkeypatch.setitem(sys.modules, name, importlib.import_module(name))
        assert is_of_others(name) == is_theirs


def test_links_and_archives_are_followed(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.txt"
    elsewhere.write_text("def build(a, b): return 1\n")
    (folder / "mine.py").symlink_to(elsewhere)
    assert load("mine:build", BUILD, find_in(folder))(0, 0) == 1
    with zipfile.ZipFile(tmp_path / "code.zip", "w") as archive:
        archive.writestr("packed.py", "def build(a, b): return 2\n")
    sys.path.append(str(tmp_path / "code.zip"))
    assert load("packed:build", BUILD, find_in(folder, "packed:build"))(0, 0) == 2


def test_code_of_this_project_is_not_the_users(folder: Path) -> None:
    (folder / "mnist_exp").mkdir()
    (folder / "mnist_exp/__init__.py").write_text("")
    (folder / "mine.py").write_text("from mnist_exp.errors import UserError\ndef build(a, b): ...")
    assert list(find_in(folder).sources) == ["mine.py"]
    assert refused(folder, "mnist_exp.errors:UserError") == [
        "model.build=mnist_exp.errors:UserError: mnist_exp is no module of your own"
    ]


def test_a_module_that_is_nowhere(folder: Path) -> None:
    (folder / "my_models.py").write_text("def resnet(a, b): ...\n")
    (folder / "nets").mkdir()
    (folder / "nets/block.py").write_text("def resnet(a, b): ...\n")
    first, second = refused(folder, "my_model:resnet")
    assert first == "model.build=my_model:resnet: no module my_model; did you mean my_models?"
    assert second.startswith(f"Looked in {folder} (modules: my_models) and in the packages that")
    assert second.endswith(f" are installed for {sys.executable}")
    assert refused(folder, "nets.blok:resnet") == [
        "model.build=nets.blok:resnet: no module blok in nets; did you mean block?",
        "Modules: block",
    ]
    assert refused(folder, "nets:resnet") == [
        "model.build=nets:resnet: nets is a folder, without __init__.py",
        "Its modules: nets.block",
    ]
    assert "is a part of Python; expected a module of your own" in refused(folder, "os:system")[0]
    assert "has no source that can be recorded" in refused(folder, "sys:exit")[0]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("mine.py:build", "mine:build"),
        ("./mine.py:build", "mine:build"),
        ("nets/mine.py:build", "nets.mine:build"),
        ("mine.build", "mine:build"),
        ("mine", "mine:FUNCTION"),
        ("mine.py", "mine:FUNCTION"),
        ("mine::build", "mine:build"),
        ("mine:build(depth=8)", "mine:build"),
        (":build", None),
        ("mine:", "mine:FUNCTION"),
        ("mine:a.b", None),
        ("", None),
        ("a..b:c", None),
    ],
)
def test_names_of_another_form(typed: str, meant: str | None) -> None:
    with pytest.raises(OwnCodeError) as caught:
        parse(BUILD, typed)
    hint = f"; did you mean {BUILD}={meant}?" if meant else f", such as {BUILD}=my_models:resnet"
    first, second = str(caught.value).splitlines()
    assert first == f"{BUILD}={typed}: expected MODULE:FUNCTION{hint}"
    assert second == "MODULE is a file of this folder without .py, or an installed module"


def test_what_has_no_module_is_told_where_to_write_it() -> None:
    for typed, words in (
        ("lambda shape, classes: None", "a lambda has no name that a record could keep"),
        ("mine:lambda x: x", "a lambda has no name that a record could keep"),
        ("mine.ipynb:build", "a notebook is no module"),
    ):
        with pytest.raises(OwnCodeError, match=words) as caught:
            parse(BUILD, typed)
        assert f"{BUILD}=my_models:resnet" in str(caught.value).splitlines()[1]


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("def built(a, b): ...", "mine.py has no function build; did you mean built?"),
        ("class build: ...", "build is a class; expected a function def build(input_shape,"),
        ("build = lambda a, b: 1", "build is a lambda; expected"),
        ("build: object = lambda a, b: 1", "build is a lambda; expected"),
        ("build = 3", "build is the constant 3; expected"),
        ("build = [1, 2]", "build is a list; expected"),
        ("async def build(a, b): ...", "build is an async function; expected"),
        ("def build(shape): ...", "expected build(input_shape, num_classes, **options), found bui"),
        ("def build(:", "invalid syntax"),
        ("x = 1\n\treturn 2", "unexpected indent"),
        ("return 1", "'return' outside function"),
        ("if 1:\n    pass\nelse:\n    def built(a, b): ...", "did you mean built?"),
        ("x = '\\0'\0", "null bytes"),
    ],
)
def test_functions_that_are_none(folder: Path, source: str, answer: str) -> None:
    (folder / "mine.py").write_text(source + "\n")
    lines = refused(folder, "mine:build")
    assert answer in lines[0]
    assert lines[0].startswith("model.build=mine:build: ")
    assert "mine.py" in "".join(lines)


@pytest.mark.parametrize(
    "source",
    [
        "try:\n    def build(a, b): ...\nexcept OSError: ...",
        "if 1:\n    pass\nelse:\n    def build(a, b): ...",
        "with open('x'):\n    def build(a, b): ...",
        "for build in []: ...",
        "match 1:\n    case 1:\n        def build(a, b): ...",
        "from functools import partial\ndef f(a, b): ...\nbuild = partial(f)",
        "from os.path import join as build",
        "from other import *",
        "globals()['build'] = 1",
        "def __getattr__(name): ...",
        "def f():\n    global build\n    def build(a, b): ...\nf()",
        "def build(*shapes, **options): ...",
        "import functools\n@functools.cache\ndef build(a, b): ...",
        "def f(a, b): ...\nx = build = f",
    ],
)
def test_what_only_running_shows_is_not_refused_before(folder: Path, source: str) -> None:
    (folder / "mine.py").write_text(source + "\n")
    (folder / "other.py").write_text("X = 1\n")
    find_in(folder)


@pytest.mark.parametrize(
    ("arguments", "given", "answer"),
    [
        ("s, k, depth=8", {"dept": 3}, "model.options.dept=3: build of mine.py takes no such opt"),
        ("s, k", {"x": 1}, "model.options.x=1: build of mine.py takes no such option"),
        ("s, k, depth=8", {"s": 1}, "model.options.s=1: build of mine.py takes no such option"),
        ("s, k, **more", {"k": 1}, "model.options.k=1: build of mine.py takes no such option"),
        ("s, k, depth", {}, "model.build=mine:build: build of mine.py needs the option depth"),
        ("s, k, *, depth", {}, "model.build=mine:build: build of mine.py needs the option depth"),
        ("s, k, a=1, /", {"a": 1}, "model.options.a=1: build of mine.py takes no such option"),
        ("s, k=1, depth=8", {"depth": 1}, None),
        ("s, k, *, depth", {"depth": 1}, None),
        ("s, k, **more", {"any": 1}, None),
        ("*all, depth=1", {"depth": 1}, None),
    ],
)
def test_options_by_the_signature(
    folder: Path, arguments: str, given: dict[str, int], answer: str | None
) -> None:
    (folder / "mine.py").write_text(f"def build({arguments}): ...\n")
    if answer is None:
        find([parse(BUILD, "mine:build", given)], folder)
        return
    lines = refused(folder, "mine:build", options=given)
    assert lines[0].startswith(answer)


def test_files_that_cannot_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "mine.py").write_text("def build(a, b): ...\n")
    monkeypatch.setattr(finding, "MOST_BYTES", 10)
    said = refused(folder, "mine:build")[0]
    assert "mine.py: expected at most 10 bytes of source, found 21" in said
    if os.getuid():
        monkeypatch.setattr(finding, "MOST_BYTES", 100)
        (folder / "mine.py").chmod(0)
        assert "Permission denied" in refused(folder, "mine:build")[0]


def test_modules_that_import_each_other_and_many_of_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(6):
        (folder / f"m{i}.py").write_text(f"import m{(i + 1) % 6}\ndef build(a, b): ...\n")
    assert len(find_in(folder, "m0:build").sources) == 6
    monkeypatch.setattr(finding, "MOST_FILES", 5)
    assert refused(folder, "m0:build") == [
        "model.build=m0:build: imports more than 5 modules beside it",
        "A function of a large package can be called in one of your own",
    ]


def test_losses_have_arguments_of_their_own(folder: Path) -> None:
    (folder / "mine.py").write_text("def focal(labels): ...\n")
    assert (
        "expected focal(labels, logits, **options), found focal(labels)"
        in (refused(folder, "mine:focal", LOSS)[0])
    )


@pytest.mark.parametrize(
    ("setting", "parameters", "expected"),
    [
        ("model.build", "input_shape, depth, num_classes=10", "num_classes as the second"),
        ("model.build", "num_classes, input_shape", "input_shape as the first"),
        ("loss.function", "y_pred, y_true", "labels as the first"),
        ("model.build", "shape, n_classes, depth=8", ""),
        ("model.build", "a, b", ""),
        ("loss.function", "y_true, y_pred, gamma=2", ""),
    ],
)
def test_arguments_are_given_by_position_to_parameters_in_that_order_alone(
    tmp_path: Path, setting: str, parameters: str, expected: str
) -> None:
    (tmp_path / "mine.py").write_text(f"def made({parameters}):\n    return None\n")
    function = parse(setting, "mine:made")
    if not expected:
        assert find([function], tmp_path) is not None
        return
    with pytest.raises(OwnCodeError, match=expected) as refused:
        find([function], tmp_path)
    assert parameters in str(refused.value) or "=" in parameters
