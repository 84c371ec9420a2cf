"""The URIs by which MLflow and SQLAlchemy name files: to a path and back, and safe to show."""

import re
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit, urlunsplit

_SQLITE = re.compile(
    r"sqlite(?:\+\w+)?://(?:[^:/]*(?::[^@]*)?@)?/(?P<database>[^?]*)(?:\?(?P<query>.*))?", re.DOTALL
)

# `scheme://user:password@`. As SQLAlchemy reads a URI, a password may hold a slash; inside a text
# it ends at a space.
_PASSWORD = r"(?P<user>[\w+.-]+://[^:/?#@\s'\"]*):[^\s'\"]*@"
_PASSWORD_OF_A_WHOLE_URI = r"(?P<user>[\w+.-]+://[^:/?#@]*):.*@"
_LONE_TOKEN = r"(?P<user>https?://)[^:/?#@\s'\"]+@"
_SECRET_QUERY = (
    r"(?P<key>[?&;][\w.-]*(?:passw|pwd|secret|token|credential|signature|api_?key|odbc_connect)[\w.-]*=|[?&]sig=)"
    r"[^&;#\s'\"]*"
)


def sqlite_file(uri: str) -> Path | None:
    """Return the file that SQLAlchemy opens for a `sqlite:` URI.

    None for another URI or a database in memory.
    """
    match = _SQLITE.fullmatch(uri)
    if match is None:
        return None
    database, query = unquote(match["database"]), parse_qs(match["query"] or "")
    if database.startswith("file:") and query.get("uri", [""])[-1].lower() in ("true", "1"):
        database = "" if "memory" in query.get("mode", []) else unquote(urlsplit(database).path)
    return None if database in ("", ":memory:") else Path(database)


def sqlite_uri(path: Path) -> str:
    """Return the URI for which SQLAlchemy opens this file. Relative paths stay relative.

    MLflow makes the folder above a database, and takes the text after `sqlite:///` for its path.
    Hence a path is encoded only if it has to be, and then its slashes, too: for MLflow the folder
    above is then the current one.
    """
    text = str(path)
    # SQLAlchemy decodes UTF-8 only: any other byte (a surrogate in `text`) has to stay as it is.
    encoded = (letter if _is_surrogate(letter) else quote(letter, safe="") for letter in text)
    return "sqlite:///" + ("".join(encoded) if _is_encoded(text) else text)


def local_path(uri: str) -> Path | None:
    """Return the path of an artifact location, a path or a `file:` URI, as MLflow reads it.

    None for a remote location.
    """
    if uri.startswith("/"):
        return Path(unquote(uri))
    try:
        parts = urlsplit(uri)
    except ValueError:  # somebody else wrote the location
        return None
    if parts.scheme == "file" and parts.hostname in (None, ".", "localhost", "127.0.0.1"):
        return Path(unquote(parts.path))
    return None if parts.scheme else Path(unquote(uri))


def artifact_location(path: Path) -> str:
    """Return the location for which MLflow writes artifacts into this absolute folder.

    It is the path, or its `file:` URI if the path holds a character that means something in a URI.
    """
    text = str(path)
    return f"file://{quote(text)}" if _is_encoded(text) else text


def masked(text: str) -> str:
    """Return a URI, or a text that may hold URIs, with `***` for each password and token in it."""
    whole = re.match(r"[\w+.-]+://", text) and "\n" not in text
    text = re.sub(_PASSWORD_OF_A_WHOLE_URI if whole else _PASSWORD, r"\g<user>:***@", text)
    text = re.sub(_LONE_TOKEN, r"\g<user>***@", text)
    return re.sub(_SECRET_QUERY, r"\g<key>***", text, flags=re.IGNORECASE)


def without_user(uri: str) -> str:
    """Return an address without user and password, as a browser is given it."""
    parts = urlsplit(uri)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _is_encoded(text: str) -> bool:
    """Return True for a path with a character that means something else in a URI, or in SQL.

    MLflow writes the location of its first experiment into SQL as Python writes a text.
    """
    return any(
        letter in '%?#;\\"' or not (letter.isprintable() or _is_surrogate(letter))
        for letter in text
    )


def _is_surrogate(letter: str) -> bool:
    return "\ud800" <= letter <= "\udfff"
