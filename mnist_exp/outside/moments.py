"""Named moments of a run, at which a test can have the process killed.

MNIST_EXP_KILL="SIGNAL@MOMENT@FILE" sends the signal when the moment is reached for the first time,
and makes the file as a sign of it. Ctrl-C goes to the whole process group, as in a terminal.
Without the variable nothing happens.
"""

import os
import signal

VARIABLE = "MNIST_EXP_KILL"


def reached(moment: str) -> None:
    """Send the signal if this is the moment that the variable names."""
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
