"""A reproduction in the terminal."""

from pathlib import Path

from rich import box
from rich.table import Table

from mnist_exp.compare.words import value
from mnist_exp.outside import printing
from mnist_exp.reproduce import words
from mnist_exp.reproduce.presets import MEASURED_HERE, METRIC, PAGE
from mnist_exp.reproduce.results import Reproduction


def show(reproduction: Reproduction, folder: Path) -> None:
    """Print a table, the verdicts, what the seeds can see, and where the files are."""
    tests = [result for result in reproduction.results if result.is_test]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=METRIC, title_justify="left")
    of_tests = ("claim", "one more run") if tests else ()
    for name in ("preset", "n", "mean", *of_tests):
        table.add_column(name, no_wrap=True)
    for result in reproduction.results:
        description = result.assessment.description
        cells = [result.name, str(description.n), value(description.mean, METRIC)]
        if tests:
            cells += [words.claim(result), words.one_more_run(result)]
        table.add_row(*cells)
    console = printing.console()
    console.print()
    console.print(table)
    for result in reproduction.results:
        verdict = words.verdict(result).replace("**", "")
        console.print(f"{result.name}: {verdict}", soft_wrap=True)
    if tests:
        console.print(f"\n{words.ONE_MORE_RUN} {words.INSIDE}")
        for result in reproduction.results:
            if result.name in MEASURED_HERE:
                console.print(f"{words.MARK} {result.runs.preset.reference.source}")
        for result in tests:
            console.print(f"{result.name}: {words.what_the_seeds_can_see(result)}")
        console.print()
    for result in reproduction.results:
        for seed, reason in result.runs.missing.items():
            console.print(f"not counted: {result.name}, seed {seed}: {reason}", style="yellow")
    page_file, csv_file = folder / PAGE, folder / "results.csv"
    console.print(f"The page: {page_file}    every number: {csv_file}", soft_wrap=True)
