"""A matplotlib figure that a notebook shows without `%matplotlib inline`."""

import io

import matplotlib.figure

from mnist_exp.outside import plot_style

_DOTS_PER_INCH = 80  # on a page; the PNG files of a run have 120


class Figure(matplotlib.figure.Figure):
    """A figure of matplotlib, and what IPython asks for to show it."""

    @plot_style.plain()
    def _repr_png_(self) -> bytes:
        """Return the figure as a PNG file."""
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=_DOTS_PER_INCH)
        return file.getvalue()
