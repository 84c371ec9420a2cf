"""The names MODULE:FUNCTION in the settings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mnist_exp.own_code.failures import OwnCodeError
from mnist_exp.sweeper.foreign_text import clean

# What the function that a setting names is called with, by the setting.
ARGUMENTS = {"model.build": ("input_shape", "num_classes"), "loss.function": ("labels", "logits")}


@dataclass(frozen=True, kw_only=True)
class Named:
    """A function of a user's own that a setting names.

    options: what the settings call it with, besides the `ARGUMENTS`
    """

    setting: str
    module: str
    function: str
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.setting}={self.name}"

    @property
    def name(self) -> str:
        """The value of the setting."""
        return f"{self.module}:{self.function}"

    @property
    def options_setting(self) -> str:
        """The setting that holds the options, such as `model.options`."""
        return f"{self.setting.partition('.')[0]}.options"


def parse(setting: str, text: str, options: Mapping[str, Any] | None = None) -> Named:
    """Return the function that a setting names. Raises OwnCodeError for a text of another form."""
    module, colon, function = text.strip().partition(":")
    if colon and function.isidentifier() and _is_module(module):
        return Named(setting=setting, module=module, function=function, options=options or {})
    near = _meant(text.strip())
    hint = f"; did you mean {setting}={near}?" if near else ", such as my_models:build"
    raise OwnCodeError(f"{setting}={clean(text, 200)}: expected MODULE:FUNCTION{hint}")


def _is_module(name: str) -> bool:
    parts = name.split(".")
    is_file = parts[-1] == "py" and len(parts) > 1
    return (
        not is_file
        and all(part.strip() and part.isprintable() for part in parts)
        and not (set(name) & set("/\\:"))
    )


def _meant(text: str) -> str:
    """Return the name that a path or a name with a dot in place of the colon may mean, or ""."""
    module, colon, function = text.rpartition(":")
    if not colon:
        module, _, function = text.rpartition(".")
        if function == "py":
            return ""
    module = module.replace("\\", "/").removeprefix("./").removesuffix(".py").replace("/", ".")
    is_name = function.isidentifier() and _is_module(module)
    return f"{module}:{function}" if is_name else ""


def names(functions: Iterable[Named]) -> str:
    """Return what the settings name, as one text."""
    return " ".join(map(str, functions))
