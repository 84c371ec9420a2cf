"""What a person typed after `python -m mnist_exp`, before Hydra reads it.

Hydra and argparse answer words that they do not know with their own usage or grammar. Here each of
them gets a line that says what to type.
"""

import argparse
import re
import shlex
import unicodedata
from collections.abc import Sequence
from importlib.metadata import version
from itertools import takewhile
from pathlib import Path
from typing import Any, NoReturn

from hydra._internal.utils import get_args_parser

from mnist_exp.config import lookup
from mnist_exp.config.commands import DASHES, asks_for_help, commands
from mnist_exp.config.help import topics
from mnist_exp.errors import ConfigError, did_you_mean
from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.sweeper.unreadable import is_readable

_RUN = "python -m mnist_exp"
_TRAIN_WORDS = {"train", "run", "fit", "start", "main", "mnist", "mnist_exp"}
# A dash, a name, and perhaps a value: --epochs=3, -lr, or with a dash that a word processor made.
_FLAG = re.compile(rf"(?P<dashes>[{DASHES}]+)(?P<name>[^\W\d][^=\s]*)(?:=(?P<value>.*))?")
_QUOTES = dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u00ab\u00bb"), '"') | dict.fromkeys(
    map(ord, "\u2018\u2019\u201a\u201b\u2032`"), "'"
)


