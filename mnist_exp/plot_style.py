"""matplotlib as it comes: what a matplotlibrc, a notebook or MPLBACKEND sets neither changes nor breaks a figure."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def plain() -> Iterator[None]:
    """Figures that are drawn and saved in the block have matplotlib's own style; afterwards all is as it was.

    A user's `text.usetex: True` would ask for LaTeX, and end a run whose training is done.
    """
    load()
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        yield


def load() -> None:
    """Import matplotlib, with MPLBACKEND if that can be: Jupyter leaves its own to all processes it starts."""
    try:
        import matplotlib
    except ValueError:  # of a backend that is not here
        backend = os.environ.pop("MPLBACKEND")
        for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
            del sys.modules[name]
        import matplotlib  # noqa: F401

        os.environ["MPLBACKEND"] = backend


def draw_to_files() -> None:
    """For pyplot, unless the process has it already: no window, and no backend that is not here."""
    load()
    import matplotlib

    if "matplotlib.pyplot" not in sys.modules:
        matplotlib.use("agg")
