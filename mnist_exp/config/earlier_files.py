"""A refused command leaves its output folder as it was before.

The files that Hydra wrote are removed, and those that it overwrote are restored. `hydra.run.dir`
and `hydra.sweep.dir` may name a folder of earlier runs, or any other folder.
"""

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

_CONFIG_FILES = ("config.yaml", "hydra.yaml", "overrides.yaml")  # Hydra writes them for each job


@dataclass(frozen=True, kw_only=True)
class Earlier:
    """An output folder before Hydra wrote into it.

    folders: the folders that existed
    contents: what the files held that Hydra overwrites
    lengths: how long the logs were that Hydra appends to
    """

    folders: frozenset[Path]
    contents: dict[Path, bytes]
    lengths: dict[Path, int]


_refused = False  # whether the job that this process runs is refused


def refuse_job() -> None:
    """Mark the present job as refused: when it has ended, what it wrote is undone.

    Not before, because Hydra writes its last line at the end.
    """
    global _refused
    _refused = True


class EarlierFiles(Callback):
    """Hydra's callback that remembers the folder before Hydra writes into it.

    It is sent to the workers of a sweep with what it remembers.
    """

    def __init__(self) -> None:
        self._seen: Earlier | None = None

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        """Remember the output folder of a single run."""
        with contextlib.suppress(OSError):  # Hydra reports a folder that cannot exist
            self._seen = _look([_folder(config, "hydra.run.dir")], config.hydra)

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Remember the output folder of a sweep, and those of its jobs."""
        folder = _folder(config, "hydra.sweep.dir")
        with contextlib.suppress(OSError):
            self._seen = _look([folder, *folder.glob("*/"), *folder.glob("*/*/")], config.hydra)

    def on_job_start(self, config: DictConfig, **_: Any) -> None:
        """Forget that an earlier job of this process was refused."""
        global _refused
        _refused = False

    def on_job_end(self, config: DictConfig, job_return: Any, **_: Any) -> None:
        """Undo what Hydra wrote if the job was refused."""
        if _refused and self._seen is not None:
            _put_back(self._seen, config.hydra)


def _folder(config: DictConfig, key: str) -> Path:
    """Return the folder that Hydra will write to; `${hydra:job.name}` in it is this config's."""
    hydra_config = HydraConfig.instance()
    before = hydra_config.cfg
    hydra_config.set_config(config)
    try:
        return Path(os.path.abspath(str(OmegaConf.select(config, key))))
    finally:
        hydra_config.cfg = before


def _look(folders: Iterable[Path], settings: Any) -> Earlier:
    contents, lengths, present = dict[Path, bytes](), dict[Path, int](), set[Path]()
    for folder in folders:
        configs, log = _written_by_hydra(folder, settings)
        contents |= {path: path.read_bytes() for path in configs if path.is_file()}
        lengths |= {log: log.stat().st_size} if log.is_file() else {}
        inner = {path.parent for path in configs}
        present |= {path for path in (folder, *folder.parents, *inner) if path.is_dir()}
    return Earlier(folders=frozenset(present), contents=contents, lengths=lengths)


def _written_by_hydra(folder: Path, settings: Any) -> tuple[list[Path], Path]:
    """Return (the copies of the config, the log) of a job in this output folder."""
    inner = settings.output_subdir
    configs = [] if inner is None else [folder / inner / name for name in _CONFIG_FILES]
    return configs, folder / f"{settings.job.name}.log"


def _put_back(earlier: Earlier, settings: Any) -> None:
    """Undo what Hydra wrote for a job, and remove the folders that it made, if they are empty."""
    folder = Path(settings.runtime.output_dir)
    configs, log = _written_by_hydra(folder, settings)
    for path in configs:
        if path in earlier.contents:
            path.write_bytes(earlier.contents[path])
        else:
            path.unlink(missing_ok=True)
    if log in earlier.lengths:
        os.truncate(log, earlier.lengths[log])
    else:
        log.unlink(missing_ok=True)
    inner = {path.parent for path in configs} - {folder}
    with contextlib.suppress(OSError):  # not empty: it holds somebody else's files
        for made in (*inner, folder, *folder.parents):
            if made in earlier.folders:
                break
            made.rmdir()
