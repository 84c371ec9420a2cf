"""`python -m mnist_exp.reproduce`: run what is missing of the tutorials' presets, and write docs/results/."""

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_exp import plot_style, printing
from mnist_exp.command import Parser, answered, output_folder, write
from mnist_exp.errors import Killed, UserError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mnist_exp.compare.runs import Store
    from mnist_exp.reproduce.bug import Bug
    from mnist_exp.reproduce.page import Origin
    from mnist_exp.reproduce.results import Reproduction
    from mnist_exp.reproduce.runs import Found

_PRESETS = "notebook_softmax_buggy, notebook_softmax, blog_cnn3x3, notebook_cnn5x5"
_DESCRIPTION = f"""Are the tutorials' claims true? Trains the four presets over several seeds, as far as finished runs of
the same config and code are not there already, and compares them with what the tutorials report.

Presets: {_PRESETS}

Writes results.md, results.csv and figures. Ctrl-C loses nothing: the same command goes on from the last checkpoint.
In full it takes hours on two cores; docs/reproduce.md has the statistics."""
_EXAMPLES = """examples:
  python -m mnist_exp.reproduce
  python -m mnist_exp.reproduce --only notebook_softmax notebook_softmax_buggy
  python -m mnist_exp.reproduce --quick

exit code: 0, or 1 if a run is missing in the end"""
_OUTPUT, _QUICK_OUTPUT = Path("docs", "results"), Path("results-quick")


def _parser() -> Parser:
    parser = Parser(
        hint="usage: python -m mnist_exp.reproduce [--only NAME ...]; --help shows all options",
        prog="python -m mnist_exp.reproduce",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="%(prog)s [options] [tracking.uri=URI]",
    )
    parser.add_argument(
        "--seeds", type=int, metavar="N", help="seeds 0 to N - 1; default: 5, with --quick 2"
    )
    parser.add_argument(
        "--only", nargs="+", metavar="NAME", default=[], help="presets; default: all four"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a minute's look: the CNNs train for 100 steps and are scored on 1,000 images, in the experiment "
        "mnist_exp_debug; no test of their claims",
    )
    parser.add_argument(
        "--output",
        metavar="FOLDER",
        help=f"default: {_OUTPUT}, with --quick {_QUICK_OUTPUT}; made if need be",
    )
    return parser


def run(arguments: Sequence[str]) -> "Reproduction":
    """Raises UserError for what a user can get wrong."""
    uris = [
        text.removeprefix("tracking.uri=") for text in arguments if text.startswith("tracking.uri=")
    ]
    given = _parser().parse_args(
        [text for text in arguments if not text.startswith("tracking.uri=")]
    )
    if given.seeds is not None and given.seeds < 1:
        raise UserError(f"--seeds {given.seeds}: expected a whole number >= 1")
    names = _names(given.only)
    output = (
        Path(given.output)
        if given.output is not None
        else _QUICK_OUTPUT
        if given.quick
        else _OUTPUT
    )
    with _made(output) as folder:
        return _reproduce(names, given.seeds, given.quick, uris[-1] if uris else None, folder)


def _reproduce(
    names: Sequence[str], seed_count: int | None, quick: bool, uri: str | None, folder: Path
) -> "Reproduction":

    from mnist_exp import tracking
    from mnist_exp.compare.runs import Store
    from mnist_exp.reproduce import results, runs

    seeds = range(seed_count or (runs.QUICK_SEEDS if quick else 5))
    presets = [runs.preset(name, quick=quick, uri=uri) for name in names]
    with tracking.store(uri):
        for experiment in {preset.settings.config.tracking.experiment for preset in presets}:
            tracking.open_store(experiment)
    store = Store(uri)
    found = _complete(store, [runs.find(store, preset, seeds) for preset in presets], seeds)
    measured = tuple(results.measure(store, one) for one in found)
    reproduction = results.Reproduction(measured, _bug(found), len(seeds), quick)
    _write(reproduction, _origin(store, found), folder)
    _show(reproduction, folder)
    return reproduction


def _names(only: Sequence[str]) -> list[str]:
    """In the order of the results."""
    known = _PRESETS.split(", ")
    for name in only:
        if name not in known:
            from mnist_exp.messages import did_you_mean

            raise UserError(
                f"--only {name}: no such preset{did_you_mean(name, known)}\nPresets: {', '.join(known)}"
            )
    return [name for name in known if name in only or not only]


