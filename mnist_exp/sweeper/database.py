"""A lock that all who use one database share, on whichever machine."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import filelock

if TYPE_CHECKING:
    import sqlalchemy

LOCKABLE = ("sqlite", "postgresql", "mysql", "mariadb")  # dialects


@contextmanager
def lock(engine: "sqlalchemy.Engine", name: str) -> Iterator[None]:
    """A file beside a SQLite database, else the server's own lock `name`. Ends with its holder, however that ends.

    Raises SQLAlchemyError or OSError where the database cannot be reached, ValueError for another dialect.
    """
    from sqlalchemy import text  # late: it takes 0.2 s, and not all who may need a lock have a database

    if engine.dialect.name == "sqlite":
        database = Path(str(engine.url.database))
        with filelock.FileLock(database.with_name(f".{database.name}.lock"), poll_interval=0.01):
            yield
    elif engine.dialect.name == "postgresql":
        with engine.connect() as connection:  # whose transaction holds the lock
            key = zlib.crc32(name.encode())
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
            yield
    elif engine.dialect.name in ("mysql", "mariadb"):
        with engine.connect() as connection:
            try:
                connection.execute(text("SELECT GET_LOCK(:name, -1)"), {"name": name})
                yield
            finally:
                connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": name})
    else:
        raise ValueError(f"{engine.dialect.name}: expected {', '.join(LOCKABLE)}")
