"""The setting `hydra.sweeper.storage`: the URLs it takes, and why a database cannot be used."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy

from mnist_exp.sweeper.errors import SweepError
from mnist_exp.sweeper.wording import first_line


@contextmanager
def usable(url: str, *more: type[Exception]) -> Iterator[None]:
    """Turn errors of the database, and of the types `more`, into SweepError with their reason."""
    kinds: tuple[type[Exception], ...] = (
        sqlalchemy.exc.SQLAlchemyError,
        optuna.exceptions.OptunaError,
        *more,
    )
    try:
        yield
    except kinds as error:
        raise SweepError(
            f"hydra.sweeper.storage={_masked(url)}: cannot be used ({reason(error)})"
        ) from error


def reason(error: BaseException) -> str:
    """Return one line that says what went wrong.

    SQLAlchemy and Optuna only say that the database raised an error; then it is that error's line.
    """
    if isinstance(error, optuna.exceptions.StorageInternalError) and error.__cause__ is not None:
        return reason(error.__cause__)
    return first_line(getattr(error, "orig", None) or error)


def absolute_url(url: Any) -> str:
    """Return a database URL that means the same in every folder: of a SQLite file the whole path.

    Raises SweepError for a value that is no such URL.
    """
    try:
        parsed = sqlalchemy.make_url(url)
        if parsed.get_backend_name() != "sqlite":
            return str(url)
        if parsed.database in (None, "", ":memory:"):
            raise SweepError(
                f"hydra.sweeper.storage={url}: expected a file, which workers can share"
            )
        if parsed.database.startswith("file:"):
            raise SweepError(
                f"hydra.sweeper.storage={url}: expected a path, not a URI, after sqlite:///"
            )
        absolute = parsed.set(database=str(Path(parsed.database).absolute()))
        return absolute.render_as_string(hide_password=False)
    except UnicodeEncodeError:
        raise SweepError(
            f"hydra.sweeper.storage={_masked(url)}: expected a path in UTF-8"
        ) from None
    except (sqlalchemy.exc.ArgumentError, ValueError) as error:
        why = "; a port is a whole number" if isinstance(error, ValueError) else ""
        raise SweepError(
            f"hydra.sweeper.storage={_masked(url)}: expected a URL such as sqlite:///FILE{why}"
        ) from None


def _masked(url: Any) -> str:
    """Return the text of a URL, or of what should be one, without the password."""
    return re.sub(r"(//[^:/@]*):.*@", r"\1:***@", str(url))


def engine_options(url: str) -> dict[str, Any]:
    """Return the options with which SQLAlchemy opens the database."""
    if url.startswith("sqlite"):
        return {"connect_args": {"timeout": 120}}
    return {"pool_pre_ping": True}


def refuse_foreign(engine: sqlalchemy.Engine) -> None:
    """Raise SweepError for a database with the tables of MLflow or another program.

    Call this before Optuna adds tables of its own.
    """
    inspector = sqlalchemy.inspect(engine)
    tables = set(inspector.get_table_names())
    owner = "MLflow" if {"experiments", "registered_models"} & tables else None
    for table, column in (("studies", "study_name"), ("trials", "study_id")):
        if table in tables and column not in {
            entry["name"] for entry in inspector.get_columns(table)
        }:
            owner = owner or "another program"
    if owner is not None:
        raise SweepError(
            f"hydra.sweeper.storage={engine.url.render_as_string()}: holds {owner}'s tables; "
            "expected a database of its own"
        )
