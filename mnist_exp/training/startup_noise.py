"""What TensorFlow's C++ side writes to standard error while it loads, about absent GPUs and much else."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SECONDS = 5.0  # for which a failed block waits until its noise is shown
# C++ ends the process by itself for a wrong XLA flag or a processor without AVX, so that another process has to keep
# what it said: it is shown unless a zero byte at its end says that all went well.
_KEEPER = """
import os
noise = b""
while part := os.read(0, 65536):
    noise += part
if not noise.endswith(b"\\0"):
    while noise:
        noise = noise[os.write(2, noise):]
"""


@contextmanager
def hidden() -> Iterator[None]:
    """Keep what the block writes to descriptor 2 from the user, unless the block fails or the process ends in it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with contextlib.suppress(AttributeError, OSError, ValueError):  # there is none, or it is closed
        sys.stderr.flush()
    try:
        saved = os.dup(2)
    except OSError:  # there is no standard error
        yield
        return
    try:
        keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _KEEPER],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is not for it
        )
    except OSError:  # no more processes: then the noise is shown
        os.close(saved)
        yield
        return
    assert keeper.stdin is not None
    os.dup2(keeper.stdin.fileno(), 2)
    is_well = False
    try:
        yield
        is_well = True
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        with contextlib.suppress(OSError):  # the keeper was killed
            keeper.stdin.write(b"\0" if is_well else b"")
            keeper.stdin.close()
        with contextlib.suppress(
            subprocess.TimeoutExpired
        ):  # another process has the descriptor, too
            keeper.wait(_SECONDS)
