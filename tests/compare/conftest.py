"""The command, run in the test's process."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def command(workdir: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run `python -m mnist_exp.compare ARGUMENTS` in this process.

    It returns (exit code, standard output, standard error).
    """
    import sys

    from mnist_exp.command import main
    from mnist_exp.compare.__main__ import run as compare

    def run(*arguments: str) -> tuple[int, str, str]:
        before, code = sys.argv, 0
        sys.argv = ["compare", *arguments]
        try:
            main(compare)
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
            print(error.code or "", file=sys.stderr)
        finally:
            sys.argv = before
        out, err = capsys.readouterr()
        return code, out, err.strip()

    return run
