"""The source of a user's own modules in the record of a run."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mnist_exp.outside.foreign_files import read_artifact_folder
from mnist_exp.own_code.code import DIGEST_TAG, FOLDER
from mnist_exp.own_code.finding import MOST_BYTES, MOST_FILES
from mnist_exp.own_code.trust import Recorded

if TYPE_CHECKING:
    from mlflow import MlflowClient


def read_sources(client: "MlflowClient", run_id: str, tags: Mapping[str, str]) -> dict[str, bytes]:
    """Return {path of the artifact: source}; empty for a run without code of the user's own.

    Raises ValueError for more than a run records, and MLflow's own errors.
    """
    if DIGEST_TAG not in tags:
        return {}
    return read_artifact_folder(client, run_id, FOLDER, MOST_FILES, MOST_BYTES)


def recorded_code(
    where: str, run_id: str, tags: Mapping[str, str], files: Mapping[str, bytes]
) -> Recorded:
    """Return the code in a run's record; `where` is what a message about it begins with."""
    start = f"{FOLDER}/"
    return Recorded(
        where=where,
        place=f"in the artifacts {start} of run {run_id}",
        digest=tags.get(DIGEST_TAG),
        sources={
            path.removeprefix(start): source
            for path, source in files.items()
            if path.startswith(start)
        },
    )
