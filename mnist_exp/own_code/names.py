"""The names MODULE:FUNCTION in the settings."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from mnist_exp.own_code.failures import OwnCodeError
from mnist_exp.sweeper.foreign_text import clean

# What the function that a setting names is called with, by the setting.
ARGUMENTS = {"model.build": ("input_shape", "num_classes"), "loss.function": ("labels", "logits")}
# Other names that people give these arguments.
_SYNONYMS = {
    "y_true": "labels",
    "target": "labels",
    "targets": "labels",
    "y_pred": "logits",
    "shape": "input_shape",
    "n_classes": "num_classes",
    "nb_classes": "num_classes",
    "classes": "num_classes",
}
_EXAMPLES = {"model.build": "my_models:resnet", "loss.function": "my_losses:focal"}
# A module may be a file that only has to have this name; a function is a name of Python.
_FORM = re.compile(r"(?!.*\.(py|ipynb):)[\w-]+(\.[\w-]+)*:[^\W\d]\w*")


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


def misplaced(setting: str, parameters: Sequence[str]) -> str:
    """Return what is wrong with the order of a function's parameters, or "".

    The first ones are filled by position: a depth in the place of the number of classes would train
    another network without a word.
    """
    given = ARGUMENTS.get(setting, ())
    meanings = [_SYNONYMS.get(name, name) for name in parameters]
    for place, name in enumerate(given):
        if name in meanings and meanings.index(name) != place:
            order = ("first", "second")[place]
            return (
                f"expected {name} as the {order} parameter, found ({', '.join(parameters)})\n"
                f"It is called with ({', '.join(given)}, **options): a function of that form can "
                "call yours"
            )
    return ""


def parse(setting: str, text: str, options: Mapping[str, Any] | None = None) -> Named:
    """Return the function that a setting names. Raises OwnCodeError for a text of another form."""
    if _FORM.fullmatch(text):
        module, _, function = text.partition(":")
        return Named(setting=setting, module=module, function=function, options=options or {})
    raise OwnCodeError(f"{setting}={clean(text, 200)}: {_expected(setting, text)}")


def _expected(setting: str, text: str) -> str:
    """Return in two lines what to write in place of a text of another form."""
    example = f"{setting}={_EXAMPLES[setting]}"
    if "lambda" in text:
        return (
            "a lambda has no name that a record could keep\n"
            f"Write it with def in a file of this folder, and name file and function: {example}"
        )
    if ".ipynb" in text:
        return (
            "a notebook is no module\nWrite the function in a file of this folder that ends in "
            f".py ({example}), or call mnist_exp.run from Python"
        )
    meant = _meant(text)
    near = f"; did you mean {setting}={meant}?" if meant else f", such as {example}"
    return (
        f"expected MODULE:FUNCTION{near}\n"
        "MODULE is a file of this folder without .py, or an installed module"
    )


def _meant(text: str) -> str | None:
    """Return MODULE:FUNCTION for a path, a call, or a name with a dot; None if it is unclear."""
    plain = re.sub(r"\(.*\)$", "", text.strip()).replace("\\", "/")
    path, _, function = plain.rpartition(":") if ":" in plain else (plain, "", "")
    path = path.strip(":")
    if path.endswith(".py") or "/" in path:
        path = _module(path)
    elif not function and "." in path:
        path, _, function = path.rpartition(".")
    meant = f"{path}:{function or 'FUNCTION'}"
    return meant if _FORM.fullmatch(meant) else None


def _module(path: str) -> str:
    """Return the module of a file in the current folder or below it, or an empty text."""
    file = Path(path)
    if file.is_absolute():
        if not file.is_relative_to(Path.cwd()):
            return ""
        file = file.relative_to(Path.cwd())
    return ".".join(PurePosixPath(file.as_posix().removesuffix(".py")).parts)


def names(functions: Iterable[Named]) -> str:
    """Return what the settings name, as one text."""
    return " ".join(map(str, functions))
