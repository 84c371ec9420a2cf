"""`python -m mnist_exp.compare --study NAME`: a table, compare.csv and compare.html."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_exp.command import Parser, main, output_folder, without_garbage_collection, write
from mnist_exp.compare.question import Question, asked
from mnist_exp.compare.quick_scipy import load_statistics
from mnist_exp.errors import UserError
from mnist_exp.outside import printing

if TYPE_CHECKING:
    from mnist_exp.compare.comparison import Comparison
    from mnist_exp.tracking.runs import Runs, Store
    from mnist_exp.tuning.trials import Study

_DESCRIPTION = """Which group of runs is better, by how much, and is that luck?

Runs that differ only in the seed form a group. Each group is compared with one group, the baseline:
seed by seed, or as independent runs if they have no seeds in common. The runs may be those of any
program, in MLflow or in a table. The command prints a table and writes compare.csv and
compare.html. Of a study that searched settings, with one run of each, it writes trials.csv and
tuning.html instead: which settings are best, and which of them matter. docs/compare.md explains the
statistics."""
_EXAMPLES = """examples:
  python -m mnist_exp.compare --study variants --baseline variant=blog_cnn3x3
  python -m mnist_exp.compare --experiment mnist_exp --group-by model,loss
  python -m mnist_exp.compare --filter "params.model = 'mlp'" --metric val/cost
  python -m mnist_exp.compare --experiment NAME --metric val_loss --seed random_state
  python -m mnist_exp.compare --table results.csv --metric accuracy --group-by model

exit code: 0, or 1 if there is nothing to compare"""


def _parser() -> Parser:
    usage = "--study NAME [options]"
    parser = Parser("mnist_exp.compare", _DESCRIPTION, _EXAMPLES, usage=usage)
    options = {
        "--study": ("NAME", "compare the trials of this study"),
        "--experiment": ("NAME", "compare the runs of this MLflow experiment"),
        "--filter": ("FILTER", "compare the runs that this MLflow filter selects"),
        "--table": ("FILE", "compare the rows of a CSV or Parquet file, each of which is a run"),
        "--group-by": ("KEY,...", "what the runs of a group share; default: all but the seed"),
        "--metric": ("NAME", "what is compared; default: test/accuracy, or the only metric"),
        "--seed": ("NAME", "which setting or column is the seed; default: one named like a seed"),
        "--baseline": (
            "KEY=VALUE,...",
            "the group to compare with; default: the one with most seeds, of several the oldest",
        ),
        "--margin": (
            "SIZE",
            "the smallest difference that matters: tests equivalence, and counts the seeds needed",
        ),
        "--data-dir": (
            "PATH",
            "data.dir of the runs, to show its test images; default: only MNIST's are shown",
        ),
        "--output": ("FOLDER", "where the two files are written; default: the current folder"),
    }
    parser.add_argument("run_ids", nargs="*", metavar="RUN_ID", help="the runs to compare")
    for option, (metavar, text) in options.items():
        parser.add_argument(option, metavar=metavar, help=text)
    parser.add_argument(
        "--direction",
        choices=["maximize", "minimize"],
        help="which values are better; default: from the metric's name",
    )
    parser.set_defaults(output=".")
    return parser


@without_garbage_collection()  # the tables are large
def run(arguments: Sequence[str]) -> None:
    """Compare the runs that the arguments select, and write and print the result.

    Raises UserError for what a user can get wrong.
    """
    given = _parser().parse_args(arguments)
    run_ids = tuple(given.run_ids)
    if wrong := [text for text in run_ids if "=" in text]:
        raise UserError(f"{wrong[0]}: expected a run id, or tracking.uri=URI")
    folder = output_folder(given.output)
    selected = bool(given.study or given.experiment or given.filter or run_ids)
    if given.table and (selected or given.uri):
        raise UserError("--table: expected alone, without --study, --experiment, --filter or runs")
    if not (given.table or selected):
        raise UserError(
            "nothing to compare: give --study, --experiment, --filter, --table or run ids\n"
            "--help shows all options"
        )
    written = f"{datetime.now().astimezone():%Y-%m-%d %H:%M}"
    question = asked(vars(given))
    load_statistics()
    if given.table:
        from mnist_exp.compare.comparison import compare_table
        from mnist_exp.compare.table_files import read_table

        file = Path(given.table)
        _show(compare_table(read_table(file), file.name, question), folder, written, None)
        return
    from mnist_exp.compare.comparison import compare_selected
    from mnist_exp.tracking.runs import Selection, Store
    from mnist_exp.tuning.recorded import are_of_search, from_runs

    store = Store(given.uri)
    selection = Selection(
        study=given.study, experiment=given.experiment, filter=given.filter, run_ids=run_ids
    )
    selection = store.resolved(selection)
    runs = store.select(selection)
    study = selection.study
    is_whole_study = study is not None and selection == Selection(study=study)
    if is_whole_study and question == Question() and are_of_search(runs):
        _show_search(from_runs(store, runs, str(study)), folder, written, given.data_dir)
        _say_where_in_mlflow(store, runs)
        return
    comparison = compare_selected(store, runs, str(selection), question)
    _show(comparison, folder, written, given.data_dir)
    _say_where_in_mlflow(store, comparison.runs)


def _show(comparison: "Comparison", folder: Path, written: str, data_dir: str | None) -> None:
    """Write compare.csv and compare.html, print the table, and say where the files are."""
    from mnist_exp.compare import page, table

    write(
        folder,
        {
            "compare.csv": table.to_csv(comparison).to_csv(index=False),
            "compare.html": page.render(comparison, written, data_dir),
        },
    )
    table.show(comparison, printing.console())
    _say_where(folder / "compare.html", folder / "compare.csv")


def _say_where(page_file: Path, csv_file: Path) -> None:
    """Print where the page and the table can be seen."""
    console = printing.console()
    console.print(f"The page, for a browser: {page_file}    every run: {csv_file}", soft_wrap=True)


def _say_where_in_mlflow(store: "Store", runs: "Runs") -> None:
    """Print where MLflow shows the runs."""
    from mnist_exp.tracking.links import ui_command

    address = store.page(runs)
    line = f"In MLflow: {ui_command(store.uri)}    then open {address}"
    printing.console().print(line, soft_wrap=True)


def _show_search(study: "Study", folder: Path, written: str, data_dir: str | None) -> None:
    """Write and print the page of a study that searched settings with one run of each."""
    from mnist_exp.tuning import page, table

    html, summary = page.render(study, written, data_dir)
    csv = table.to_csv(study).to_csv(index=False)
    write(folder, {"trials.csv": csv, "tuning.html": html})
    console = printing.console()
    console.print(
        f"Study {study.name} searched settings, with one run of each. --group-by KEY compares "
        "groups of its trials."
    )
    table.show(study, summary, console)
    _say_where(folder / "tuning.html", folder / "trials.csv")


if __name__ == "__main__":
    main(run)
