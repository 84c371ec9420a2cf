"""What the benchmarks' command lines share."""

import argparse

from mnist_exp.command import Parser
from mnist_exp.errors import UserError


def command_line(name: str, description: str | None) -> Parser:
    """Of `python -m benchmarks.NAME`, which writes its files to `--output`."""
    parser = Parser(
        hint="--help shows all options",
        prog=f"python -m benchmarks.{name}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--output", metavar="FOLDER", default=".", help="for the files written; default: here"
    )
    return parser


def check_positive(given: argparse.Namespace, *names: str) -> None:
    """Raises UserError for an option that is not."""
    for name in names:
        if getattr(given, name) <= 0:
            raise UserError(
                f"--{name.replace('_', '-')} {getattr(given, name)}: expected a number > 0"
            )
