"""Objects that a Python session gives to `mnist_exp.run`: what stands for them in the settings.

A function of a module becomes `model.build=MODULE:FUNCTION`, and a loss of Keras `loss.name=CLASS`:
such runs can be repeated from their record. For all other objects a name with a digest stands in
the settings, and what is known of them is recorded.
"""

import hashlib
import inspect
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import FunctionType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnist_exp.data import given_arrays
from mnist_exp.errors import ConfigError
from mnist_exp.own_code import session
from mnist_exp.own_code.code import NOTHING_OWN, Own, OwnCode, meaning
from mnist_exp.own_code.finding import with_imports
from mnist_exp.own_code.names import Named
from mnist_exp.own_code.session_source import is_in_module, source_text
from mnist_exp.sweeper import quoting
from mnist_exp.sweeper.foreign_text import clean

_EXPECTED = {
    "model": "a function build(input_shape, num_classes, **options), or a Keras model",
    "loss": "a function (labels, logits) -> losses, or a loss of keras.losses",
}
_OF_RUNS = ("name", "reduction", "dtype", "from_logits", "axis")  # what a run decides about a loss
_SETTING = {"model": "model.build", "loss": "loss.function", "data": "data.dir"}
# What objects have that are called with images and not with a shape: networks, also other than
# Keras'.
_OF_NETWORKS = ("trainable_variables", "state_dict", "fit")


@dataclass(frozen=True, kw_only=True)
class Given:
    """What a session gives to a run.

    overrides: those that stand for the objects, then the session's own
    own: the model and the loss; None for what the settings name
    arrays: images and labels; None for what data.dir names
    sources: what is known of the objects, by the path in the run's artifacts
    """

    overrides: Sequence[str] = ()
    own: Own = NOTHING_OWN
    arrays: Mapping[str, NDArray[Any]] | None = None
    sources: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def settings(self) -> set[str]:
        """The settings that stand for an object which is here."""
        given = {"model": self.own.model, "loss": self.own.loss, "data": self.arrays}
        return {_SETTING[argument] for argument, one in given.items() if one is not None}

    def with_code(self, code: OwnCode | None) -> Own:
        """Return all that is the user's own: the objects, and the source that belongs to them."""
        if self.sources:
            found = code or OwnCode(sources={}, folder="")
            code = replace(found, sources={**found.sources, **self.sources})
        return replace(self.own, code=code)


def taken(overrides: Sequence[str], model: Any = None, loss: Any = None, data: Any = None) -> Given:
    """Return what `mnist_exp.run` was called with, checked. Raises ConfigError or DataError."""
    standing: list[str] = []
    live: dict[str, Any] = {}
    sources: dict[str, bytes] = {}
    for argument, given in (("model", model), ("loss", loss)):
        if given is None:
            continue
        named = _lasting(argument, given)
        if not named:
            _check_kind(argument, given)
            text, setting = _text(given).encode(), _SETTING[argument]
            name = session.name(_word(given), meaning(text))
            named = [f"{argument}=own", quoting.override(setting, name)]
            live[argument] = given
            function = Named(setting=setting, module="session", function=_word(given))
            sources |= with_imports(f"{session.FOLDER}/{argument}.py", text, function)
        _refuse_twice(argument, named, overrides)
        standing += named
    arrays = None
    if data is not None:
        arrays = given_arrays.from_python(data)
        name = session.name("arrays", given_arrays.digest(arrays))
        named = [quoting.override(_SETTING["data"], name)]
        _refuse_twice("data", named, overrides)
        standing += named
    return Given(
        overrides=[*standing, *overrides],
        own=Own(model=live.get("model"), loss=live.get("loss")),
        arrays=arrays,
        sources=sources,
    )


def _lasting(argument: str, given: Any) -> list[str]:
    """Return overrides that say all of an object; none for one that no setting can name."""
    if isinstance(given, FunctionType) and is_in_module(given):
        name = f"{given.__module__}:{given.__name__}"
        return [f"{argument}=own", quoting.override(_SETTING[argument], name)]
    if argument == "loss" and _is_of_keras(given, "losses.Loss"):
        return _loss_of_keras(given)
    return []


