"""Names that studies and other people's YAML files have recorded, and whose modules have moved."""

_PACKAGE = __name__.partition(".")[0]
# Within the package: what was recorded, and where it is now.
_MOVED = {
    "earlier_files.EarlierFiles": "config.earlier_files.EarlierFiles",
    "search_spaces.optimizers": "studies.search_spaces.optimizers",
    "study_tracking.StudyTracking": "studies.hooks.StudyTracking",
}
NAMES = {f"{_PACKAGE}.{earlier}": f"{_PACKAGE}.{now}" for earlier, now in _MOVED.items()}
"""The present name for each earlier one."""


def module_now(name: str) -> str | None:
    """Return where the package's earlier module of this name is now; None if there was none."""
    moved = {earlier.partition(".")[0]: now.rpartition(".")[0] for earlier, now in _MOVED.items()}
    return f"{_PACKAGE}.{moved[name]}" if name in moved else None
