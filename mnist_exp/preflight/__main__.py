"""Preflight alone, without training or tracking: `python -m mnist_exp.preflight [OVERRIDES]`."""

import sys

from mnist_exp import data
from mnist_exp.command import Parser, answered
from mnist_exp.config.mistakes import USER_ERRORS
from mnist_exp.config.tree import compose
from mnist_exp.outside.printing import say
from mnist_exp.training.startup import import_tensorflow, quick_imports


def main() -> None:
    """Check the program that the settings of the command line describe; exit with 1 on an error."""
    parser = Parser(
        hint="usage: python -m mnist_exp.preflight [GROUP=OPTION] [KEY=VALUE] ...",
        prog="python -m mnist_exp.preflight",
        description="Look for mistakes in the program that these settings describe; see "
        "docs/preflight.md. The exit code is 1 if an error is found.",
    )
    parser.add_argument(
        "overrides", nargs="*", metavar="SETTING", help="as in: python -m mnist_exp --help"
    )
    with answered(*USER_ERRORS):
        config = compose(parser.parse_args().overrides).config
        dataset = data.load(
            config.data.dir,
            validation_size=config.data.validation_size,
            train_limit=config.data.train_limit,
        )
        with quick_imports():
            import_tensorflow(config)
            from mnist_exp.preflight.harness import preflight_report
            from mnist_exp.training.program import build_program

        report = preflight_report(build_program(config, len(dataset.train)), dataset.train)
        say(report)
    sys.exit(1 if report.errors else 0)


if __name__ == "__main__":
    main()
