"""`python -m mnist_exp.reproduce`: train what a page lacks, and write it to docs/results."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_exp.command import Parser, main, output_folder, write
from mnist_exp.errors import UserError
from mnist_exp.outside import plot_style, printing
from mnist_exp.reproduce import bug_cases
from mnist_exp.reproduce.chosen import chosen
from mnist_exp.reproduce.presets import (
    BUGGY,
    NOTEBOOK,
    PAGE,
    PRECISION_SEEDS,
    PRESETS,
    QUICK_SEEDS,
    SEEDS,
    SWAP_SEEDS,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from mnist_exp.reproduce.bfloat16 import Precisions
    from mnist_exp.reproduce.bug_numbers import Bug
    from mnist_exp.reproduce.results import Reproduction, Result
    from mnist_exp.reproduce.runs import Preset, PresetRuns
    from mnist_exp.reproduce.swaps import Swaps
    from mnist_exp.tracking.runs import Store

_DESCRIPTION = f"""Are the tutorials' claims true?

It trains the four presets with several seeds, where the store has no finished run of the same
settings and code yet, and compares the runs with what the tutorials report.

--bug, --swap and --bfloat16 ask other questions.

Presets: {", ".join(PRESETS)}

Writes results.md, results.csv, figures, and runs.csv with what each run cost. Ctrl-C loses nothing:
the same command goes on from the last checkpoint. In full it takes hours on two
cores; docs/reproduce.md has the statistics."""
_EXAMPLES = """examples:
  python -m mnist_exp.reproduce
  python -m mnist_exp.reproduce --only notebook_softmax notebook_softmax_buggy
  python -m mnist_exp.reproduce --quick
  python -m mnist_exp.reproduce --bug
  python -m mnist_exp.reproduce --swap "dense layer" "learning rate"
  python -m mnist_exp.reproduce --bfloat16 --only notebook_softmax
  python -m mnist_exp.reproduce --rewrite

