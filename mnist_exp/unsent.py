"""What the tracking server could not take, on disk and in order, until it can.

outputs/unsent/RUN_ID/{uri, operations.jsonl, files-0/, ...}
"""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import filelock

from mnist_exp.errors import UserError

UNSENT_DIR = Path("outputs") / "unsent"


class Unsent:
    """A queue of operations of one run; each is on the disk when `append` returns."""

    def __init__(self, run_id: str, uri: str) -> None:
        self.run_id, self.uri = run_id, uri
        self.folder = UNSENT_DIR / run_id
        self._path = self.folder / "operations.jsonl"
        # Held while the queue changes or is sent: the run's own process and a `sync` may both be at it.
        self.lock = filelock.FileLock(UNSENT_DIR / f".{run_id}.lock")

    def __bool__(self) -> bool:
        return self._path.exists()

    def append(self, operation: dict[str, Any]) -> None:
        """Raises UserError if the disk refuses, too."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / "uri").write_text(self.uri)
            with self.lock, self._path.open("a") as file:
                file.write(json.dumps(operation) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise UserError(
                f"{self.folder}: neither MLflow nor this folder takes results ({error})"
            ) from error

    def keep_files(self, folder: Path) -> str:
        """Copy a folder's files into the queue; returns the name to deliver them by."""
        name = f"files-{sum(1 for _ in self.folder.glob('files-*'))}"
        shutil.copytree(folder, self.folder / name)
        return name

    def operations(self) -> list[dict[str, Any]]:
        """Oldest first. A last line that a crash cut short was never acknowledged, and is left out."""
        if not self:
            return []
        lines = self._path.read_text().split("\n")
        return [json.loads(line) for line in lines[:-1]]

    def delivered(self, count: int) -> None:
        """Forget the oldest `count` operations; with none left, the folder goes."""
        rest = self.operations()[count:]
        if rest:
            temporary = self._path.with_suffix(".new")
            temporary.write_text("".join(json.dumps(operation) + "\n" for operation in rest))
            temporary.replace(self._path)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)


def pending() -> list[Unsent]:
    """The queues in the current folder."""
    folders = sorted(path.parent for path in UNSENT_DIR.glob("*/operations.jsonl"))
    return [Unsent(folder.name, (folder / "uri").read_text()) for folder in folders]
