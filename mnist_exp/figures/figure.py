"""A matplotlib figure that a notebook shows without `%matplotlib inline`."""

import matplotlib.figure

from mnist_exp.outside import plot_style

_DOTS_PER_INCH = 80  # on a page; the PNG files of a run have 120


class Figure(matplotlib.figure.Figure):
    """A figure of matplotlib, and what IPython asks for to show it."""

    @plot_style.plain()
    def _repr_png_(self) -> bytes:
        """Return the figure as a PNG file."""
        return plot_style.png(self, _DOTS_PER_INCH)