exit code: 0, or 1 if a run is missing in the end"""
_KEPT = ("bug.png", "two_losses.png")  # pictures that results.csv is not enough for
_OUTPUT, _QUICK_OUTPUT = Path("docs", "results"), Path("results-quick")


def _parser() -> Parser:
    parser = Parser(
        "mnist_exp.reproduce", _DESCRIPTION, _EXAMPLES, usage="[--only NAME ...] [options]"
    )
    seeds_help = (
        f"seeds 0 to N - 1; default: {max(SEEDS.values())}, for {NOTEBOOK} {SEEDS[NOTEBOOK]}, with "
        f"--quick {QUICK_SEEDS}, of --swap {SWAP_SEEDS}, of --bfloat16 {PRECISION_SEEDS} and of "
        f"--bug {bug_cases.SEEDS}"
    )
    parser.add_argument("--seeds", type=int, metavar="N", help=seeds_help)
    only_help = "presets, or the beginnings of their names; default: all four"
    parser.add_argument("--only", nargs="+", metavar="NAME", default=[], help=only_help)
    quick_help = (
        "a minute's look: the CNNs train for 100 steps and are scored on 1,000 images, in the "
        "experiment mnist_exp_debug; no test of their claims"
    )
    parser.add_argument("--quick", action="store_true", help=quick_help)
    bug_help = (
        "instead: what the notebook's wrong loss does from other weights, at other rates and in "
        "the blog's CNN; writes bug.md and bug.csv, in some minutes, and begins again after Ctrl-C"
    )
    parser.add_argument("--bug", action="store_true", help=bug_help)
    swap_help = (
        "instead: both CNNs at full length, each with one setting of the other, five seeds each; "
        "differences are named as explain names them, default: the largest; writes swaps.md"
    )
    parser.add_argument("--swap", nargs="*", action="extend", metavar="DIFFERENCE", help=swap_help)
    bfloat16_help = (
        "instead: the presets in float32 and in bfloat16, ten seeds each; writes bfloat16.md, and "
        "a page of compare for each"
    )
    parser.add_argument("--bfloat16", action="store_true", help=bfloat16_help)
    rewrite_help = (
        "train nothing: write the page and the figures of the folder's results.csv again, or of "
        "those of other folders, one from each machine, together"
    )
    parser.add_argument("--rewrite", nargs="*", type=Path, metavar="FOLDER", help=rewrite_help)
    output_help = f"default: {_OUTPUT}, with --quick {_QUICK_OUTPUT}; created if it does not exist"
    parser.add_argument("--output", type=Path, metavar="FOLDER", help=output_help)
    return parser


def run(arguments: Sequence[str]) -> "Reproduction | Swaps | Precisions | None":
    """Run the command; return the results, or None with --bug.

    Raises UserError for what a user can get wrong.
    """
    given = _parser().parse_args(arguments)
    if given.seeds is not None and given.seeds < 1:
        raise UserError(f"--seeds {given.seeds}: expected a whole number >= 1")
    rewrite = given.rewrite is not None
    if rewrite and (given.only or given.seeds is not None):
        raise UserError("--rewrite: it takes all runs of results.csv, without --only and --seeds")
    if given.bug and (given.only or rewrite):
        raise UserError("--bug: it trains cases of its own, without --only and --rewrite")
    if given.swap is not None and (given.only or given.quick or given.bug or rewrite):
        raise UserError(
            "--swap: it trains both CNNs in full, without --only, --quick, --bug and --rewrite"
        )
    if given.bfloat16 and (given.quick or given.bug or given.swap is not None or rewrite):
        raise UserError(
            "--bfloat16: it trains presets in full, without --quick, --bug, --swap and --rewrite"
        )
    names = _names(given.only)
    output = given.output or (_QUICK_OUTPUT if given.quick else _OUTPUT)
    from mnist_exp.reproduce import runs, terminal
    from mnist_exp.reproduce.completing import cost_lines
    from mnist_exp.tracking import costs
    from mnist_exp.tracking.runs import Store

    with _created(output) as folder:
        if given.bug:
            from mnist_exp.reproduce.bug_command import write_bug

            write_bug(folder, given.seeds, quick=given.quick)
            return None
        if given.swap is not None:
            from mnist_exp.reproduce.swap_command import write_swaps

            return write_swaps(folder, given.swap, given.seeds, given.uri)
        if given.bfloat16:
            from mnist_exp.reproduce.bfloat16 import write_precisions

            return write_precisions(folder, names, given.seeds, given.uri)
        costs.read(folder)  # refused before hours of training, if it cannot be gone on with
        if rewrite:
            folders = list(dict.fromkeys(given.rewrite)) or [folder]
            reproduction, where, lines = _stored(folders, quick=given.quick)
        else:
            folders = []
            presets = [runs.preset(name, quick=given.quick, uri=given.uri) for name in names]
            reproduction, where = _reproduce(presets, given.seeds, uri=given.uri, quick=given.quick)
            measured = [result.runs for result in reproduction.results]
            lines = cost_lines(Store(given.uri), measured, PAGE)
        _write(reproduction, where, lines, folder, folders)
        terminal.show(reproduction, folder)
    return reproduction


def _reproduce(
    presets: "Sequence[Preset]", seeds: int | None, *, uri: str | None, quick: bool
) -> "tuple[Reproduction, str]":
    """Train what is missing; return the results, and where the runs were made."""
    from mnist_exp.reproduce import results
    from mnist_exp.reproduce.completing import complete_runs
    from mnist_exp.tracking.runs import Store

    numbers = [seeds or (QUICK_SEEDS if quick else SEEDS[preset.name]) for preset in presets]
    complete = complete_runs(uri, list(zip(presets, map(range, numbers), strict=True)))
    store = Store(uri)
    measured = tuple(results.measure(store, preset_runs) for preset_runs in complete)
    bug = _bug(presets)
    reproduction = results.Reproduction(results=measured, bug=bug, seeds=seeds, quick=quick)
    return reproduction, _where(store, complete, measured)


def _stored(folders: Sequence[Path], *, quick: bool) -> "tuple[Reproduction, str, pd.DataFrame]":
    """Read the results of earlier calls.

    Returns them, where the runs were made, and the runs' lines of runs.csv.
    """
    from mnist_exp.reproduce import results, stored

    read, bug = stored.read(folders)
    lines = stored.lines(folders, read)
    numbers = {result.name: 1 + max(result.runs.run_ids) for result in read}
    usual = {name: QUICK_SEEDS if quick else SEEDS[name] for name in numbers}
    seeds = None if numbers == usual else max(numbers.values())
    reproduction = results.Reproduction(results=tuple(read), bug=bug, seeds=seeds, quick=quick)
    return reproduction, stored.where(folders), lines


def _names(only: Sequence[str]) -> list[str]:
    """Return the presets asked for, by name or by its beginning, in the order of the results."""
    names = {chosen("--only", text, PRESETS, "preset") for text in only}
    return [name for name in PRESETS if name in names or not names]


@contextmanager
def _created(folder: Path) -> Iterator[Path]:
    """Create the folder for the block, and remove it afterwards if it is new and empty."""
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--output {folder}: cannot be made ({error.strerror})") from error
    try:
        yield output_folder(str(folder))
    finally:
        with suppress(OSError):  # it is not empty
            for path in new:
                path.rmdir()


def _bug(presets: "Sequence[Preset]") -> "Bug | None":
    from mnist_exp import data
    from mnist_exp.training.startup import import_tensorflow

    configs = {preset.name: preset.settings.config for preset in presets}
    if BUGGY not in configs:
        return None
    printing.say(f"\nlooking into the loss of {BUGGY}")
    config = configs[BUGGY]
    import_tensorflow(config)
    from mnist_exp.reproduce import bug

    return bug.analyse(config, data.load(dir=config.data.dir))


def _where(store: "Store", complete: "Sequence[PresetRuns]", measured: "Sequence[Result]") -> str:
    from mnist_exp.reproduce.page import Provenance, provenance_text
    from mnist_exp.tracking import costs
    from mnist_exp.tracking.code_digest import code_digest

    commits: set[str] = set()
    machine, trials = "", 0
    for runs in complete:
        if runs.considered is None or not runs.run_ids:
            continue
        run_ids = list(runs.run_ids.values())
        tags = runs.considered.tags.loc[run_ids]
        if "git.commit" in tags:
            commits |= set(tags["git.commit"].dropna())
        if "study_role" in tags:
            trials += int((tags["study_role"] == "trial").sum())
        if not machine:
            recorded = store.artifact(runs.considered, run_ids[0], "env/hardware.json")
            machine = costs.machine(recorded or b"")
    provenance = Provenance(
        code_digest=code_digest(), commits=tuple(sorted(commits)), machine=machine, trials=trials
    )
    return provenance_text(provenance, measured)


@plot_style.plain()
def _write(
    reproduction: "Reproduction",
    where: str,
    lines: "pd.DataFrame",
    folder: Path,
    earlier: Sequence[Path],
) -> None:
    """Write all files; pictures of what results.csv does not keep are taken from `earlier`."""
    from mnist_exp.reproduce import figures, page
    from mnist_exp.reproduce.table import table
    from mnist_exp.tracking import costs

    drawn: dict[str, Figure] = {}
    if any(result.assessment.description.n for result in reproduction.results):
        drawn["claims"] = figures.claims(reproduction.results)
    for result in reproduction.results:
        if result.cost is not None:
            drawn["blog_costs"] = figures.cost(result.cost)
        if result.batch_accuracy is not None:
            drawn["notebook_batches"] = figures.batch_accuracy(result.batch_accuracy)
    kept: dict[str, bytes] = {}
    if reproduction.bug is not None and reproduction.bug.has_curves:
        drawn["bug"] = figures.bug(reproduction.bug)
        drawn["two_losses"] = figures.two_losses(reproduction.bug)
    elif reproduction.bug is not None:
        found = (source / name for name in _KEPT for source in earlier[::-1])
        kept = {file.stem: file.read_bytes() for file in found if file.is_file()}
    pictures = {name: plot_style.png(figure) for name, figure in drawn.items()} | kept
    every_line = costs.to_csv(costs.with_other_pages(folder, lines))
    files = {
        PAGE: page.markdown(reproduction, where, [*pictures], costs.sentences(lines)),
        "results.csv": table(reproduction).to_csv(index=False),
        costs.FILE: every_line,
        **{f"{name}.png": picture for name, picture in pictures.items()},
    }
    write(folder, files)


def run_to_exit_code(arguments: Sequence[str]) -> int:
    """Run the command; return the exit code, 1 if a run is missing in the end."""
    try:
        results = run(arguments)
    except KeyboardInterrupt:
        then = "begins again" if "--bug" in arguments else "goes on"
        printing.say(f"\nstopped; the same command {then}")
        raise
    return 0 if results is None or results.is_complete else 1


if __name__ == "__main__":
    main(run_to_exit_code)
