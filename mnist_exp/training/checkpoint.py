"""Checkpoints of a run on disk: written whole or not at all, verified when read, the last two kept.

    outputs/checkpoints/RUN_ID/000008250.1/{arrays.npz, state.json, manifest.json}

The folder's name is the training step, and 1 once the epoch's result is in `results`.
"""

import hashlib
import json
import os
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import filelock
import numpy as np
from numpy.typing import NDArray

from mnist_exp.errors import UserError
from mnist_exp.outside import moments
from mnist_exp.outside.foreign_files import read_json, read_npz
from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.sweeper.locks import file_lock
from mnist_exp.training.results import EpochResult, Evaluation, Progress, StepPoint, Sums

if TYPE_CHECKING:
    from mnist_exp.training.program import Program

CHECKPOINTS_DIR = Path("outputs") / "checkpoints"
_KEPT = 2
_MAX_STATE_BYTES = 2**30  # enough for a batch accuracy at each of ten million steps
_SHARE = 50  # a checkpoint that took 1 s is followed by 50 s without one
_LOCK = ".lock"
# How long to wait for a lock: a process that looks for a run to go on with holds it for a moment.
_GLANCE_SECONDS = 2.0
_ENDED = "ended"  # a file beside the checkpoints of a run that will not go on by itself


@dataclass(frozen=True, kw_only=True)
class RunState:
    """A run at one moment."""

    progress: Progress
    results: tuple[EpochResult, ...]
    """One for each epoch that has ended."""
    weights: tuple[NDArray[Any], ...]
    optimizer: tuple[NDArray[Any], ...]
    """The optimizer's variables."""
    record: dict[str, Any]
    """What the experiment needs to find and reopen the run, as plain JSON."""

    @staticmethod
    def of(
        program: "Program",
        progress: Progress,
        results: tuple[EpochResult, ...],
        record: dict[str, Any],
    ) -> "RunState":
        """Return the state of a run whose program has these weights now."""
        return RunState(
            progress=progress,
            results=results,
            weights=tuple(variable.numpy() for variable in program.model.weights),
            optimizer=tuple(variable.numpy() for variable in program.optimizer.variables),
            record=record,
        )

    def restore(self, program: "Program") -> None:
        """Set the weights and the optimizer's state of a program built from the same config.

        Raises UserError if the arrays have other shapes than the program's.
        """
        variables = [*program.model.weights, *program.optimizer.variables]
        values = [*self.weights, *self.optimizer]
        if [tuple(variable.shape) for variable in variables] != [value.shape for value in values]:
            raise UserError(
                f"resume={self.record['run_id']}: the arrays of its checkpoint are not those of "
                "the network in its settings"
            )
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


class Writer:
    """Saves the checkpoints of one run, and spends at most a fiftieth of the run's time on it.

    An epoch that ends sooner than that after a checkpoint gets none: a crash then costs at most the
    time of 50 checkpoints.
    """

    def __init__(
        self, program: "Program", folder: Path, every_seconds: float, record: dict[str, Any]
    ) -> None:
        self._program, self._folder, self._record = program, folder, record
        self._every_seconds = every_seconds
        self._saved_at, self._cost = float("-inf"), 0.0

    def in_epoch(self, progress: Progress, results: list[EpochResult]) -> None:
        """Save a checkpoint within an epoch, if the last one is old enough."""
        if time.monotonic() - self._saved_at >= max(self._every_seconds, _SHARE * self._cost):
            self.save(progress, results)

    def after_epoch(self, progress: Progress, results: list[EpochResult]) -> None:
        """Save a checkpoint at the end of an epoch, if saving does not take too large a share."""
        if time.monotonic() - self._saved_at >= _SHARE * self._cost:
            self.save(progress, results)

    def save(self, progress: Progress, results: list[EpochResult]) -> None:
        """Save a checkpoint now."""
        started = time.monotonic()
        save(RunState.of(self._program, progress, tuple(results), self._record), self._folder)
        self._saved_at = time.monotonic()
        self._cost = self._saved_at - started


def save(state: RunState, run_folder: Path) -> None:
    """Write a checkpoint below `run_folder`, and remove all but the last two.

    Raises UserError where the disk refuses; older ones are then untouched.
    """
    name = f"{state.progress.step:09d}.{int(state.progress.evaluated)}"
    temporary = run_folder / f"writing-{os.getpid()}"
    try:
        for abandoned in run_folder.glob("writing-*"):  # by a process that was killed
            shutil.rmtree(abandoned, ignore_errors=True)
        temporary.mkdir(parents=True)
        with _synced(temporary / "arrays.npz") as file:
            np.savez(file, *state.weights, *state.optimizer)
        plain = {
            "progress": asdict(state.progress),
            "results": [asdict(result) for result in state.results],
            "num_weights": len(state.weights),
            "record": state.record,
        }
        with _synced(temporary / "state.json") as file:
            file.write(json.dumps(plain).encode())
        manifest = {path.name: _sha256(path) for path in sorted(temporary.iterdir())}
        with _synced(temporary / "manifest.json") as file:
            file.write(json.dumps(manifest).encode())
        _sync_folder(temporary)
        shutil.rmtree(run_folder / name, ignore_errors=True)
        temporary.rename(run_folder / name)
        _sync_folder(run_folder)
        moments.reached("checkpoint written")
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise UserError(
            f"{run_folder}: the checkpoint of step {state.progress.step} cannot be written "
            f"({error.strerror}); the ones before it are intact"
        ) from error
    for old in _folders(run_folder)[:-_KEPT]:
        shutil.rmtree(old, ignore_errors=True)


