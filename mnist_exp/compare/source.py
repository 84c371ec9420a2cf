"""Where the runs of a comparison are from: an MLflow store, or a table."""

from collections.abc import Sequence
from typing import Protocol

import pandas as pd

from mnist_exp.tracking.runs import Runs


class Source(Protocol):
    """What a comparison reads of runs beside their settings and last values."""

    uri: str

    def history(self, run_ids: Sequence[str], metric: str) -> pd.DataFrame:
        """Return columns run_id, step, value: the course of a metric."""

    def artifact(self, runs: Runs, run_id: str, path: str) -> bytes | None:
        """Return a file that the run has logged, or None."""

    def sources(self, runs: Runs, run_id: str) -> dict[str, bytes]:
        """Return the source of the user's own code in the run's record, by path."""


class TableOnly:
    """A table: it has one value a run, and nothing else of it."""

    uri = ""

    def history(self, run_ids: Sequence[str], metric: str) -> pd.DataFrame:
        """Return no point."""
        return pd.DataFrame({"run_id": [], "step": [], "value": []})

    def artifact(self, runs: Runs, run_id: str, path: str) -> bytes | None:
        """Return None: there are no files."""
        return None

    def sources(self, runs: Runs, run_id: str) -> dict[str, bytes]:
        """Return nothing."""
        return {}
