"""Preflight alone, without training or tracking: `python -m mnist_exp.preflight [OVERRIDES]`."""

import sys

from mnist_exp import data
from mnist_exp.config.mistakes import USER_ERRORS, explain
from mnist_exp.config.tree import compose
from mnist_exp.training.startup import import_tensorflow, quick_imports

_USAGE = """usage: python -m mnist_exp.preflight [GROUP=OPTION] [KEY=VALUE] ...

Looks for mistakes in the program that these settings describe; see docs/preflight.md.
The exit code is 1 if it finds an error. Settings: python -m mnist_exp --help"""


def main() -> None:
    """Check the program that the settings of the command line describe; exit with 1 on an error."""
    overrides = sys.argv[1:]
    if {"-h", "--help"} & set(overrides):
        print(_USAGE)
        return
    try:
        config = compose(overrides).config
        dataset = data.load(
            config.data.dir,
            validation_size=config.data.validation_size,
            train_limit=config.data.train_limit,
        )
    except USER_ERRORS as error:
        sys.exit(f"mnist_exp: {explain(error)}")
    with quick_imports():
        import_tensorflow(config)
        from mnist_exp.preflight.harness import preflight_report
        from mnist_exp.training.program import build_program

    report = preflight_report(build_program(config, len(dataset.train)), dataset.train)
    print(report)
    sys.exit(1 if report.errors else 0)


if __name__ == "__main__":
    main()
