"""What all users of one database share, on every machine: a lock, and tables that are complete."""

import contextlib
import sqlite3
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote_from_bytes

from mnist_exp.sweeper import locks

if TYPE_CHECKING:
    import sqlalchemy

WAIT_SECONDS = 20.0  # for a database that another program has locked
_LONGEST_WAIT = 31_536_000  # seconds for a server's lock: MariaDB has no number for "for ever"
LOCKABLE = ("sqlite", "postgresql", "mysql", "mariadb")  # dialects


@contextmanager
def lock(engine: "sqlalchemy.Engine", name: str) -> Iterator[None]:
    """Hold the database's lock in the block; it is released when its holder ends, however it ends.

    SQLite's lock is a file beside the database; a server has locks of its own, with names.
    Raises SQLAlchemyError or OSError where the database cannot be reached, ValueError for another
    dialect.
    """
    from sqlalchemy import text  # late: it takes 0.2 s, and some callers have no database

    if engine.dialect.name == "sqlite":
        with file_lock(Path(str(engine.url.database))):
            yield
    elif engine.dialect.name == "postgresql":
        with engine.connect() as connection:  # whose transaction holds the lock
            key = zlib.crc32(name.encode())
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
            yield
    elif engine.dialect.name in ("mysql", "mariadb"):
        with engine.connect() as connection:
            try:
                waiting = {"name": name, "seconds": _LONGEST_WAIT}
                query = text("SELECT GET_LOCK(:name, :seconds)")
                if connection.execute(query, waiting).scalar() != 1:
                    raise OSError(f"the server gives no lock {name}")
                yield
            finally:
                connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": name})
    else:
        raise ValueError(f"{engine.dialect.name}: expected {', '.join(LOCKABLE)}")


@contextmanager
def file_lock(database: Path) -> Iterator[None]:
    """Hold the lock of a SQLite database in the block. Raises OSError if it cannot be created."""
    database = database.resolve()  # one lock for all the links that lead there
    with locks.file_lock(database.with_name(f".{database.name}.lock"), poll_interval=0.01):
        yield


@contextmanager
def opened(database: Path) -> Iterator[sqlite3.Connection]:
    """Open an existing SQLite database without SQLAlchemy, which would take 0.2 s to import.

    Each statement is a transaction of its own. Raises sqlite3.Error where the file is missing or is
    no database.
    """
    address = f"file:{quote_from_bytes(str(database).encode(errors='surrogateescape'))}?mode=rw"
    with contextlib.closing(
        sqlite3.connect(address, uri=True, isolation_level=None, timeout=WAIT_SECONDS)
    ) as connection:
        yield connection


def make_whole(
    database: Path,
    make: Callable[[Path], None],
    *,
    last: str,
    bookkeeping: Collection[str],
    tables: Callable[[], set[str]],
) -> bool:
    """Create a SQLite database's tables unless it has them all. Call this under `file_lock`.

    The tables are made in a new file that is renamed when it is complete, so that a process that
    dies leaves no incomplete database. A file that another program left incomplete is replaced: one
    that has no tables but `tables()`, and rows only in those for `bookkeeping`.

    Args:
        database: The file, which may be missing.
        make: Creates all the tables in a new file.
        last: The table whose first row is written last; without that row a file is incomplete.
        bookkeeping: Tables of the database's migration tool.
        tables: Returns the names of all the tables that `make` creates.

    Returns:
        False for a database that holds other tables, which is left as it is.

    Raises:
        OSError, sqlite3.Error: The file cannot be written, or is no database.
    """
    if is_whole(database, last):
        return True
    if not _is_half_made(database, bookkeeping, tables):
        return False
    database = database.resolve()  # of a link, what it leads to is replaced
    new = database.with_name(f".{database.name}.new")
    _remove(new)
    try:
        make(new)
        new.replace(database)
    finally:
        _remove(new)
    return True


def is_whole(database: Path, last: str) -> bool:
    """Return True if the table `last` has a row. Raises sqlite3.Error if this is no database."""
    if not database.exists():
        return False
    with opened(database) as connection:
        return last in _tables(connection) and _has_rows(connection, last)


def _is_half_made(
    database: Path, bookkeeping: Collection[str], tables: Callable[[], set[str]]
) -> bool:
    if not database.exists():
        return True
    with opened(database) as connection:
        names = _tables(connection)
        if any(_has_rows(connection, name) for name in names if name not in bookkeeping):
            return False
    foreign = {name for name in names if not name.startswith("_alembic_tmp_")} - set(bookkeeping)
    return not foreign or foreign <= tables()


def _tables(connection: sqlite3.Connection) -> list[str]:
    query = (
        "SELECT name FROM sqlite_master "
        "WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    )
    return [name for (name,) in connection.execute(query)]


def _has_rows(connection: sqlite3.Connection, table: str) -> bool:
    return connection.execute(f'SELECT 1 FROM "{table}" LIMIT 1').fetchone() is not None


def _remove(database: Path) -> None:
    for name in (database.name, f"{database.name}-journal"):
        database.with_name(name).unlink(missing_ok=True)
