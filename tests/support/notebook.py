"""A notebook: cells that run one after another in one namespace, as IPython's do."""

import itertools
import linecache
from typing import Any

_numbers = itertools.count(1)  # of all cells: Python keeps what it knows of one with the same name


class Notebook:
    """Cells whose source Python knows, in a module `__main__` that is no file.

    The real `__main__` of the process is left alone.
    """

    def __init__(self) -> None:
        self.names: dict[str, Any] = {"__name__": "__main__"}

    def run(self, source: str, *, is_known: bool = True) -> None:
        """Run a cell; `is_known` is whether Python can find its source later."""
        file = f"<cell {next(_numbers)}>"
        if is_known:
            lines = source.splitlines(keepends=True)
            linecache.cache[file] = (len(source), None, lines, file)
        exec(compile(source, file, "exec"), self.names)  # noqa: S102

    def __getitem__(self, name: str) -> Any:
        return self.names[name]
