"""A study of `-m sweeps=NAME`, begun from Python: its trials are trained by other processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence

from mnist_exp.config.groups import own_folder_flags
from mnist_exp.config.tree import compose_study
from mnist_exp.errors import UserError
from mnist_exp.experiment.screens import Screen

_MISTAKE = "mnist_exp: "  # what the command's answer to a mistake begins with


def names_study(overrides: Sequence[str]) -> bool:
    """Return whether overrides choose one of the files of `sweeps/`."""
    return any(
        text.startswith("sweeps=") and text not in ("sweeps=", "sweeps=null") for text in overrides
    )


def run_study(overrides: Sequence[str], screen: Screen, *, quiet: bool) -> tuple[str, str | None]:
    """Run the study to its end; return its name and its `tracking.uri`.

    Ctrl-C stops it as it stops the command: the same call goes on with the trials that wait. Raises
    UserError with what the command says of a mistake.
    """
    name, uri = compose_study(overrides)
    command = [sys.executable, "-m", "mnist_exp", *own_folder_flags(), "-m", *overrides]
    environment = os.environ | {"PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"}
    environment.pop("FORCE_COLOR", None)  # a kernel sets it: lines would be drawn as on a terminal
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env=environment,
        start_new_session=True,  # a notebook interrupts all processes of the kernel's
    )
    said: list[str] = []
    assert process.stdout is not None
    try:
        for line in process.stdout:
            said.append(line.rstrip())
            if not quiet:
                screen.print(said[-1])
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        for line in process.stdout:
            screen.print(line.rstrip())
        process.wait()
        raise
    if process.wait():
        raise UserError(_mistake(said) or f"the study {name} ended with code {process.returncode}")
    return name, uri


def _mistake(said: Sequence[str]) -> str:
    """Return the lines with which the command has answered a mistake; "" if there are none."""
    text = "\n".join(said)
    return text.rpartition(_MISTAKE)[2] if _MISTAKE in text else ""
