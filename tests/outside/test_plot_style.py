"""Figures are the same whatever a matplotlibrc, a notebook or MPLBACKEND asks of matplotlib."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.colors
import numpy as np
import pytest

from mnist_exp import data
from mnist_exp.experiment import outcome
from mnist_exp.outside import plot_style
from tests.figures.test_curves import epochs
from tests.support.jobs import a_job

HOSTILE: Any = {
    "text.usetex": True,
    "axes.facecolor": "black",
    "font.size": 30,
    "savefig.bbox": "tight",
    "savefig.format": "pdf",
    "figure.dpi": 20,
    "image.cmap": "jet",
}


class Tracker:
    """Keeps the files that would be logged."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def log_files(self, folder: Path) -> None:
        self.files |= {path.name: path.read_bytes() for path in folder.rglob("*.png")}


def drawn(small_mnist: data.Dataset) -> dict[str, bytes]:
    tracker: Any = Tracker()
    scores = np.eye(10, dtype=np.float32)[(small_mnist.test.labels + 1) % 10]
    outcome.log_figures(tracker, a_job(dataset=small_mnist), scores, epochs(3))
    return dict(tracker.files)


@pytest.mark.slow
def test_no_setting_of_matplotlib_changes_or_breaks_a_runs_figures(
    small_mnist: data.Dataset,
) -> None:
    plain = drawn(small_mnist)
    assert len(plain) == 5
    with matplotlib.rc_context(HOSTILE):
        assert drawn(small_mnist) == plain
        assert matplotlib.rcParams["font.size"] == 30  # a notebook's own settings stay


@pytest.mark.parametrize("backend", ["nonsense", "module://no.such.module", "TkAgg"])
def test_a_backend_that_is_not_here_is_no_matter(backend: str, tmp_path: Path) -> None:
    """Jupyter leaves its own in MPLBACKEND to every process that a notebook starts."""
    (tmp_path / "matplotlibrc").write_text("text.usetex: True\n")
    code = (
        "import os\nfrom mnist_exp.outside import plot_style\nplot_style.load()\n"
        "from matplotlib.figure import Figure\nfigure = Figure()\n"
        "with plot_style.plain():\n    figure.subplots().set_title('x')\n"
        "    figure.savefig('x.png')\n"
        f"assert os.environ['MPLBACKEND'] == {backend!r}\n"
    )
    variables = {**os.environ, "MPLBACKEND": backend}
    variables.pop("DISPLAY", None)
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=variables, check=True)
    assert (tmp_path / "x.png").stat().st_size > 1000


def test_the_palette_is_five_different_colours() -> None:
    names = ("BLUE", "ORANGE", "VERMILLION", "GREEN", "GREY")
    colours = {matplotlib.colors.to_rgb(getattr(plot_style, name)) for name in names}
    assert len(colours) == len(names)


def test_no_other_module_has_a_palette_of_its_own() -> None:
    package = Path(plot_style.__file__).parent.parent
    modules = [path.name for path in package.rglob("*.py") if "#0072B2" in path.read_text()]
    assert modules == ["plot_style.py"]
