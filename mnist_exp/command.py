"""What the commands beside training share: how a mistake is answered, their options, their output folder."""

import argparse
import gc
import os
import signal
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from mnist_exp.errors import Killed, UserError
from mnist_exp.outside.printing import use_any_encoding


class Parser(argparse.ArgumentParser):
    """Raises UserError for a mistake, with `hint` as its second line."""

    def __init__(self, *, hint: str, **settings: Any) -> None:
        super().__init__(allow_abbrev=False, **settings)
        self._hint = hint

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}\n{self._hint}")


@contextmanager
def answered(*mistakes: type[Exception]) -> Iterator[None]:
    """End the process with exit code 1 and one or two lines for these errors, with 128 + N for signal N.

    HYDRA_FULL_ERROR=1 shows the traceback instead.
    """
    open_streams()
    require_folder()
    let_others_warn()
    use_any_encoding()
    try:
        yield
    except mistakes as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            raise
        from mnist_exp.config.mistakes import explain

        sys.exit(f"mnist_exp: {explain(error)}")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except Killed as killed:
        sys.exit(killed.exit_code)


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Pause the garbage collector for code that makes many objects which stay alive anyway.

    Searching them for garbage again and again costs more than the garbage found is worth. What exists
    at the end is exempt from later searches, too. Does nothing if the collector is off already.
    """
    if not gc.isenabled():
        yield
        return
    gc.collect()  # what is garbage by now would be exempt, too, and stay
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def open_streams() -> None:
    """Give a process that was started with a closed standard stream (`<&-`, `>&-`) an empty one in its place.

    Else the next file that it opens, the database perhaps, gets that number, and takes what is printed.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "r" if number == 0 else "w", closefd=False))  # noqa: SIM115


def require_folder() -> None:
    """End the process with exit code 1 if the current folder was deleted, where nothing can be found or written."""
    try:
        os.getcwd()
    except OSError:
        sys.exit("mnist_exp: the current folder is not there any more; change to one that is")


def let_others_warn() -> None:
    """Under `-W error` only this package's own warnings are errors: MLflow and SQLAlchemy warn in every run."""
    if any(option.startswith("error") for option in sys.warnoptions):
        warnings.filterwarnings("ignore", module=r"(?!mnist_exp\b)")


def add_store(parser: argparse.ArgumentParser) -> None:
    """The argument tracking.uri=URI, whose value `uri` is the URI, or None. Raises UserError for anything else."""
    parser.add_argument(
        "uri", nargs="?", type=_uri, metavar="tracking.uri=URI", help="another store than the usual"
    )


def split_store(arguments: Iterable[str]) -> tuple[list[str], str | None]:
    """Return (the other arguments, the URI of the last tracking.uri=URI or None)."""
    others: list[str] = []
    uri = None
    for argument in arguments:
        if argument.startswith("tracking.uri="):
            uri = argument.removeprefix("tracking.uri=")
        else:
            others.append(argument)
    return others, uri


def _uri(text: str) -> str:
    if not text.startswith("tracking.uri="):
        raise UserError(f"{text}: expected tracking.uri=URI")
    return text.removeprefix("tracking.uri=")


def output_folder(text: str) -> Path:
    """The folder of `--output`. Raises UserError if there is none."""
    folder = Path(text)
    if not folder.is_dir():
        raise UserError(f"--output {folder}: no such folder")
    return folder


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write {name: text} there. Raises UserError if that cannot be done."""
    try:
        for name, text in files.items():
            put(folder / name, text.encode())
    except OSError as error:
        raise UserError(f"--output {folder}: cannot write there ({error.strerror})") from error


def put(path: Path, content: bytes) -> None:
    """Make a file with this content, whole or not at all.

    A link of that name is replaced: what it leads to, another file of the user's perhaps, keeps its content.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
