"""The groups of `conf/` and `sweeps/`, and their options."""

from pathlib import Path

from mnist_exp.config.sweeps_source import SWEEPS_DIR, TREE_DIR

CONF_DIR = TREE_DIR / "conf"


def group_names() -> list[str]:
    """Return the names of all groups, sorted."""
    return sorted(_folders())


def group_options(group: str) -> list[str]:
    """Return the names of a group's options, sorted."""
    return [path.stem for path in option_files(group)]


def option_files(group: str) -> list[Path]:
    """Return the files of a group's options, sorted; none if this project has no such group."""
    folder = _folders().get(group)
    return sorted(folder.glob("*.yaml")) if folder is not None else []


def _folders() -> dict[str, Path]:
    folders = [path for path in CONF_DIR.iterdir() if path.is_dir() and path.name != "hydra"]
    return {path.name: path for path in [*folders, SWEEPS_DIR]}
