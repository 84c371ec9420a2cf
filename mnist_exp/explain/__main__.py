"""`python -m mnist_exp.explain --study bridge`: a paragraph, a table, explain.csv, explain.html."""

from collections.abc import Sequence

from mnist_exp.command import Parser, main, output_folder, write
from mnist_exp.outside import printing

_DESCRIPTION = """How much of the gap between the tutorials' CNNs does each difference explain?

It reads the runs of python -m mnist_exp -m sweeps=bridge, prints a table, and writes explain.csv
and explain.html."""
_EXAMPLES = """examples:
  python -m mnist_exp.explain --study bridge
  python -m mnist_exp.explain --study bridge --metric val/accuracy

exit code: 0, or 1 if runs are missing"""


def _parser() -> Parser:
    parser = Parser(
        "mnist_exp.explain", _DESCRIPTION, _EXAMPLES, usage="[--study bridge] [options]"
    )
    options = {
        "--study": ("NAME", "bridge", "the study of sweeps=bridge; default: %(default)s"),
        "--metric": ("NAME", "test/accuracy", "what is explained; default: %(default)s"),
        "--output": (
            "FOLDER",
            ".",
            "where explain.csv and explain.html are written; default: the current folder",
        ),
    }
    for option, (metavar, default, text) in options.items():
        parser.add_argument(option, metavar=metavar, default=default, help=text)
    return parser


def run(arguments: Sequence[str]) -> None:
    """Explain the study that the arguments name, and write and print the result.

    Raises UserError for what a user can get wrong.
    """
    given = _parser().parse_args(arguments)
    folder = output_folder(given.output)
    from mnist_exp.explain import page, report
    from mnist_exp.explain.contributions import explain
    from mnist_exp.tracking.runs import Store

    explanation = explain(Store(given.uri), given.study, given.metric)
    csv = report.to_csv(explanation).to_csv(index=False)
    write(folder, {"explain.csv": csv, "explain.html": page.render(explanation)})
    console = printing.console()
    report.show(explanation, console)
    page_file, csv_file = folder / "explain.html", folder / "explain.csv"
    console.print(f"The page, for a browser: {page_file}    every seed: {csv_file}", soft_wrap=True)


if __name__ == "__main__":
    main(run)
