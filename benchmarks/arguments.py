"""The part of a command line that all benchmarks share."""

import argparse
import importlib.util

from mnist_exp.command import Parser
from mnist_exp.errors import UserError


def command_line(name: str, description: str | None, *, writes: bool = True) -> Parser:
    """Return the parser of `python -m benchmarks.NAME`, which writes its files to `--output`."""
    parser = Parser(f"benchmarks.{name}", description, store=False)
    if writes:
        parser.add_argument(
            "--output",
            metavar="FOLDER",
            default=".",
            help="where the files are written; default: here",
        )
    return parser


def is_installed(package: str) -> bool:
    """Return whether a package, or a package within one, can be imported."""
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # the package around it
        return False


def check_positive(given: argparse.Namespace, *names: str) -> None:
    """Raise UserError for an option that is not a number above 0."""
    for name in names:
        if getattr(given, name) <= 0:
            raise UserError(
                f"--{name.replace('_', '-')} {getattr(given, name)}: expected a number > 0"
            )
