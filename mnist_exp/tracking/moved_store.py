"""The artifacts beside MLflow's SQLite database are found when their folder was moved.

MLflow writes absolute paths into its database, and goes on using those of the old folder when the
folder is renamed, copied or mounted elsewhere. Here they are brought up to date, so that MLflow's
own commands find the artifacts, too.
"""

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from mnist_exp.errors import UserError
from mnist_exp.outside.uris import artifact_location, local_path
from mnist_exp.sweeper import database
from mnist_exp.sweeper.processes import is_alive

FOLDER = "mlruns"
# After which a run of another machine counts as dead; its system metrics come every 10 s.
_SILENCE_SECONDS = 120.0
_LOCATIONS = (  # of what is below an experiment's folder: table, column
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


class InUse(UserError):
    """The folder was moved, and a run in it goes on."""


def place_beside(file: Path, experiment_id: str, *, unless_it_exists: bool) -> None:
    """Let an experiment have its artifacts beside the database, and not in the current folder.

    With `unless_it_exists`, an experiment keeps a folder that exists. A location that somebody has
    chosen stays.
    """
    query = "SELECT artifact_location FROM experiments WHERE experiment_id = ?"
    with database.opened(file) as connection:
        (recorded,) = connection.execute(query, (int(experiment_id),)).fetchone()
        place = _default_place(recorded, experiment_id)
        here = file.absolute().parent / FOLDER / experiment_id
        if place is None or place == here or (unless_it_exists and place.exists()):
            return
        _set_location(connection, int(experiment_id), artifact_location(here))


def is_elsewhere(file: Path) -> bool:
    """Return whether artifacts lie beside the database, but not where its paths say."""
    with database.opened(file) as connection:
        return next(_moved(connection, file), None) is not None


def bring_along(file: Path) -> None:
    """Write the paths of the folder beside the database into it. Call it under the database's lock.

    Raises InUse while a run goes on by the old paths, sqlite3.Error if the database cannot be
    written.
    """
    with database.opened(file) as connection:
        if next(_moved(connection, file), None) is None:
            return
        connection.execute("BEGIN IMMEDIATE")
        for experiment, old, new in list(_moved(connection, file)):
            _refuse_live_runs(connection, file, old)
            for table, column in _LOCATIONS:
                _rewrite(connection, table, column, old, new)
            _set_location(connection, experiment, new)
        connection.execute("COMMIT")


def _default_place(location: str | None, experiment_id: str) -> Path | None:
    """Return the folder of an experiment's artifacts if MLflow chose it, in whichever folder."""
    place = local_path(location) if location else None
    return place if place and (place.name, place.parent.name) == (experiment_id, FOLDER) else None


def _set_location(connection: sqlite3.Connection, experiment: int, location: str) -> None:
    update = "UPDATE experiments SET artifact_location = ? WHERE experiment_id = ?"
    connection.execute(update, (location, experiment))


def _moved(connection: sqlite3.Connection, file: Path) -> Iterator[tuple[int, str, str]]:
    """Yield (experiment, its recorded location, the right one) for each that has moved."""
    query = "SELECT experiment_id, artifact_location FROM experiments"
    for experiment, recorded in connection.execute(query):
        place = _default_place(recorded, str(experiment))
        here = file.absolute().parent / FOLDER / str(experiment)
        if place is None or place == here or not here.exists():
            continue
        if not (place.exists() and place.samefile(here)):
            yield experiment, recorded, artifact_location(here)


def _rewrite(connection: sqlite3.Connection, table: str, column: str, old: str, new: str) -> None:
    """Let what lies below the old location lie below the new one, unless it is still only there."""
    query = f"SELECT rowid, {column} FROM {table} WHERE substr({column}, 1, ?) = ?"
    for row, location in connection.execute(query, (len(old) + 1, f"{old}/")).fetchall():
        moved = new + location[len(old) :]
        before, after = local_path(location), local_path(moved)
        if before is None or after is None or (before.exists() and not after.exists()):
            continue
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (moved, row))


def _refuse_live_runs(connection: sqlite3.Connection, file: Path, old: str) -> None:
    """Raise InUse if a run goes on in the folder that was moved: it would write to both."""
    place = local_path(old)
    if place is not None and (place.parent.parent / file.name).exists():
        return  # the folder was copied, and the run goes on in the old one
    query = (
        "SELECT run_uuid, start_time FROM runs "
        "WHERE status = 'RUNNING' AND substr(artifact_uri, 1, ?) = ?"
    )
    for run_id, started in connection.execute(query, (len(old) + 1, f"{old}/")).fetchall():
        if _goes_on(connection, run_id, started):
            raise InUse(
                f"{file}: run {run_id} goes on, and writes its artifacts to {place}\n"
                "The folder was moved, or is seen under another path here: try again when that run "
                "has ended"
            )


def _goes_on(connection: sqlite3.Connection, run_id: str, started: int | None) -> bool:
    """Return whether the run's process is alive or, on another machine, seems to be."""
    tags = dict(connection.execute("SELECT key, value FROM tags WHERE run_uuid = ?", (run_id,)))
    is_running = is_alive(tags.get("process", ""))
    if is_running is not None:
        return is_running
    query = "SELECT max(timestamp) FROM latest_metrics WHERE run_uuid = ?"
    (seen,) = connection.execute(query, (run_id,)).fetchone()
    return time.time() - max(seen or 0, started or 0) / 1000 < _SILENCE_SECONDS
