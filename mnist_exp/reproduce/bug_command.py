"""`python -m mnist_exp.reproduce --bug`: train the cases of the wrong loss, write their page."""

from collections.abc import Sequence
from pathlib import Path

from mnist_exp import data
from mnist_exp.command import write
from mnist_exp.config.tree import compose
from mnist_exp.outside import plot_style, printing
from mnist_exp.reproduce.bug_cases import GLOROT, PRESET_RATE, QUICK_SEEDS, SEEDS, Case, cases
from mnist_exp.tracking import costs
from mnist_exp.training.startup import import_tensorflow

COMMAND = "python -m mnist_exp.reproduce --bug"


def write_bug(folder: Path, seeds: int | None, *, quick: bool) -> None:
    """Train each case with so many seeds, and write bug.md, bug.csv, runs.csv and the figures.

    Raises UserError if they cannot be written there.
    """
    number = seeds or (QUICK_SEEDS if quick else SEEDS)
    options = f"{'' if seeds is None else f' --seeds {seeds}'}{' --quick' if quick else ''}"
    write_page(folder, cases(quick=quick), range(number), f"{COMMAND}{options}")


@plot_style.plain()
def write_page(folder: Path, wanted: Sequence[Case], seeds: Sequence[int], command: str) -> None:
    """Train these cases, and write the page that `command` is said to have made."""
    costs.read(folder)  # refused before the training, if it cannot be gone on with
    config = compose(()).config
    import_tensorflow(config)
    from mnist_exp.reproduce import bug_figures, bug_page, bug_table
    from mnist_exp.reproduce.bug_training import Trained, train

    dataset = data.load(dir=config.data.dir)
    total = len(wanted) * len(seeds)
    trained: list[Trained] = []
    for case in wanted:
        for seed in seeds:
            printing.say(f"[{len(trained) + 1}/{total}] {case.name}, seed {seed}")
            trained.append(train(case, seed, dataset))
    own = {
        one.case.is_meant: one
        for one in reversed(trained)  # so that the first seed is taken
        if (one.case.start, one.case.rate) == (GLOROT, PRESET_RATE[GLOROT])
    }
    files = {
        bug_table.PAGE: bug_page.markdown(trained, command),
        "bug.csv": bug_table.table(trained).to_csv(index=False),
        costs.FILE: costs.to_csv(costs.with_other_pages(folder, bug_table.runs(trained))),
        "bug_courses.png": plot_style.png(bug_figures.courses(trained)),
        "bug_weights.png": plot_style.png(bug_figures.weights(own[False], own[True])),
    }
    write(folder, files)
    page_file, csv_file = folder / bug_table.PAGE, folder / "bug.csv"
    printing.say(f"\nThe page: {page_file}    every number: {csv_file}")