def _check_kind(argument: str, given: Any) -> None:
    """Raise ConfigError for an object of another kind than is expected."""
    if argument == "model" and is_keras_model(given):
        return
    if argument == "loss" and isinstance(given, type):
        raise ConfigError(
            f"loss: expected {_EXPECTED['loss']}, found the class {clean(given.__qualname__)}"
            f"\n{clean(given.__name__)}() is a loss"
        )
    is_network = any(hasattr(given, name) for name in _OF_NETWORKS)
    if callable(given) and (isinstance(given, type) or not is_network):
        return
    hint, found = "", f"a {type(given).__module__}.{type(given).__qualname__}"
    if isinstance(given, str):
        hint = f"\nA setting names one: run(['{argument}=own', '{_SETTING[argument]}={given}'])"
        found = f"the text {given!r}"
    raise ConfigError(f"{argument}: expected {_EXPECTED[argument]}, found {clean(found)}{hint}")


def _refuse_twice(argument: str, named: Iterable[str], overrides: Sequence[str]) -> None:
    """Raise ConfigError if an override names what was given as an object, too."""
    keys = {argument, *(text.lstrip("+").partition("=")[0] for text in named)}
    for text in overrides:
        if text.lstrip("+~").partition("=")[0] in keys:
            raise ConfigError(f"{text}: run(..., {argument}=...) was given, too; expected one")


def is_keras_model(given: Any) -> bool:
    """Return whether an object is a Keras model, which is trained in place."""
    return _is_of_keras(given, "Model")


def _is_of_keras(given: Any, name: str) -> bool:
    """Return whether an object is of this class of Keras. Without Keras there is no such object."""
    found: Any = sys.modules.get("keras")
    for part in name.split("."):
        found = getattr(found, part, None)
    return found is not None and isinstance(given, found)


def _loss_of_keras(loss: Any) -> list[str]:
    """Return the overrides that name a loss of Keras, and set those of its settings that differ.

    Raises ConfigError for a class of the user's own: whether it takes labels or one-hot rows is not
    known.
    """
    kind = type(loss)
    if kind.__module__.partition(".")[0] != "keras":
        raise ConfigError(
            f"loss: expected {_EXPECTED['loss']}, found a {kind.__qualname__}, a class of your own"
            "\nA function that calls it, such as lambda labels, logits: ..., can be given"
        )
    usual = {name: one.default for name, one in inspect.signature(kind).parameters.items()}
    settings = {
        key: value
        for key, value in loss.get_config().items()
        if key not in _OF_RUNS and value != usual.get(key)
    }
    return [
        "loss=keras",
        quoting.override("loss.name", kind.__name__),
        *(quoting.override(f"+loss.options.{key}", value) for key, value in settings.items()),
    ]


def _word(given: Any) -> str:
    """Return the name of an object for people."""
    return str(getattr(given, "__name__", None) or getattr(given, "name", type(given).__name__))


def _text(given: Any) -> str:
    """Return what is known of an object, as Python text."""
    return _model_text(given) if is_keras_model(given) else source_text(given)


def _model_text(model: Any) -> str:
    """Return the configuration of a Keras model, the source of its own classes, and its weights.

    The weights are given as a digest: training begins with them.
    """
    layers = [model, *model._flatten_layers()]
    own = {type(layer): None for layer in layers if not type(layer).__module__.startswith("keras.")}
    try:
        config = model.to_json()
    except (NotImplementedError, TypeError, ValueError):  # a class without get_config
        config = str([(type(layer).__name__, layer.name) for layer in layers])
    weights = hashlib.sha256()
    for value in map(np.asarray, model.get_weights()):
        weights.update(f"{value.dtype}{value.shape}".encode() + value.tobytes())
    parts = [f"config = {config!r}", f"weights = {weights.hexdigest()[:16]!r}"]
    return "\n\n".join([*map(source_text, own), *parts]) + "\n"
