"""Imports that other libraries do although a run does not need them: put off, or done quicker."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType

# Keras' interface to scikit-learn, which imports SciPy's statistics, too, and its pictures of
# images, which import Matplotlib's interface for screens: a third of what Keras and TensorFlow take
# to load.
UNUSED_BY_TRAINING = (
    "keras.wrappers",
    "keras._tf_keras.keras.wrappers",
    "keras.visualization",
    "keras._tf_keras.keras.visualization",
    "keras.src.visualization",
)


class _Later(MetaPathFinder):
    """Finds modules so that each is executed when one of its attributes is asked for."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the module's usual spec with a lazy loader, None for all other modules."""
        spec = PathFinder.find_spec(name, path, target) if name in self._names else None
        if spec is not None and spec.loader is not None:
            spec.loader = LazyLoader(spec.loader)
        return spec


@contextmanager
def put_off(names: Sequence[str]) -> Iterator[None]:
    """Execute modules that are imported in the block only when they are used, then or later.

    To whoever uses them they are as ever.
    """
    finder = _Later(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
