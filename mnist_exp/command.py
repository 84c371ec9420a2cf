"""What the commands share: a command line, how a mistake is answered, how files are written."""

import argparse
import errno
import gc
import os
import re
import shutil
import signal
import sys
import tempfile
import textwrap
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from mnist_exp.config.commands import DASHES, asks_for_help
from mnist_exp.errors import Killed, UserError, did_you_mean
from mnist_exp.outside.full_disks import full_disk
from mnist_exp.outside.printing import use_any_encoding

_STORE = "tracking.uri="
_STORE_HELP = "another MLflow store than MLFLOW_TRACKING_URI or the current folder's"


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Wraps texts to the terminal, at most 100 columns; examples and tables stay as written."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=min(shutil.get_terminal_size().columns, 100) - 2)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        paragraphs = text.split("\n\n")
        return "\n\n".join(
            part
            if "\n " in part
            else textwrap.fill(
                part.replace("\n", " "), width, initial_indent=indent, subsequent_indent=indent
            )
            for part in paragraphs
        )

    def _format_usage(self, usage: str | None, *_: Any) -> str:
        line = f"usage: {usage}"
        return textwrap.fill(line, self._width, subsequent_indent=" " * 7) + "\n\n"


class Parser(argparse.ArgumentParser):
    """The command line of `python -m MODULE`.

    A mistake in it is a UserError whose second line is the usage. With `store`, the argument
    tracking.uri=URI may stand anywhere among the others; `uri` of the result is the last URI, or
    None.
    """

    def __init__(
        self,
        module: str,
        description: str | None = None,
        examples: str | None = None,
        *,
        usage: str = "[options]",
        store: bool = True,
    ) -> None:
        """Set what --help shows: `usage` follows `python -m MODULE`, `examples` are at the end."""
        parts = [f"python -m {module}", usage, "[tracking.uri=URI]" if store else ""]
        line = " ".join(filter(None, parts))
        super().__init__(
            prog=f"python -m {module}",
            usage=line,
            description=description,
            epilog=examples,
            formatter_class=_Formatter,
            allow_abbrev=False,
        )
        self._positionals.title = "arguments"
        self._usage, self._has_store = f"usage: {line}; --help shows all options", store
        if store:
            self.add_argument_group("store", f"{_STORE}URI  {_STORE_HELP}")

    def parse_args(self, args: Iterable[str] | None = None, namespace: Any = None) -> Any:
        """Return the options by their names, and the store's `uri`. Raises UserError."""
        arguments = sys.argv[1:] if args is None else list(args)
        self._refuse_other_forms(arguments)
        if not self._has_store:
            return super().parse_args(arguments, namespace)
        uris = [
            _unquoted(text.removeprefix(_STORE)) for text in arguments if text.startswith(_STORE)
        ]
        others = [text for text in arguments if not text.startswith(_STORE)]
        options = super().parse_args(others, namespace)
        options.uri = uris[-1] if uris else None
        return options

    def _refuse_other_forms(self, arguments: Sequence[str]) -> None:
        """Raise UserError for a word that means --help, and for a dash of a word processor."""
        if len(arguments) == 1 and asks_for_help(arguments[0]):
            self.error(f"{arguments[0]}: expected --help")
        for text in arguments:
            option = f"--{text.lstrip(DASHES).partition('=')[0]}"
            if text[:1] in DASHES[1:] and option in self._option_string_actions:
                self.error(f"{text}: begins with another dash; expected {option}")

    def error(self, message: str) -> NoReturn:
        """Raise UserError with argparse's message, an option that may be meant, and the usage."""
        unknown = re.search(rf"unrecognized arguments: ([{DASHES}]\S+)", message)
        near = did_you_mean(unknown[1], self._option_string_actions) if unknown else ""
        raise UserError(f"{message}{near}\n{self._usage}")


