"""What the tracking server could not take, on disk and in order, until it can.

outputs/unsent/RUN_ID/{uri, operations.jsonl, files-0/, ...}
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from mnist_exp.errors import UserError
from mnist_exp.sweeper.locks import file_lock

UNSENT_DIR = Path("outputs") / "unsent"


class Unsent:
    """A queue of one run's operations in their JSON form; `append` returns when it is on disk."""

    def __init__(self, run_id: str, uri: str) -> None:
        self.run_id, self.uri = run_id, uri
        self.folder = (UNSENT_DIR / run_id).absolute()
        self._path = self.folder / "operations.jsonl"
        self._given_up = self.folder / "given-up"
        locks = self.folder.parent / f".{run_id}"
        self._changing = file_lock(locks.with_suffix(".lock"))
        # Held by the one process that sends; operations may be appended meanwhile.
        self.sending = file_lock(locks.with_suffix(".sending"))

    def __bool__(self) -> bool:
        return self._path.exists()

    def append(self, operation: dict[str, Any]) -> None:
        """Add an operation at the end. Raises UserError if the disk refuses it."""
        with self._errors(), self._changing:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not (self.folder / "uri").exists():
                self._replace(self.folder / "uri", self.uri)
            with self._path.open("ab+") as file:
                if not _ends_with_a_line(file):
                    file.truncate(self._path.read_bytes().rfind(b"\n") + 1)
                file.write(json.dumps(operation).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Let no sender remove the folder in the block. Raises UserError if the disk refuses it."""
        with self._errors(), self._changing:
            yield

    def keep_files(self, folder: Path) -> str:
        """Copy a folder's files into the queue, and return the copy's name below `self.folder`.

        Raises UserError if the disk refuses them.
        """
        name = f"files-{sum(1 for _ in self.folder.glob('files-*'))}"
        with self._errors():
            shutil.copytree(folder, self.folder / name)
        return name

    def operations(self) -> list[dict[str, Any]]:
        """Return all operations, the oldest first.

        A last line that a crash cut short was never acknowledged, and is left out. Raises
        UserError if another program wrote the file.
        """
        try:
            lines = self._path.read_text(encoding="utf-8").split("\n")
            operations = [json.loads(line) for line in lines[:-1]]
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise UserError(
                f"{self._path}: cannot be read ({error}); nothing of it is sent"
            ) from error
        if not all(isinstance(operation, dict) and "do" in operation for operation in operations):
            raise UserError(
                f"{self._path}: expected one operation a line, found something else; "
                "nothing of it is sent"
            )
        return operations

    def delivered(self, count: int) -> None:
        """Forget the oldest `count` operations; with none left, the folder goes."""
        with self._changing:
            rest = self.operations()[count:]
            if rest:
                lines = [json.dumps(operation) + "\n" for operation in rest]
                self._replace(self._path, "".join(lines))
            else:
                self._path.unlink(missing_ok=True)  # first: without it the folder is no queue
                shutil.rmtree(self.folder, ignore_errors=True)

    def give_up(self) -> None:
        """Leave the queue to `mnist_exp.sync` alone.

        Its run is not in the store, so that every new run would fail to send it.
        """
        self._given_up.touch()

    @property
    def is_given_up(self) -> bool:
        """Whether new runs pass the queue over."""
        return self._given_up.exists()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise UserError(
                f"{self.folder}: neither MLflow nor this folder takes results ({error})"
            ) from error

    @staticmethod
    def _replace(path: Path, text: str) -> None:
        temporary = path.with_suffix(".new")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)


def pending() -> list[Unsent]:
    """Return the queues in the current folder."""
    folders = sorted(path.parent for path in UNSENT_DIR.glob("*/operations.jsonl"))
    return [
        Unsent(folder.name, (folder / "uri").read_text(encoding="utf-8", errors="replace"))
        for folder in folders
        if (folder / "uri").is_file()
    ]


def _ends_with_a_line(file: BinaryIO) -> bool:
    """Return whether the file is empty or its last line is whole."""
    if file.seek(0, os.SEEK_END) == 0:
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"
