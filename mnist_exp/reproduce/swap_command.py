"""`python -m mnist_exp.reproduce --swap`: train what is missing, and write the page."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_exp.command import write
from mnist_exp.outside import plot_style, printing
from mnist_exp.reproduce.swap_programs import LARGEST, TUTORIALS, programs
from mnist_exp.tracking import costs

if TYPE_CHECKING:
    from mnist_exp.reproduce.swaps import Swaps

SEEDS = 5


@plot_style.plain()
def write_swaps(folder: Path, names: Sequence[str], seeds: int | None, uri: str | None) -> "Swaps":
    """Train what the store lacks of the swaps, and write swaps.md, swaps.csv, runs.csv, swaps.png.

    names: the differences to swap; none are the largest
    Raises UserError for a name that no difference has, and
    if the files cannot be written.
    """
    costs.read(folder)  # refused before the training, if it cannot be gone on with
    wanted = programs(names or LARGEST, uri)
    from mnist_exp.reproduce import swap_page, swaps
    from mnist_exp.reproduce.completing import complete_runs
    from mnist_exp.tracking.runs import Store

    numbers = range(seeds or SEEDS)
    found = complete_runs(uri, [(program.preset, numbers) for program in wanted])
    measured = swaps.measure(list(zip(wanted, found, strict=True)))
    lines = swaps.cost_lines(Store(uri), measured)
    texts = {
        swaps.PAGE: swap_page.markdown(measured, lines, _command(names, seeds)),
        "swaps.csv": swaps.table(measured).to_csv(index=False),
        costs.FILE: costs.to_csv(costs.with_other_pages(folder, lines)),
    }
    write(folder, texts)
    swap_page.figure(measured).savefig(folder / "swaps.png", dpi=120)
    said = [swap_page.gap(measured), *(swap_page.effects(measured, base) for base in TUTORIALS)]
    printing.say("\n" + "\n".join(said))
    page_file, csv_file = folder / swaps.PAGE, folder / "swaps.csv"
    printing.say(f"\nThe page: {page_file}    every number: {csv_file}")
    return measured


def _command(names: Sequence[str], seeds: int | None) -> str:
    """Return the command that was typed, without folder and store."""
    counted = () if seeds is None else ("--seeds", str(seeds))
    return printing.command_line("python", "-m", "mnist_exp.reproduce", "--swap", *names, *counted)