def _unquoted(value: str) -> str:
    """Return a value without the quotes in which Hydra's command line takes one with spaces.

    Backslashes before a quote and at the end are half of them, as Hydra reads them.
    """
    quote = value[:1]
    if len(value) < 2 or quote not in ('"', "'") or value[-1] != quote:
        return value
    return re.sub(rf"(\\+)({quote}|\Z)", lambda m: "\\" * (len(m[1]) // 2) + m[2], value[1:-1])


def main(run: Callable[[Sequence[str]], int | None], *mistakes: type[Exception]) -> None:
    """Run a command on the process's arguments, and exit with the exit code if it returns one.

    A UserError, and each of `mistakes`, is answered as `answered` says.
    """
    with answered(UserError, *mistakes):
        exit_code = run(sys.argv[1:])
    if exit_code is not None:
        sys.exit(exit_code)


@contextmanager
def answered(*mistakes: type[Exception]) -> Iterator[None]:
    """End the process with exit code 1 and one or two lines for these errors, and for a full disk.

    Ctrl-C and a signal N that asks the process to end give exit code 128 + N. With the variable
    HYDRA_FULL_ERROR=1 an error shows its traceback instead.
    """
    shows_traceback = os.environ.get("HYDRA_FULL_ERROR") == "1"
    open_streams()
    require_folder()
    let_others_warn()
    use_any_encoding()
    try:
        yield
    except mistakes as error:
        if shows_traceback:
            raise
        fail(error)
    except Killed as killed:
        sys.exit(killed.exit_code)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    except OSError as error:
        line = full_disk(error)
        if line is None or shows_traceback:
            raise
        fail(UserError(line))


def fail(error: BaseException) -> NoReturn:
    """End the process with exit code 1 and one or two lines that say what is wrong."""
    from mnist_exp.config.mistakes import explain

    lines = getattr(error, "user_traceback", "")  # of code of the user's own
    sys.exit(f"{lines}\nmnist_exp: {explain(error)}" if lines else f"mnist_exp: {explain(error)}")


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Pause the garbage collector for code that makes many objects which stay alive anyway.

    Searching them for garbage again and again costs more than the garbage is worth. What exists at
    the end is exempt from later searches, too. Does nothing if the collector is off already.
    """
    if not gc.isenabled():
        yield
        return
    gc.collect()  # otherwise present garbage would be exempt, too, and stay
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def open_streams() -> None:
    """Replace each standard stream that was closed (`<&-`, `>&-`) when the process started.

    Otherwise the next file that the process opens, perhaps the database, would get the number of
    that stream, and what is printed would be written into the file.
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
            mode = "r" if number == 0 else "w"
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115  # stays open


def require_folder() -> None:
    """End the process with exit code 1 if the current folder was deleted."""
    try:
        os.getcwd()
    except OSError:
        sys.exit("mnist_exp: the current folder was deleted; change to one that exists")


def let_others_warn() -> None:
    """Make only this package's own warnings errors under `-W error`.

    MLflow and SQLAlchemy warn in every run.
    """
    if any(option.startswith("error") for option in sys.warnoptions):
        warnings.filterwarnings("ignore", module=r"(?!mnist_exp\b)")


def output_folder(text: str) -> Path:
    """Return the folder of `--output`. Raises UserError if it does not exist or takes no files."""
    folder = Path(text)
    if not folder.is_dir():
        raise UserError(f"--output {folder}: no such folder")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(f"--output {folder}: cannot write there ({error.strerror})") from error
    return folder


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write {path in the folder: content}. Raises UserError if that fails.

    Nothing is written if a folder has the name of one of the files.
    """
    for name in files:
        if (folder / name).is_dir():
            raise UserError(f"--output {folder}: {name} is a folder there; expected a file or none")
    try:
        for name in files:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            put(folder / name, content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise UserError(f"--output {folder}: cannot write there ({error.strerror})") from error


def save(file: str | Path, page: Callable[[], str], rows: Callable[[], str]) -> Path:
    """Write a page, or its rows if the name ends in `.csv`, and return the file's path.

    Raises UserError if it cannot be written there.
    """
    path = Path(file)
    text = rows() if path.suffix.lower() == ".csv" else page()
    try:
        put(path, text.encode())
    except OSError as error:
        raise UserError(f"save {path}: cannot write it ({error.strerror})") from error
    return path


def put(path: Path, content: bytes) -> None:
    """Write a file completely or not at all.

    A link of that name is replaced; the file that it points to, perhaps another one of the user's,
    keeps its content. Raises OSError.
    """
    if not path.name:  # `.`, and `/`
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except BaseException:  # Ctrl-C, too
        partial.unlink(missing_ok=True)
        raise
