"""What the code of a user's own raises, as an error that shows the user's lines alone."""

import re
import sysconfig
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from mnist_exp.errors import ConfigError, UserError, first_line
from mnist_exp.own_code import isolation
from mnist_exp.sweeper.foreign_text import clean, printable

_PACKAGE_DIR = Path(__file__).parent.parent
# Keras raises an error again, with a text that begins so, and writes parts of it in bold.
_KERAS_AGAIN = re.compile(
    r"(\x1b\[\d*m)*(Exception encountered when calling|Could not automatically infer)"
)
_BOLD = re.compile(r"\x1b\[\d*m")
_MOST_LINES = 60  # of a traceback that are shown


class OwnCodeError(ConfigError):
    """Code of the user's own that cannot be used.

    `user_traceback` holds the user's lines, if their code raised something.
    """

    user_traceback: str = ""


@contextmanager
def calling(name: str, setting: str) -> Iterator[None]:
    """Raise OwnCodeError, which shows the user's lines, for what the user's code raises."""
    try:
        yield
    except UserError:
        raise
    except (Exception, SystemExit) as error:
        raise failure(name, setting, error) from error


def failure(name: str, setting: str, error: BaseException) -> OwnCodeError:
    """Return what the user's code has raised: the error in a line, and where in another."""
    cause = _cause(error)
    reason = clean(isolation.plain(first_line(cause)), 300)
    kind = type(cause).__name__
    stack = _user_frames(error)
    place = ""
    if stack:
        last = stack[-1]
        place = f"\n{shown_file(last.filename)}, line {last.lineno}: {clean(last.line, 200)}"
    said = f"{kind}: {reason}" if reason != kind else kind
    own = OwnCodeError(f"{setting}={name}: {said}{place}")
    own.user_traceback = _user_traceback(error) if stack else ""
    return own


def _cause(error: BaseException) -> BaseException:
    """Return the error that was raised first, where Keras has raised it again around a layer."""
    while _KERAS_AGAIN.match(str(error)) and error.__context__ is not None:
        error = error.__context__
    return error


def shown_file(file: str) -> str:
    """Return a file's path as a person knows it: relative to the current folder, if it is there."""
    path = Path(file)
    with_folder = path.is_absolute() and path.is_relative_to(Path.cwd())
    return clean(path.relative_to(Path.cwd()) if with_folder else path, 300)


def _user_frames(error: BaseException) -> traceback.StackSummary:
    """Return the lines of the user's own code that led to the error, from their module on."""
    frames = [
        (frame, line) for frame, line in traceback.walk_tb(error.__traceback__) if _is_own(frame)
    ]
    of_modules = [isolation.is_of_modules(frame.f_globals.get("__name__")) for frame, _ in frames]
    frames = frames[of_modules.index(True) :] if any(of_modules) else frames
    return traceback.StackSummary.extract(iter(frames))


def _is_own(frame: FrameType) -> bool:
    if isolation.is_of_modules(frame.f_globals.get("__name__")):
        return True
    file = frame.f_code.co_filename
    if file.startswith("<frozen"):
        return False
    others = (str(_PACKAGE_DIR), *_installed())
    return not any(Path(file).is_relative_to(folder) for folder in others)


def _installed() -> list[str]:
    """Return the folders of Python's own modules and of installed packages."""
    paths = sysconfig.get_paths()
    return [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]


def _user_traceback(error: BaseException) -> str:
    """Return Python's traceback without the frames of others, in printable lines."""
    shown = traceback.TracebackException.from_exception(error)
    _keep_own(shown, error)
    lines = _BOLD.sub("", "".join(shown.format())).rstrip("\n").split("\n")
    lines = [printable(line) for line in lines]
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES // 2], "  ...", *lines[-_MOST_LINES // 2 :]]
    return isolation.plain("\n".join(lines))


def _keep_own(shown: traceback.TracebackException, error: BaseException) -> None:
    """Keep of a traceback, and of those of the errors before it, the user's own lines."""
    shown.stack = _user_frames(error)
    for name in ("__cause__", "__context__"):
        before, raised = getattr(shown, name), getattr(error, name)
        if before is None or raised is None:
            continue
        if _user_frames(raised):
            _keep_own(before, raised)
        else:
            setattr(shown, name, None)
