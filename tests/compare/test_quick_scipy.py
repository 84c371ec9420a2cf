"""SciPy's statistics load without their note, and give the same numbers."""

from collections.abc import Callable

from tests.support.runs import Started


def test_statistics_load_without_a_note_and_are_scipys_own(start: Callable[..., Started]) -> None:
    code = """
import sys
from mnist_exp.compare import __main__, quick_scipy
assert "scipy" not in sys.modules  # --help and mistakes are answered without it
quick_scipy.load_statistics()
from scipy import special, stats
from scipy._lib import _array_api
print(f"{stats.ttest_1samp([1, 2, 4], 0).pvalue:.12f}")  # two-sided, of t = sqrt(7)
print("Array API" in (stats.ttest_1samp.__doc__ or ""), bool(stats.ttest_1samp.__doc__))
print("Array API" in _array_api.xp_capabilities()(lambda: None).__doc__)
"""
    assert start("-c", code).output()[:2] == (0, "0.118082896312\nFalse True\nTrue\n")
