"""SciPy's statistics loaded quickly."""

import sys
from contextlib import suppress


def load_statistics() -> None:
    """Import scipy.stats without the note that SciPy adds to the documentation of its functions.

    The note says which other array libraries a function takes. To write it, SciPy 1.17 parses the
    text of 500 functions, a third of the time of the import. If a version of SciPy has no such
    note, its statistics load when they are imported, as ever.
    """
    if "scipy.stats" in sys.modules:
        return
    with suppress(ImportError, AttributeError):
        from scipy._lib import _array_api

        with_note = _array_api.xp_capabilities
        _array_api.xp_capabilities = lambda **_: lambda function: function
        try:
            import scipy.stats  # noqa: F401
        finally:
            _array_api.xp_capabilities = with_note
