import errno
import gc
import signal
import sys
import warnings
from pathlib import Path

import pytest

from mnist_exp.api.mistakes import InTwoLines
from mnist_exp.command import (
    Parser,
    answered,
    let_others_warn,
    main,
    output_folder,
    without_garbage_collection,
    write,
)
from mnist_exp.errors import Killed, UserError


def test_a_mistake_ends_in_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    with pytest.raises(SystemExit, match="mnist_exp: two\nlines"), answered(UserError):
        raise UserError("two\nlines")
    with pytest.raises(ValueError, match="ours"), answered(UserError):
        raise ValueError("ours")


def test_a_full_disk_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    with pytest.raises(SystemExit, match="^mnist_exp: No space left"), answered(UserError):
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(IsADirectoryError), answered(UserError):
        raise OSError(errno.EISDIR, "no other error is")
    with pytest.raises(UserError, match="^/proc: No space left"), InTwoLines():
        raise OSError(errno.ENOSPC, "No space left on device", "/proc/x")


def test_a_traceback_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(UserError), answered(UserError):
        raise UserError("wrong")


@pytest.mark.parametrize(
    ("error", "number"),
    [
        (KeyboardInterrupt(), signal.SIGINT),
        (Killed(), signal.SIGTERM),
        (Killed(signal.SIGHUP), signal.SIGHUP),
    ],
)
def test_signals_are_exit_codes(error: BaseException, number: int) -> None:
    with pytest.raises(SystemExit) as ended, answered(UserError):
        raise error
    assert ended.value.code == 128 + number


def test_warnings_of_other_packages_are_no_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "warnoptions", ["error"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        let_others_warn()
        warnings.warn_explicit("old", DeprecationWarning, "x.py", 1, module="sqlalchemy.orm")
        with pytest.raises(UserWarning, match="ours"):
            warnings.warn_explicit(
                "ours", UserWarning, "x.py", 1, module="mnist_exp.tracking.tracker"
            )


def test_an_option_that_does_not_exist_gets_the_usage() -> None:
    with pytest.raises(UserError, match="--nosuch\nusage: python -m pkg.tool FILE; --help shows"):
        Parser("pkg.tool", usage="FILE", store=False).parse_args(["--nosuch"])


@pytest.mark.parametrize(
    ("arguments", "names", "uri"),
    [
        ([], [], None),
        (["a", "tracking.uri=sqlite:///x.db", "b"], ["a", "b"], "sqlite:///x.db"),
        (["tracking.uri=x", "tracking.uri=y=z"], [], "y=z"),
        (["--only", "a", "tracking.uri="], [], ""),
        (['tracking.uri="sqlite:///my runs (2)/x.db"'], [], "sqlite:///my runs (2)/x.db"),
        (["tracking.uri='x y'"], [], "x y"),  # as it stands in a Hydra command
        ([r"tracking.uri='sqlite:////o\'neil\\/x.db'"], [], r"sqlite:////o'neil\\/x.db"),
        ([r"tracking.uri='x\\'"], [], "x\\"),
        (["tracking.uri='"], [], "'"),
        (["tracking=x"], ["tracking=x"], None),
    ],
)
def test_a_store_stands_anywhere_among_the_arguments(
    arguments: list[str], names: list[str], uri: str | None
) -> None:
    parser = Parser("pkg.tool")
    parser.add_argument("--only", nargs="+")
    parser.add_argument("names", nargs="*")
    given = parser.parse_args(arguments)
    assert (given.names, given.uri) == (names, uri)
    assert "tracking.uri=URI" in parser.format_usage()
    assert "tracking.uri=URI  another MLflow store" in parser.format_help()


@pytest.mark.parametrize("columns", [80, 100, 300])
def test_help_fits_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    text = "A long sentence that goes on, " * 9 + "\n\nexamples:\n  a  kept\n  b"
    shown = Parser("pkg.tool", text, text, usage="[--a | --b] " * 9).format_help()
    assert max(map(len, shown.splitlines())) <= min(columns, 100)
    assert shown.count("examples:\n  a  kept\n  b") == 2
    assert "  tracking.uri=URI  another MLflow store" in shown


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["help"], "help: expected --help"),
        (["/?"], "/?: expected --help"),
        (["\N{EM DASH}only", "a"], "\N{EM DASH}only: begins with another dash; expected --only"),
        (["--onyl", "a"], "unrecognized arguments: --onyl a; did you mean --only?"),
    ],
)
def test_other_forms_of_an_option_are_answered(arguments: list[str], answer: str) -> None:
    parser = Parser("pkg.tool")
    parser.add_argument("--only")
    with pytest.raises(UserError) as caught:
        parser.parse_args(arguments)
    assert str(caught.value).splitlines()[0] == answer


def test_a_command_ends_with_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["tool", "7"])
    with pytest.raises(SystemExit) as ended:
        main(lambda arguments: int(arguments[0]))
    assert ended.value.code == 7
    main(lambda arguments: None)


def test_output(tmp_path: Path) -> None:
    write(output_folder(str(tmp_path)), {"a.csv": "1", "b.html": "\u00e9"})
    assert (tmp_path / "b.html").read_text(encoding="utf-8") == "\u00e9"
    with pytest.raises(UserError, match="--output .*nosuch: no such folder"):
        output_folder(str(tmp_path / "nosuch"))
    (tmp_path / "c").mkdir()
    with pytest.raises(UserError, match="c is a folder there; expected a file or none"):
        write(tmp_path, {"new.csv": "1", "c": "a folder is in the way"})
    assert not (tmp_path / "new.csv").exists()
    if Path("/proc/self").is_dir():  # in which not even root makes a file
        with pytest.raises(UserError, match="--output /proc/self: cannot write there"):
            output_folder("/proc/self")


def test_output_never_writes_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("kept")
    (tmp_path / "a.csv").symlink_to("precious")
    (tmp_path / "b.csv").hardlink_to(tmp_path / "precious")
    write(tmp_path, {"a.csv": "1", "b.csv": "2"})
    assert (tmp_path / "precious").read_text() == "kept"
    assert ((tmp_path / "a.csv").read_text(), (tmp_path / "b.csv").read_text()) == ("1", "2")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "b.csv", "precious"]


def test_the_garbage_collector_is_paused_and_comes_back_on() -> None:
    before = gc.get_freeze_count()
    try:
        with pytest.raises(ValueError, match="ours"), without_garbage_collection():
            assert not gc.isenabled()
            with without_garbage_collection():
                assert not gc.isenabled()
            assert not gc.isenabled()  # the inner one did not switch it on
            raise ValueError("ours")
        assert gc.isenabled()
        assert gc.get_freeze_count() > before
    finally:
        gc.unfreeze()
