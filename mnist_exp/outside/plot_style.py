"""How every figure looks: one palette, and matplotlib's own style in spite of user settings."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's palette, which colour-blind readers can tell apart, and a grey for notes.
BLUE, ORANGE, VERMILLION, GREEN, GREY = "#0072B2", "#E69F00", "#D55E00", "#009E73", "#666666"


@contextmanager
def plain() -> Iterator[None]:
    """Draw and save figures in matplotlib's own style within the block, then restore the settings.

    A matplotlibrc or a notebook may change them: `text.usetex: True` asks for LaTeX, which would
    end a run whose training is done.
    """
    load()
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        yield


def load() -> None:
    """Import matplotlib, without MPLBACKEND if that names a backend which cannot be loaded.

    Jupyter sets the variable for every process that a notebook starts.
    """
    try:
        import matplotlib
    except ValueError:  # the backend is not installed
        backend = os.environ.pop("MPLBACKEND")
        for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
            del sys.modules[name]
        import matplotlib  # noqa: F401

        os.environ["MPLBACKEND"] = backend


def png(figure: "Figure", dpi: int = 120) -> bytes:
    """Return a figure as the content of a PNG file, with `dpi` pixels to the inch."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=dpi)
    return file.getvalue()
