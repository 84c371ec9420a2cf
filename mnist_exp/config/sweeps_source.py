"""Where Hydra finds the group `sweeps`: the folder `sweeps/` alone, and nothing that lies beside it."""

import builtins
from pathlib import Path

from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.object_type import ObjectType
from hydra.plugins.config_source import ConfigResult, ConfigSource

_PACKAGE_DIR = Path(__file__).parent.parent
# The wheel carries conf/ and sweeps/ inside the package; a checkout has them beside it.
TREE_DIR = (
    _PACKAGE_DIR if (_PACKAGE_DIR / "conf" / "config.yaml").is_file() else _PACKAGE_DIR.parent
)
SWEEPS_DIR = TREE_DIR / "sweeps"
_GROUP = "sweeps"


class SweepsSource(ConfigSource):
    """The search path entry `mnist_exp://sweeps`.

    Hydra takes each folder in a search path for a config group. An entry for the folder above `sweeps/` would
    make a group of every other folder in it, which then hides the setting of the same name.
    """

    def __init__(self, provider: str, path: str) -> None:
        super().__init__(provider, path)
        self._files = FileConfigSource(provider, f"file://{SWEEPS_DIR}")

    @staticmethod
    def scheme() -> str:
        return "mnist_exp"

    def available(self) -> bool:
        return self._files.available()

    def is_group(self, config_path: str) -> bool:
        group, _, rest = config_path.partition("/")
        return group == _GROUP and self._files.is_group(rest)

    def is_config(self, config_path: str) -> bool:
        group, _, rest = config_path.partition("/")
        return group == _GROUP and rest != "" and self._files.is_config(rest)

    def load_config(self, config_path: str) -> ConfigResult:
        return self._files.load_config(config_path.partition("/")[2])

    def list(self, config_path: str, results_filter: ObjectType | None) -> builtins.list[str]:
        group, _, rest = config_path.partition("/")
        if group == _GROUP:
            return self._files.list(rest, results_filter)
        return [_GROUP] if config_path == "" and results_filter != ObjectType.CONFIG else []


def register() -> None:
    """Make the scheme known to Hydra. A second call changes nothing."""
    SourcesRegistry.instance().register(SweepsSource)
