"""Why Hydra cannot read an override, in a person's words instead of its parser's."""

import difflib
import re

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException, OverrideParseException

from mnist_exp.sweeper.foreign_text import clean

_CLOSING = {"(": ")", "[": "]", "{": "}"}
# Hydra's functions, as they are written in an override.
_FUNCTIONS = {
    "choice": "choice(A,B,...) with one value or more",
    "range": "range(STOP), range(START,STOP) or range(START,STOP,STEP) with numbers",
    "interval": "interval(FROM,TO) with two numbers",
    "tag": "tag(log,interval(FROM,TO))",
    "sort": "sort(A,B,...) with values of one kind",
    "shuffle": "shuffle(A,B,...)",
    "glob": "glob(PATTERN)",
    "int": "int(NUMBER)",
    "float": "float(NUMBER)",
    "bool": "bool(true) or bool(false)",
    "str": "str(VALUE)",
    "json_str": "json_str(VALUE)",
    "extend_list": "extend_list(A,B,...)",
}
_NAME = re.compile(r"[+~]{0,2}[\w.@:/\[\]$-]+")


def is_readable(override: str) -> bool:
    """Return True if Hydra's parser accepts the override."""
    try:
        OverridesParser.create().parse_override(override)
    except HydraException:
        return False
    return True


def reason(error: OverrideParseException) -> str:
    """Return why the override of this error cannot be read, without any word of the parser."""
    override = str(error.override)
    name, equals, value = override.partition("=")
    if call := re.search(r"while evaluating '((\w+)\(.*?)': ", error.message, re.DOTALL):
        return _wrong_call(clean(call[1], 100), call[2])
    if not equals:
        return "it has no ="
    if not _NAME.fullmatch(name):
        return f"{clean(name, 100)} is no name of a setting" if name else "no name stands before ="
    return _wrong_value(value)


def _wrong_call(call: str, function: str) -> str:
    if function in _FUNCTIONS:
        return f"{call}: expected {_FUNCTIONS[function]}"
    near = difflib.get_close_matches(function, _FUNCTIONS, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(_FUNCTIONS)}"
    return f"{call}: no such function; {hint}"


def _wrong_value(value: str) -> str:
    """Return what is wrong with the text after `=`: a bracket, a quote, a comma or a character."""
    opened: list[str] = []
    quote = before = ""
    for character in value:
        if quote:
            quote = "" if character == quote and before != "\\" else quote
        elif character in "'\"" and before in ("", ",", " ", *_CLOSING, ":"):
            quote = character
        elif character in _CLOSING:
            opened.append(character)
        elif character in _CLOSING.values():
            if not opened or _CLOSING[opened.pop()] != character:
                return f"the bracket {character} closes none"
        elif character in "=#;'\"!<>&^`~" or not character.isascii():
            return f"the character {clean(character)} needs quotes around the text"
        before = character
    if quote:
        return f"the quote {quote} is not closed"
    if opened:
        return f"the bracket {opened[-1]} is not closed"
    if re.search(r"^\s*,|,\s*(,|$|[)\]}])|[(\[{]\s*,", value):
        return "a value is missing beside the comma"
    if "{" in value:
        return "the braces { } hold NAME:VALUE pairs; a list is written [A,B]"
    return "the value needs quotes"
