"""Where Hydra finds the group `sweeps`: in the folder `sweeps/`, and not in folders beside it."""

import builtins
from pathlib import Path

from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigResult, ConfigSource

_PACKAGE_DIR = Path(__file__).parent.parent
# The wheel has conf/ and sweeps/ inside the package; a checkout has them beside it.
TREE_DIR = (
    _PACKAGE_DIR if (_PACKAGE_DIR / "conf" / "config.yaml").is_file() else _PACKAGE_DIR.parent
)
SWEEPS_DIR = TREE_DIR / "sweeps"
_GROUP = "sweeps"


class SweepsSource(ConfigSource):
    """The search path entry `mnist_exp://sweeps`.

    Hydra takes each folder in a search path for a config group. An entry for the folder above
    `sweeps/` would make a group of every other folder in it, and a group hides the setting of the
    same name. The methods are those that Hydra asks of a source.
    """

    def __init__(self, provider: str, path: str) -> None:
        super().__init__(provider, path)
        self._files = FileConfigSource(provider, f"file://{SWEEPS_DIR}")

    @staticmethod
    def scheme() -> str:
        """Return what stands before `://` in a search path."""
        return "mnist_exp"

    def available(self) -> bool:
        """Return whether the folder exists."""
        return self._files.available()

    def is_group(self, config_path: str) -> bool:
        """Return whether the path is `sweeps` or a folder in it."""
        group, _, rest = config_path.partition("/")
        return group == _GROUP and self._files.is_group(rest)

    def is_config(self, config_path: str) -> bool:
        """Return whether the path, with or without `.yaml`, is a file in `sweeps`."""
        group, _, rest = config_path.partition("/")
        return group == _GROUP and rest != "" and self._files.is_config(rest)

    def load_config(self, config_path: str) -> ConfigResult:
        """Read the file."""
        return self._files.load_config(config_path.partition("/")[2])

    def list(self, config_path: str, results_filter: ObjectType | None) -> builtins.list[str]:
        """Return the names in a folder: of groups, of configs, or of both without a filter."""
        group, _, rest = config_path.partition("/")
        if group == _GROUP:
            return self._files.list(rest, results_filter)
        return [_GROUP] if config_path == "" and results_filter != ObjectType.CONFIG else []


def register() -> None:
    """Make the scheme known to Hydra. A second call changes nothing."""
    SourcesRegistry.instance().register(SweepsSource)
