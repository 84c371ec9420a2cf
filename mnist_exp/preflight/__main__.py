"""Preflight alone, without training or tracking: `python -m mnist_exp.preflight [OVERRIDES]`."""

from collections.abc import Sequence
from dataclasses import asdict

from mnist_exp import data
from mnist_exp.command import Parser, main
from mnist_exp.config.command_line import refuse_other_words
from mnist_exp.config.groups import CONFIG_DIR_FLAG, own_folder_flags, use_config_dir
from mnist_exp.config.mistakes import USER_ERRORS
from mnist_exp.config.own_functions import own_functions
from mnist_exp.config.tree import compose
from mnist_exp.outside.printing import command_line, say, terminal_width
from mnist_exp.own_code.code import Own
from mnist_exp.own_code.finding import find
from mnist_exp.preflight.errors import PreflightError
from mnist_exp.preflight.explanations import codes, explain
from mnist_exp.training.startup import import_tensorflow, quick_imports

_DESCRIPTION = """Look for mistakes in the program of these settings, before it trains.

docs/preflight.md lists what is checked; python -m mnist_exp --help explains the settings."""
_EXPLAIN_FLAG = "--explain"
_EXIT_CODE = """examples:
  python -m mnist_exp.preflight model=mlp init=zeros
  python -m mnist_exp.preflight experiment=notebook_softmax_buggy
  python -m mnist_exp.preflight --explain DEAD_UNITS

exit code: 0, or 1 for an error in the program or a mistake in the settings"""


def run(arguments: Sequence[str]) -> int:
    """Check the program that the settings describe; return the exit code, 1 if it has an error."""
    usage = "[GROUP=OPTION] [SETTING=VALUE] ..."
    parser = Parser("mnist_exp.preflight", _DESCRIPTION, _EXIT_CODE, usage=usage, store=False)
    parser.add_argument(
        "overrides", nargs="*", metavar="SETTING=VALUE", help="settings of the program"
    )
    parser.add_argument(CONFIG_DIR_FLAG, metavar="FOLDER", help="a folder of options of your own")
    parser.add_argument(
        _EXPLAIN_FLAG,
        metavar="CODE",
        nargs="?",
        const="",
        help="what a code of a report means, with an example; without CODE: all codes",
    )
    refuse_other_words(arguments, ("-h", "--help", CONFIG_DIR_FLAG, _EXPLAIN_FLAG))
    options = parser.parse_args(arguments)
    if options.explain is not None:
        say(explain(options.explain) if options.explain else "\n".join(codes()))
        return 0
    overrides = options.overrides
    use_config_dir(options.config_dir)
    config = compose(overrides).config
    own = Own(code=find(own_functions(config)))
    dataset = data.load(**asdict(config.data))
    train = dataset.train
    with quick_imports():
        import_tensorflow(config)
        from mnist_exp.preflight.harness import preflight_report
        from mnist_exp.training import own_program, precision
        from mnist_exp.training.program import build_program

    program = build_program(config, len(train), dataset.form, own)
    for warning in [*precision.warnings(config), *own_program.check(program, train)]:
        say(f"warning: {warning}")
    report = preflight_report(program, train)
    say(report.text(terminal_width()))
    if not report.errors:
        given = (*own_folder_flags(), *overrides)
        say(f"To train this program: {command_line('python', '-m', 'mnist_exp', *given)}")
    return 1 if report.errors else 0


if __name__ == "__main__":
    main(run, *USER_ERRORS, PreflightError)
