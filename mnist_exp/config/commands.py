"""The commands beside training, each `python -m mnist_exp.NAME`, with what they are for."""

from importlib.util import find_spec

DASHES = "-\N{HYPHEN}\N{EN DASH}\N{EM DASH}\N{MINUS SIGN}\N{HORIZONTAL BAR}"
_HELP_WORDS = {"help", "h", "?", "usage", "man"}
_PACKAGE = __name__.partition(".")[0]
_PURPOSES = {
    "ui": "show the runs in MLflow's pages",
    "compare": "which runs are better, by how much, and is it luck?",
    "predict": "which digit is that? Read an image, or draw one",
    "preflight": "look for mistakes in a program before it trains",
    "reproduce": "are the tutorials' claims true?",
    "explain": "which difference explains the gap between the two CNNs?",
    "rerun": "train a recorded run again: is the result identical?",
    "sync": "send results that were kept on disk",
}


def asks_for_help(argument: str) -> bool:
    """Return True for a word that means --help: `help`, `-help`, `/?`, or one with another dash."""
    word = argument.strip(f"{DASHES}/\\").lower()
    return word in _HELP_WORDS and argument not in ("-h", "--help")


def commands() -> dict[str, str]:
    """Return {name: what it is for} of all commands that this version has."""
    return {name: text for name, text in _PURPOSES.items() if find_spec(f"{_PACKAGE}.{name}")}
