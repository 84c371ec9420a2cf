"""`python -m mnist_exp.reproduce --swap`: train what is missing, and write the page."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_exp.command import write
from mnist_exp.outside import plot_style, printing
from mnist_exp.reproduce.presets import SEEDS, SWAP_SEEDS
from mnist_exp.reproduce.swap_programs import LARGEST, TUTORIALS, programs
from mnist_exp.tracking import costs

if TYPE_CHECKING:
    from mnist_exp.reproduce.swaps import Swaps


@plot_style.plain()
def write_swaps(folder: Path, names: Sequence[str], seeds: int | None, uri: str | None) -> "Swaps":
    """Train what the store lacks of the swaps, and write swaps.md, swaps.csv, runs.csv, swaps.png.

    names: the differences to swap; none are the largest
    Raises UserError for a name that no difference has, if a CNN as it is has no run, and if the
    files cannot be written.
    """
    costs.read(folder)  # refused before the training, if it cannot be gone on with
    wanted = programs(names or LARGEST, uri)
    from mnist_exp.compare import paired_words
    from mnist_exp.reproduce import runs, swap_page, swaps
    from mnist_exp.reproduce.completing import complete_runs, cost_lines
    from mnist_exp.tracking.runs import Store

    numbers = range(seeds or SWAP_SEEDS)
    found = complete_runs(uri, [(program.preset, numbers) for program in wanted])
    measured = swaps.measure(list(zip(wanted, found, strict=True)))
    store = Store(uri)
    as_they_are = [one for one in wanted if one.swap is None]
    more = [runs.find(store, one.preset, range(SEEDS[one.base])) for one in as_they_are]
    lines = cost_lines(store, found, swaps.PAGE)
    swapped = lines[lines["program"].isin([one.name for one in wanted if one.swap])]
    files = {
        swaps.PAGE: swap_page.markdown(measured, swapped, more, _command(names, seeds)),
        "swaps.csv": swaps.table(measured).to_csv(index=False),
        costs.FILE: costs.to_csv(costs.with_other_pages(folder, lines)),
        "swaps.png": plot_style.png(swap_page.figure(measured)),
    }
    write(folder, files)
    said = [
        swap_page.gap(measured),
        *(swap_page.answer(measured, base) for base in TUTORIALS),
        paired_words.luck(measured.effects()),
        swap_page.alike(measured),
        *(f"not counted: {text}" for text in swap_page.missing(measured)),
    ]
    printing.say("\n" + "\n".join(filter(None, said)))
    page_file, csv_file = folder / swaps.PAGE, folder / "swaps.csv"
    printing.say(f"\nThe page: {page_file}    every number: {csv_file}")
    return measured


def _command(names: Sequence[str], seeds: int | None) -> str:
    """Return the command that was typed, without folder and store."""
    counted = () if seeds is None else ("--seeds", str(seeds))
    return printing.command_line("python", "-m", "mnist_exp.reproduce", "--swap", *names, *counted)