def load_newest(run_folder: Path, warn: Callable[[str], None]) -> RunState | None:
    """Return the newest whole checkpoint, or None; call `warn` for each damaged one before it."""
    folders = _folders(run_folder)
    while folders:
        folder = folders.pop()
        try:
            return _load(folder)
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            rest = "the one before it is used" if folders else "there is none before it"
            warn(f"{folder}: damaged checkpoint ({clean(error, 200)}); {rest}")
    return None


def run_folder(run_id: str) -> Path:
    """Return the folder of a run's checkpoints."""
    return CHECKPOINTS_DIR / run_id


@contextmanager
def alone(run_folder: Path, wait: float = _GLANCE_SECONDS) -> Iterator[None]:
    """Lock the run in the block. Raises UserError if another process trains it.

    The lock is released when its process dies.
    """
    run_folder.mkdir(parents=True, exist_ok=True)
    lock = file_lock(run_folder / _LOCK, timeout=wait)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise UserError(f"resume={run_folder.name}: another process is training that run") from None
    except OSError as error:
        raise UserError(f"{run_folder}: cannot be locked ({error.strerror})") from error
    try:
        yield
    finally:
        lock.release()


def is_in_use(run_folder: Path) -> bool:
    """Return whether a process has locked the run."""
    try:
        with alone(run_folder, wait=0):
            return False
    except UserError:
        return True


def mark_ended(run_folder: Path, ended: bool = True) -> None:
    """Note whether the run came to its own end: then `resume=auto` leaves it alone.

    Of a run that has ended, the last checkpoint alone is kept.
    """
    if ended:
        (run_folder / _ENDED).touch()
        for old in _folders(run_folder)[:-1]:
            shutil.rmtree(old, ignore_errors=True)
    else:
        (run_folder / _ENDED).unlink(missing_ok=True)


def has_ended(run_folder: Path) -> bool:
    """Return whether the run came to its own end."""
    return (run_folder / _ENDED).exists()


def known_runs() -> list[str]:
    """Return the ids of runs with a checkpoint in the current folder, the newest first."""
    folders = [path for path in CHECKPOINTS_DIR.glob("*") if _folders(path)]
    newest_first = sorted(folders, key=lambda path: -_folders(path)[-1].stat().st_mtime)
    return [path.name for path in newest_first]


def _load(folder: Path) -> RunState:
    """Read a checkpoint. OSError, ValueError, KeyError, TypeError or BadZipFile mean damage."""
    manifest = read_json((folder / "manifest.json").read_bytes(), dict)
    if set(manifest) != {"arrays.npz", "state.json"}:
        raise ValueError("its manifest is incomplete")
    for name, expected in manifest.items():
        if _sha256(folder / name) != expected:
            raise ValueError(f"{name} does not have the checksum in its manifest")
    plain = read_json((folder / "state.json").read_bytes(), dict, _MAX_STATE_BYTES)
    _check_numbers([plain["progress"], plain["results"], plain["num_weights"]])
    arrays, split = _arrays(folder / "arrays.npz"), int(plain["num_weights"])
    return RunState(
        progress=Progress(**plain["progress"] | _curves(plain["progress"], "at_point")),
        results=tuple(_result(result) for result in plain["results"]),
        weights=arrays[:split],
        optimizer=arrays[split:],
        record=dict(plain["record"]),
    )


def _arrays(path: Path) -> tuple[NDArray[Any], ...]:
    """Read arrays of numbers, uncompressed: together they are no larger than the file."""
    with zipfile.ZipFile(path) as archive:
        names = [f"arr_{i}" for i in range(len(archive.namelist()))]
    arrays = read_npz(path, dict.fromkeys(names, ("biuf", None)), path.stat().st_size)
    return tuple(arrays[name] for name in names)


def _check_numbers(value: Any) -> None:
    """Raise TypeError if there is anything but numbers in these lists and mappings."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            _check_numbers(item)
    elif not isinstance(value, int | float | None):
        raise TypeError(f"state.json: expected a number, found {clean(value, 100)}")


def _result(plain: dict[str, Any]) -> EpochResult:
    scores = {
        split: None if plain[split] is None else Evaluation(**plain[split])
        for split in ("val", "test")
    }
    return EpochResult(**plain | scores | _curves(plain, "after_point"))


def _curves(plain: dict[str, Any], sums: str) -> dict[str, Any]:
    """Return what holds tuples; earlier versions wrote no step curve, which `sums` belongs to."""
    return {
        "batch_accuracies": tuple((step, value) for step, value in plain["batch_accuracies"]),
        "step_points": tuple(StepPoint(*point) for point in plain.get("step_points", ())),
        sums: Sums(*plain.get(sums, ())),
    }


def _folders(run_folder: Path) -> list[Path]:
    """Return the finished checkpoints of a run, the oldest first."""
    return sorted(path for path in run_folder.glob("[0-9]*.[01]") if path.is_dir())


@contextmanager
def _synced(path: Path) -> Iterator[IO[bytes]]:
    """Open a new file that is on the disk, not only in memory, when the block ends."""
    with path.open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
