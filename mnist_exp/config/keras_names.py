"""Which optimizers and losses Keras has, read from its files: importing Keras takes seconds."""

import ast
import difflib
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

# Where Keras has the classes that `GROUP=keras GROUP.name=NAME` chooses from.
_PACKAGES = {"optimizer": "optimizers", "loss": "losses"}
# Classes that Keras has, and that no program can use: see `training`, which says why.
_NOT_USABLE = {
    "optimizer": {"Optimizer", "LossScaleOptimizer", "MultiOptimizer", "OptimizerMap"},
    "loss": {
        *("Loss", "CTC", "Circle", "CosineSimilarity", "Huber", "LogCosh", "MeanAbsoluteError"),
        *("MeanSquaredError", "MeanAbsolutePercentageError", "MeanSquaredLogarithmicError"),
        "Poisson",
    },
}
_SHORTEST = 3  # letters of a part of a name that is looked up


def usable(group: str) -> list[str]:
    """Return the names that `GROUP=keras GROUP.name=NAME` can have; none for other groups."""
    return sorted(classes(group) - _NOT_USABLE.get(group, set()))


def meant(text: str, known: Sequence[str]) -> list[str]:
    """Return the classes, at most three, that a text in other letters or a part of a name means."""
    plain = text.lower().replace("_", "")
    same = [name for name in known if name.lower() == plain]
    within = [name for name in known if len(plain) >= _SHORTEST and plain in name.lower()]
    return same or within[:3] or difflib.get_close_matches(text, known, n=1)


@cache
def classes(group: str) -> frozenset[str]:
    """Return the classes that Keras has for a group; none for other groups than these two."""
    if group not in _PACKAGES:
        return frozenset()
    keras = find_spec("keras")
    assert keras is not None
    assert keras.origin is not None
    text = Path(keras.origin).with_name(_PACKAGES[group]).joinpath("__init__.py").read_text("utf-8")
    imported = (node for node in ast.parse(text).body if isinstance(node, ast.ImportFrom))
    offered = (alias.asname or alias.name for node in imported for alias in node.names)
    return frozenset(name for name in offered if name[0].isupper())