def read(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """Return Hydra's flags, and the arguments for Hydra. Raises ConfigError for a mistake."""
    parser = get_args_parser()
    names = list(parser._option_string_actions)
    _show_own_version(parser)
    refuse_other_words(arguments, names)

    def refuse(message: str) -> NoReturn:
        raise ConfigError(_unknown_flag(message, arguments, names))

    parser.error = refuse  # type: ignore[method-assign]
    flags = parser.parse_intermixed_args(list(arguments))
    _refuse_removals(flags.overrides)
    if not flags.help:
        return flags, list(arguments)
    words = [text for text in flags.overrides if "=" not in text and not text.startswith("~")]
    others = [text for text in arguments if text not in words]
    return flags, [
        *others,
        *(f"hydra.help.template=${{help_page:{_topic(text)}}}" for text in words),
    ]


def _show_own_version(parser: argparse.ArgumentParser) -> None:
    """Let --version print this project's version before Hydra's."""
    action: Any = parser._option_string_actions["--version"]
    action.version = f"mnist_exp {version('mnist_exp')}, {action.version}"


def _topic(name: str) -> str:
    """Return the part of the help page that a name means."""
    known = topics()
    if name in known:
        return name
    if meant := [key for key in lookup.meant_keys(name) if key in known]:
        return meant[0]
    raise ConfigError(
        f"--help {clean(name, 100)}: no such group or setting; {_RUN} --help lists them all"
    )


def _refuse_removals(overrides: Sequence[str]) -> None:
    """Raise ConfigError for `~SETTING`, which would change nothing: it keeps its default."""
    for text in overrides:
        key = text.removeprefix("~").partition("=")[0]
        if text.startswith("~") and lookup.setting(key) is not None:
            raise ConfigError(f"{text}: a setting cannot be taken away; {key}=VALUE changes it")


def refuse_other_words(arguments: Sequence[str], flags: Sequence[str]) -> None:
    """Raise ConfigError for a word for help, the name of another command, or a setting as a flag.

    `flags` are those that there are.
    """
    first = arguments[0] if arguments else ""
    if asks_for_help(first):
        raise ConfigError(f"{first}: {_RUN} --help explains all settings")
    word = first.lower()
    command = word.removeprefix("mnist_exp.").removesuffix(".py")
    if command in commands() and "=" not in first:
        rest = " ".join(map(shlex.quote, arguments[1:]))
        raise ConfigError(
            f"{first} is a command of its own ({commands()[command]}): "
            f"{_RUN}.{command} {rest}".rstrip()
        )
    if word in _TRAIN_WORDS and "=" not in first:
        rest = " ".join(map(shlex.quote, arguments[1:]))
        raise ConfigError(f"{first}: training needs no such word: {_RUN} {rest}".rstrip())
    for position, text in enumerate(arguments):
        flag = _FLAG.fullmatch(text)
        if flag is not None and not _is_flag(text, flags):
            _refuse_flag(flag, arguments, position, flags)


def _is_flag(text: str, flags: Sequence[str]) -> bool:
    """Return True for one of the flags, or the beginning of one."""
    name = text.partition("=")[0]
    return name in flags or (name.startswith("--") and any(f.startswith(name) for f in flags))


def _refuse_flag(
    flag: re.Match[str], arguments: Sequence[str], position: int, flags: Sequence[str]
) -> None:
    """Raise ConfigError if the name after the dashes is a setting, or a flag with other dashes."""
    text, name = flag[0], flag["name"]
    if _is_flag(f"--{name}", flags) and not flag["dashes"].isascii():
        raise ConfigError(f"{text}: begins with another dash; expected --{name}")
    value = flag["value"]
    following = arguments[position + 1] if position + 1 < len(arguments) else None
    if value is None and following is not None and not re.match(rf"[{DASHES}~+]|.*=", following):
        value = following
    if found := lookup.hint(name, value, arguments):
        shown = text if value is None or "=" in text else f"{text} {value}"
        raise ConfigError(f"{clean(shown, 100)}: a setting is written SETTING=VALUE{found}")


def _unknown_flag(message: str, arguments: Sequence[str], flags: Sequence[str]) -> str:
    """Return what is wrong with the flags, for argparse's message."""
    for text in arguments:
        if _FLAG.fullmatch(text) and not _is_flag(text, flags):
            near = did_you_mean(text, flags)
            return f"{clean(text, 100)}: no such flag{near}\n{_RUN} --help explains all settings"
    return f"{message}\n{_RUN} --help explains all settings"


def repaired(override: str, arguments: Sequence[str]) -> str | None:
    """Return `did you mean ARGUMENTS?` for one that cannot be read; None if that is unclear.

    They are ready for a shell: with quotes where it needs them.
    """
    parts = override.split()
    if len(parts) > 1 and all(map(_is_override, parts)):
        meant = " ".join(_renamed(part, arguments) for part in parts)
        return f"did you mean {meant}, without quotes around both?"
    position = list(arguments).index(override) if override in arguments else 0
    before, after = list(arguments[:position]), list(arguments[position + 1 :])
    for text in filter(_is_override, _around_equals(override, before, after)):
        return f"did you mean {_renamed(text, arguments)}, without spaces?"
    for text in filter(_is_override, _with_spaces(override, before, after)):
        return f"did you mean {_renamed(text, arguments)}, in quotes?"
    for text in filter(_is_override, _rewritten(override)):
        if text != override:
            return f"did you mean {_renamed(text, arguments)}?"
    return None


def _is_override(text: str) -> bool:
    return re.match(r"[^\W\d][\w./-]*=", text.lstrip("+~")) is not None and is_readable(text)


def _renamed(text: str, arguments: Sequence[str]) -> str:
    """Return the override, with the setting's right name, as a word for a shell."""
    key, _, value = text.partition("=")
    keys = lookup.meant_keys(key.lstrip("+~"))
    return lookup.assignment(keys[0], value, arguments) if keys else shlex.quote(text)


def _around_equals(word: str, before: list[str], after: list[str]) -> list[str]:
    """Return what stands around `=`, or should: `seed = 3`, `seed =3`, `seed= 3`, `model mlp`."""
    if "=" in word:
        return []
    if after[:1] == ["="]:
        return [f"{word}={''.join(after[1:2])}"]
    if after and after[0].startswith("="):
        return [f"{word}{after[0]}"]
    if before and before[-1].endswith("="):
        return [f"{before[-1]}{word}"]
    is_name = lookup.meant_keys(word) and not lookup.options_named(word)
    return [f"{word}={after[0]}"] if after and "=" not in after[0] and is_name else []


def _with_spaces(override: str, before: list[str], after: list[str]) -> list[str]:
    """Return an argument that the shell has cut at its spaces: `model.filters=[16, 32]`."""
    if "=" in override:
        joined = [" ".join([override, *after[:end]]) for end in range(1, len(after) + 1)]
        return [*joined, *map(_straight, joined)]
    starts = [index for index, text in enumerate(before) if "=" in text]
    if starts:  # a name or note of several words
        one = lookup.setting(before[starts[-1]].partition("=")[0])
        if one is not None and one.type is str:
            rest = takewhile(lambda text: "=" not in text, after)
            return [" ".join([*before[starts[-1] :], override, *rest])]
    return []


def _straight(text: str) -> str:
    """Return the text in plain characters, without the quotes around it."""
    return unicodedata.normalize("NFKC", text.translate(_QUOTES)).strip().strip("'\"")


def _rewritten(override: str) -> list[str]:
    """Return other ways to write an override that one may have meant."""
    plain = unicodedata.normalize("NFKC", override.translate(_QUOTES)).strip()
    bare = _straight(override)
    found = [plain, bare, plain.rstrip(",;."), bare.rstrip(",;.")]
    found.append(re.sub(r"\s*(=+|:=|=>|->)\s*", "=", bare, count=1))
    found.append(re.sub(r"^([\w.]+)\s*:\s*", r"\1=", bare))
    if option := re.fullmatch(r"(\w+)[/.](\w+)", bare.removesuffix(".yaml")):
        found += [text for text in lookup.options_named(option[2]) if text.startswith(option[1])]
    found.append(re.sub(r",\s*,", ",", bare.rstrip(",;")))
    key, equals, value = bare.partition("=")
    if equals and (inside := re.fullmatch(r"[({]\s*([^(){}:]*?)\s*,?\s*[)}]", value)):
        found.append(f"{key}=[{inside[1]}]")
    if equals and '"' not in value and "\\" not in value and not set("[({") & set(value):
        found.append(f'{key}="{value}"')
    return [text.strip() for text in found]


def bare_word(word: str, arguments: Sequence[str]) -> str:
    """Return what to type in place of a word without `=`, or an empty text."""
    lower = word.lower()
    if asks_for_help(word):
        return f"{_RUN} --help explains all settings"
    if lower in commands():
        return f"{_RUN}.{lower} is a command of its own"
    if options := lookup.options_named(word):
        return f"did you mean {' or '.join(options)}?"
    if keys := lookup.meant_keys(word):
        return f"did you mean {lookup.assignment(keys[0], None, arguments)}?"
    if Path(word).exists():
        return (
            "a file here has this name; in the place of * ? or [ ] the shell writes the names of "
            "files, unless the argument stands in quotes"
        )
    return ""
