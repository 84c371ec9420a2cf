"""How a setting is recorded as a param of an MLflow run, and how its text is read back."""

import ast
import re
from collections.abc import Mapping

from mnist_exp.config.identity import LENGTH, flatten
from mnist_exp.config.schema import Config
from mnist_exp.own_code.code import DIGEST_TAG, OwnCode


def safe_name(name: str) -> str:
    """Return the name of a metric or param with `_` for each character that MLflow refuses."""
    return re.sub(r"[^\w\-. :/]", "_", name)


def encode(value: object) -> str:
    """Return the text that is recorded for a setting, such as `None`, `0.001` or `[64, 32]`."""
    return str(value)


def program(config: Config, data_digest: str, own: OwnCode | None = None) -> dict[str, str]:
    """Return what tells two programs apart: the params that decide the result, data and own code.

    The folder of the data does not count, and neither does the seed.
    """
    texts = {key: encode(value) for key, value in flatten(config.program()).items()}
    del texts["data.dir"]
    code = {} if own is None else {DIGEST_TAG: own.digest}
    return {**texts, "data.digest": data_digest, **code}


def with_length(params: Mapping[str, str], tags: Mapping[str, str]) -> dict[str, str]:
    """Return a run's params with the length that it has now.

    MLflow lets nobody change a param, but a run may be made longer: then it has tags with the names
    of these params.
    """
    return {**params, **{key: tags[key] for key in LENGTH if key in tags}}


def decode(text: str) -> object:
    """Return the value whose recorded text this is: None, a truth value, a number, a list, or text.

    A text setting that spells another value, such as a run named `5`, is read as that value.
    """
    words: dict[str, object] = {"None": None, "True": True, "False": False}
    if text in words:
        return words[text]
    if re.fullmatch(r"-?[0-9]{1,300}", text):
        return int(text)
    if (value := number(text)) is not None:
        return value
    return _list(text) if text.startswith("[") else text


def number(text: str) -> float | None:
    """Return the number that a recorded text is, or None if it is none."""
    try:
        return float(text)
    except ValueError:
        return None


def _list(text: str) -> object:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):  # text that others recorded
        return text
    return value if isinstance(value, list) else text
