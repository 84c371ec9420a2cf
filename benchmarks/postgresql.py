"""A PostgreSQL server of one's own, from the binaries of the distribution.

Debian has them in the package postgresql: `apt-get install postgresql`.
"""

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

USER = "postgres"


class Unavailable(Exception):
    """No server can be started here; the message has the reason."""


class Server:
    """A running server."""

    def __init__(self, port: int) -> None:
        self._port = port

    def url(self, database: str) -> str:
        """Return SQLAlchemy's URL of a database."""
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self._port}/{database}"

    def create_database(self, name: str) -> str:
        """Create an empty database and return its URL."""
        import psycopg

        plain = self.url("postgres").replace("+psycopg", "")
        with psycopg.connect(plain, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)


@contextmanager
def running(*, durable: bool) -> Iterator[Server]:
    """Start a server on a free port of the loopback interface; remove it and its data at the end.

    With `durable`, commits reach the disk before they are acknowledged, as PostgreSQL does by
    default. Raise Unavailable if there can be no server.
    """
    binaries = _binaries()
    user = _user()
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    data = folder / "data"
    try:
        if user:
            shutil.chown(folder, user, user)
        _run(
            user,
            binaries / "initdb",
            "-D",
            data,
            "-U",
            USER,
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "-N",
        )
        port = _free_port()
        options = f"-h 127.0.0.1 -p {port} -k '' -c fsync={'on' if durable else 'off'}"
        control = [binaries / "pg_ctl", "-D", data, "-w", "-t", "60"]
        _run(user, *control, "-l", folder / "log", "-o", options, "start")
        try:
            yield Server(port)
        finally:
            _run(user, *control, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path:
    folders = [*Path("/usr/lib/postgresql").glob("*/bin"), *map(Path, os.get_exec_path())]
    usable = [
        folder
        for folder in folders
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists()
    ]
    if not usable:
        raise Unavailable(
            "PostgreSQL's initdb and pg_ctl are not installed (apt-get install postgresql)"
        )
    with contextlib.suppress(ImportError):
        import psycopg  # noqa: F401

        return usable[0]
    raise Unavailable("psycopg is not installed (the extra `postgresql`)")


def _user() -> str | None:
    """Return the user that runs the server, which refuses root; None is this user."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(USER).pw_name
    except KeyError:
        raise Unavailable(f"as root, PostgreSQL needs the user {USER}") from None


def _run(user: str | None, *command: object) -> None:
    """Run a command. Raise Unavailable with its output if it fails.

    The output goes to a file, because a server keeps the streams that it inherits.
    """
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            list(map(str, command)),
            check=False,
            user=user,
            group=user,
            extra_groups=[] if user else None,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        output.seek(0)
        if done.returncode != 0:
            raise Unavailable(f"{Path(str(command[0])).name} failed: {output.read().strip()}")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