@contextmanager
def _made(folder: Path) -> Iterator[Path]:
    """The folder is there in the block; if it is new and nothing was written there, it goes again."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--output {folder}: cannot be made ({error.strerror})") from error
    try:
        yield output_folder(str(folder))
    finally:
        with suppress(OSError):  # it holds something
            for path in new:
                path.rmdir()


def _complete(store: "Store", found: Sequence["Found"], seeds: Sequence[int]) -> "list[Found]":
    """Train what is missing, one run after the other, and look again."""
    from mnist_exp.reproduce import runs

    wanted = [(one, seed) for one in found for seed in one.missing]
    total = sum(len(one.run_ids) for one in found) + len(wanted)
    printing.say(f"{total - len(wanted)} of {total} runs are there, {len(wanted)} to train")
    notes: dict[str, dict[int, str]] = {}
    for i, (one, seed) in enumerate(wanted, start=1):
        printing.say(f"\n[{i}/{len(wanted)}] {one.preset.name}, seed {seed}")
        reason = runs.train(one, seed, printing.say)
        if reason is not None:
            printing.say(f"[{i}/{len(wanted)}] {one.preset.name}, seed {seed}: {reason}")
            notes.setdefault(one.preset.name, {})[seed] = reason
    return [runs.find(store, one.preset, seeds, notes.get(one.preset.name)) for one in found]


def _bug(found: Sequence["Found"]) -> "Bug | None":
    from mnist_exp import data, experiment
    from mnist_exp.reproduce import page

    buggy = next((one for one in found if one.preset.name == page.BUGGY), None)
    if buggy is None:
        return None
    printing.say("\nlooking into the loss of notebook_softmax_buggy")
    config = buggy.preset.settings.config
    experiment.import_tensorflow(config)
    from mnist_exp.reproduce import bug

    return bug.analyse(config, data.load(config.data.dir))


def _origin(store: "Store", found: Sequence["Found"]) -> "Origin":
    from mnist_exp import environment
    from mnist_exp.compare.runs import hardware
    from mnist_exp.reproduce.page import Origin

    commits: set[str] = set()
    machine: dict[str, str] = {}
    trials = 0
    for one in found:
        if one.runs is None or not one.run_ids:
            continue
        ids = list(one.run_ids.values())
        tags = one.runs.tags.loc[ids]
        if "git.commit" in tags:
            commits |= set(tags["git.commit"].dropna())
        if "study_role" in tags:
            trials += int((tags["study_role"] == "trial").sum())
        machine = machine or hardware(store.artifact(one.runs, ids[0], "env/hardware.json") or b"")
    return Origin(environment.code_digest(), tuple(sorted(commits)), machine, trials)


@plot_style.plain()
def _write(found: "Reproduction", origin: "Origin", folder: Path) -> None:
    from mnist_exp.reproduce import figures, page

    drawn: dict[str, Figure] = {}
    if any(result.verdict.description is not None for result in found.results):
        drawn["claims"] = figures.claims(found.results)
    for result in found.results:
        if result.cost is not None:
            drawn["blog_costs"] = figures.cost(result.cost)
        if result.batch_accuracy is not None:
            drawn["notebook_batches"] = figures.batch_accuracy(result.batch_accuracy)
    if found.bug is not None:
        drawn["bug"] = figures.bug(found.bug)
    csv = page.table(found).to_csv(index=False)
    write(folder, {"results.md": page.markdown(found, origin, list(drawn)), "results.csv": csv})
    for name, figure in drawn.items():
        figure.savefig(folder / f"{name}.png", dpi=120)


def _show(found: "Reproduction", folder: Path) -> None:
    from rich import box
    from rich.table import Table

    from mnist_exp.compare import words
    from mnist_exp.reproduce import page, runs

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=runs.METRIC, title_justify="left")
    for name in ("preset", "claim", "mean", "95% interval", "n"):
        table.add_column(name, no_wrap=True)
    for result in found.results:
        d = result.verdict.description
        numbers = (
            []
            if d is None
            else [
                words.value(d.mean, runs.METRIC),
                words.interval(d.interval, runs.METRIC),
                str(d.n),
            ]
        )
        table.add_row(result.name, page.claim_text(result), *(numbers or ["", "", "0"]))
    console = printing.console()
    console.print()
    console.print(table)
    for result in found.results:
        console.print(
            f"{result.name}: {page.verdict_text(result).replace('**', '')}", soft_wrap=True
        )
    for result in found.results:
        for seed, why in result.found.missing.items():
            console.print(f"not counted: {result.name}, seed {seed}: {why}", style="yellow")
    console.print(f"{folder / 'results.md'}  {folder / 'results.csv'}", soft_wrap=True)


def main() -> None:
    """Exits with 1 if a run is missing; a mistake is answered in one or two lines."""
    with answered(UserError):
        try:
            found = run(sys.argv[1:])
        except (KeyboardInterrupt, Killed):
            printing.say("\nstopped; the same command goes on from the last checkpoint")
            raise
    sys.exit(1 if any(result.found.missing for result in found.results) else 0)


if __name__ == "__main__":
    main()
