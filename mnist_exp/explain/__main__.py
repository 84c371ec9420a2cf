"""`python -m mnist_exp.explain --study bridge`: an answer, a table, pages and a picture."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mnist_exp.command import Parser, main, output_folder, write
from mnist_exp.outside import plot_style, printing

if TYPE_CHECKING:
    from mnist_exp.explain.contributions import Explanation

_METRIC = "test/accuracy"

_DESCRIPTION = """How much of the gap between the tutorials' CNNs does each difference explain?

It reads the runs of python -m mnist_exp -m sweeps=bridge, and prints a table and the answer. It
writes explain.md, explain.html, explain.csv, explain.png, and runs.csv with what each run cost."""
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
        "--metric": ("NAME", _METRIC, "what is explained; default: %(default)s"),
        "--margin": (
            "SIZE",
            None,
            "the smallest effect that matters; default: 0.002 of an accuracy",
        ),
        "--output": ("FOLDER", ".", "where the files are written; default: the current folder"),
    }
    for option, (metavar, default, text) in options.items():
        parser.add_argument(option, metavar=metavar, default=default, help=text)
    return parser


def run(arguments: Sequence[str]) -> int:
    """Explain the study that the arguments name, and write and print the result.

    Returns the exit code, 1 if a seed lacks runs and so does not count. Raises UserError for what a
    user can get wrong.
    """
    given = _parser().parse_args(arguments)
    folder = output_folder(given.output)
    from mnist_exp.explain import markdown, page, report
    from mnist_exp.explain.contributions import explain
    from mnist_exp.tracking import costs
    from mnist_exp.tracking.runs import Store

    store = Store(given.uri)
    explanation = explain(store, given.study, given.metric, given.margin)
    lines = costs.table(store, explanation.recorded, explanation.programs, markdown.PAGE)
    files = {
        markdown.PAGE: markdown.render(explanation, lines, _command(given)),
        "explain.html": page.render(explanation),
        "explain.csv": report.to_csv(explanation).to_csv(index=False),
        costs.FILE: costs.to_csv(costs.with_other_pages(folder, lines)),
        "explain.png": _picture(explanation),
    }
    write(folder, files)
    console = printing.console()
    report.show(explanation, console)
    page_file, csv_file = folder / "explain.html", folder / "explain.csv"
    console.print(f"The page, for a browser: {page_file}    every seed: {csv_file}", soft_wrap=True)
    return 1 if explanation.incomplete else 0


def _command(given: Any) -> str:
    """Return the command that was typed, without folder and store."""
    words = ["python", "-m", "mnist_exp.explain", "--study", given.study]
    if given.metric != _METRIC:
        words += ["--metric", given.metric]
    if given.margin is not None:
        words += ["--margin", given.margin]
    return printing.command_line(*words)


@plot_style.plain()
def _picture(explanation: "Explanation") -> bytes:
    from mnist_exp.explain.waterfall import waterfall

    return plot_style.png(waterfall(explanation))


if __name__ == "__main__":
    main(run)
