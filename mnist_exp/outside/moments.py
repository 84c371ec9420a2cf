"""Named moments of a run, at which a test can have the process killed; nothing happens without the variable.

MNIST_EXP_KILL="SIGNAL@MOMENT@FILE" sends the signal at the moment's first time, and makes the file to say so. Ctrl-C
is for the whole process group, as in a terminal.
"""

import os
import signal

VARIABLE = "MNIST_EXP_KILL"


def reached(moment: str) -> None:
    """Say that this moment has come."""
    if VARIABLE not in os.environ:
        return
    number, wanted, file = os.environ[VARIABLE].split("@")
    if wanted != moment:
        return
    try:
        os.close(os.open(file, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    if number == "SIGINT":
        os.killpg(os.getpgid(0), signal.SIGINT)
    else:
        os.kill(os.getpid(), signal.Signals[number])
