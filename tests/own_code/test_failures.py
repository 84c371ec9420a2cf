"""What the user's code raises is shown with their lines alone."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mnist_exp.command import answered
from mnist_exp.config.mistakes import USER_ERRORS
from mnist_exp.errors import Killed, NonFiniteCost
from mnist_exp.own_code.failures import OwnCodeError, calling
from mnist_exp.own_code.finding import find
from mnist_exp.own_code.loading import load
from mnist_exp.own_code.names import parse

NAME = "mine:build"


@pytest.fixture
def failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], OwnCodeError]:
    """What a call of the function in this source fails with, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def of(source: str) -> OwnCodeError:
        (tmp_path / "mine.py").write_text(source)
        code = find([parse("model.build", NAME)])
        with pytest.raises(OwnCodeError) as caught:
            build = load(NAME, "model.build", code)
            with calling(NAME, "model.build"):
                build((2, 2, 1), 3)
        return caught.value

    return of


def test_the_error_and_the_line_then_the_users_traceback(
    failure: Callable[[str], OwnCodeError], tmp_path: Path
) -> None:
    (tmp_path / "block.py").write_text("import json\ndef block(x):\n    return json.loads(x)\n")
    error = failure("from block import block\ndef build(a, b):\n    return block('{')\n")
    assert str(error).split("\n") == [
        "model.build=mine:build: JSONDecodeError: Expecting property name enclosed in double quotes"
        + ": line 1 column 2 (char 1)",
        "block.py, line 3: return json.loads(x)",
    ]
    lines = error.user_traceback.split("\n")
    assert [line for line in lines if line.startswith("  File")] == [
        f'  File "{tmp_path}/mine.py", line 3, in build',
        f'  File "{tmp_path}/block.py", line 3, in block',
    ]
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1].startswith("json.decoder.JSONDecodeError: Expecting property name")


@pytest.mark.parametrize(
    ("source", "first", "second"),
    [
        ("def build(a, b):\n    return 1 / 0", "ZeroDivisionError: division by zero", "line 2"),
        ("1 / 0\ndef build(a, b): ...", "ZeroDivisionError: division by zero", "line 1"),
        ("import nowhere_to_be_found\ndef build(a, b): ...", "ModuleNotFoundError: No", "line 1"),
        (
            "from mine import x\ndef build(a, b): ...",
            "cannot import name 'x' from partia",
            "line 1",
        ),
        ("import sys\nsys.exit(3)\ndef build(a, b): ...", "SystemExit: 3", "line 2"),
        ("def build(a, b):\n    assert a", "", ""),
        ("def build(a, b):\n    build(a, b)", "RecursionError: maximum recursion", "line 2"),
        ("def build(a, b):\n    raise ValueError", "ValueError", "line 2: raise ValueError"),
        (
            "def build(a, b):\n    raise ValueError('\\x1b[31mred\\nblue')",
            "ValueError: \\x1b[31mred",
            "",
        ),
    ],
)
def test_whatever_is_raised(
    source: str, first: str, second: str, failure: Callable[[str], OwnCodeError]
) -> None:
    if not first:
        source = source.replace("assert a", "assert not a, 'a shape'")
        first, second = "AssertionError: a shape", "line 2"
    error = failure(source + "\n")
    lines = str(error).split("\n")
    assert lines[0].startswith("model.build=mine:build: ")
    assert first in lines[0]
    assert lines[1].startswith("mine.py, ")
    assert second in lines[1]
    assert error.user_traceback.startswith("Traceback (most recent call last):\n  File ")
    shown = str(error) + error.user_traceback
    assert "own_code_" not in shown
    assert "mnist_exp" not in shown.replace("mnist_exp/", "")
    assert "\x1b" not in shown


def test_the_errors_before_it_are_shown_as_far_as_they_are_the_users(
    failure: Callable[[str], OwnCodeError],
) -> None:
    error = failure(
        "def build(a, b):\n    try:\n        1 / 0\n    except ZeroDivisionError as e:\n"
        "        raise ValueError('worse') from e\n"
    )
    shown = error.user_traceback
    assert (
        shown.index("ZeroDivisionError: division")
        < shown.index("direct cause")
        < (shown.index("ValueError: worse"))
    )


def test_long_tracebacks_are_cut_in_the_middle(failure: Callable[[str], OwnCodeError]) -> None:
    lines = "\n".join(f"def f{i}(x):\n    return f{i + 1}(x)" for i in range(100))
    error = failure(f"{lines}\ndef f100(x):\n    1 / 0\ndef build(a, b):\n    return f0(a)\n")
    shown = error.user_traceback.split("\n")
    assert len(shown) <= 61
    assert shown[-1] == "ZeroDivisionError: division by zero"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Killed(), NonFiniteCost(1.0, 1, 1)])
def test_what_is_no_fault_of_the_code_passes(error: BaseException) -> None:
    with pytest.raises(type(error)), calling(NAME, "model.build"):
        raise error


def test_a_name_that_only_running_shows_to_be_none(failure: Callable[[str], OwnCodeError]) -> None:
    for source, said in (
        ("from other import *", "mine.py has no function build"),
        ("from collections import OrderedDict as build", "build is a class; expected a function"),
        ("from os import sep as build", "build is a str; expected a function"),
        ("def f(): return lambda a, b: 1\nbuild = f()", "build is a lambda; expected a function"),
    ):
        Path("other.py").write_text("built = 1\n")
        error = failure(source + "\n")
        assert said in str(error)
        assert not error.user_traceback


def test_a_command_shows_the_traceback_above_its_two_lines(
    failure: Callable[[str], OwnCodeError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    error = failure("def build(a, b):\n    1 / 0\n")
    with pytest.raises(SystemExit) as caught, answered(*USER_ERRORS):
        raise error
    lines = str(caught.value.code).split("\n")
    assert lines[-2:] == [
        "mnist_exp: model.build=mine:build: ZeroDivisionError: division by zero",
        "mine.py, line 2: 1 / 0",
    ]
    assert lines[0] == "Traceback (most recent call last):"
    assert sys.modules.get("mine") is None


def test_the_cause_is_shown_where_keras_raises_it_again_around_a_layer(
    failure: Callable[[str], OwnCodeError],
) -> None:
    error = failure(
        "import keras\nclass Mine(keras.Model):\n    def call(self, x):\n        return [1][2]\n"
        "def build(a, b):\n    return Mine()(keras.Input(a))\n"
    )
    assert str(error).split("\n") == [
        "model.build=mine:build: IndexError: list index out of range",
        "mine.py, line 4: return [1][2]",
    ]
    assert "x1b" not in error.user_traceback
    assert "list index out of range" in error.user_traceback
