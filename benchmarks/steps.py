"""Measure the milliseconds of a training step, beside other ways to train the same model.

    python -m benchmarks.steps

Every competitor is a process of its own, with the same threads and with the images in memory. The
competitors take turns of a few seconds, in several rounds. Whatever slows the machine down slows
all of them down, and their ratios to ours are taken within a round. Writes steps.json, steps.png
and, as a Markdown table, steps.md. docs/performance.md explains them.
"""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import cases
from benchmarks.arguments import check_positive, command_line
from benchmarks.competitors import COMPETITORS, LIMITS
from benchmarks.rounds import Failed, Spread, Worker, interleaved, ratio
from mnist_exp.command import Parser, answered, output_folder, write
from mnist_exp.config.schema import Config
from mnist_exp.errors import UserError
from mnist_exp.tracking import environment

_PACKAGES = ("tensorflow", "keras", "torch", "jax", "flax")


@dataclass(frozen=True)
class Measured:
    """The seconds of a step by competitor or limit, one a round, and the size of a step."""

    batch_size: int
    flop_per_step: int
    seconds: dict[str, list[float]]

    @property
    def peak(self) -> float:
        """Return the FLOP/s of the faster of the two matrix products, of 2 n^3 FLOP each."""
        sizes = {
            name: entry.options["size"] for name, entry in LIMITS.items() if "size" in entry.options
        }
        return max(2 * n**3 / Spread.of(self.seconds[name]).median for name, n in sizes.items())

    @property
    def competitors(self) -> list[str]:
        """Return the names of the competitors that were measured."""
        return [name for name in self.seconds if name in COMPETITORS]

    def row(self, name: str) -> dict[str, Any]:
        """Return the numbers of a competitor's row in the table.

        `ratio` is its time divided by ours, and `share_of_peak` a fraction in [0, 1].
        """
        seconds = self.seconds[name]
        spread = Spread.of(seconds)
        ours = self.seconds.get("ours")
        return {
            "title": COMPETITORS[name].title,
            "ms": [1e3 * value for value in (spread.median, spread.low, spread.high)],
            "ratio": None if ours is None else ratio(seconds, ours),
            "images_per_second": self.batch_size / spread.median,
            "share_of_peak": self.flop_per_step / spread.median / self.peak,
        }


def measure(case: str, names: Sequence[str], threads: int, rounds: int, seconds: float) -> Measured:
    """Measure rounds in which each competitor and each limit runs for about so many seconds."""
    workers: dict[str, Worker] = {}
    try:
        for name in [*names, *LIMITS]:
            workers[name] = Worker("benchmarks.competitors", [name, case, str(threads)], threads)
            try:
                workers[name].answer()
            except Failed as error:  # the others can be compared without it
                print(f"{case}: {name} does not run: {error}", file=sys.stderr)
                workers.pop(name).stop()
        steps = {name: _steps(worker, seconds) for name, worker in workers.items()}
        times = interleaved(workers, steps, rounds)
    finally:
        for worker in workers.values():
            worker.stop()
    config = cases.config(case)
    size = config.schedule.batch_size
    return Measured(size, size * _flop_per_image(config), times)


def _steps(worker: Worker, seconds: float) -> int:
    """Return the number of steps that take about so many seconds.

    Each call has a fixed cost, so that a few steps alone would take longer than they should.
    """
    steps = 1
    while (step := worker.ask(steps)) * steps < seconds / 2:
        steps *= 4
    return max(1, round(seconds / step))


def _flop_per_image(config: Config) -> int:
    from mnist_exp.training import startup

    startup.import_tensorflow(config)  # without start-up messages
    from benchmarks import flop
    from mnist_exp.training import models

    return flop.training(models.build(config.model, config.init, config.seed))


def markdown(measured: dict[str, Measured]) -> str:
    """Return one table with a row for each model and competitor, the fastest first."""
    lines = [
        "| model, batch | | ms a step (quartiles) | time / ours | images/s | share of GEMM peak |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for case, found in measured.items():
        rows = sorted(map(found.row, found.competitors), key=lambda row: row["ms"][0])
        for number, row in enumerate(rows):
            middle, low, high = (f"{value:.3g}" for value in row["ms"])
            lines.append(
                f"| {f'{case}, {found.batch_size}' if number == 0 else ''} | {row['title']} "
                f"| {middle} ({low} to {high}) "
                f"| {'' if row['ratio'] is None else format(row['ratio'], '.2f')} "
                f"| {row['images_per_second']:,.0f} | {row['share_of_peak']:.1%} |"
            )
    peaks = [found.peak / 1e9 for found in measured.values()]
    loops = [1e6 * Spread.of(found.seconds["empty_loop"]).median for found in measured.values()]
    lines.append(
        f"\nGEMM peak: {min(peaks):.0f} to {max(peaks):.0f} GFLOP/s, measured beside each model. "
        f"An empty loop takes {min(loops):.1f} to {max(loops):.1f} µs a turn."
    )
    return "\n".join(lines) + "\n"


def draw(measured: dict[str, Measured], path: Path) -> None:
    """Draw a panel for each model, with a bar for each competitor and its quartiles as a line."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.6 * -(-len(measured) // 2)), layout="constrained")
    panels = figure.subplots(-(-len(measured) // 2), 2, squeeze=False).flat
    for axes, (case, found) in zip(panels, measured.items(), strict=False):
        rows = sorted(
            ((name, found.row(name)) for name in found.competitors),
            key=lambda item: -item[1]["ms"][0],
        )
        values = [row["ms"][0] for _, row in rows]
        sides = [
            [row["ms"][0] - row["ms"][1] for _, row in rows],
            [row["ms"][2] - row["ms"][0] for _, row in rows],
        ]
        is_ours = [COMPETITORS[name].module == "ours" for name, _ in rows]
        colors = ["#0072B2" if own else "#999999" for own in is_ours]
        axes.barh(
            [row["title"] for _, row in rows], values, xerr=sides, color=colors, ecolor="#444444"
        )
        axes.set(
            title=f"{case}, batch {found.batch_size}", xlabel="ms a training step", xlim=(0, None)
        )
    for axes in panels:  # those that are left over
        axes.set_axis_off()
    figure.savefig(path, dpi=120)


def versions() -> dict[str, str]:
    """Return the versions of those of _PACKAGES that are installed."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _parser() -> Parser:
    parser = command_line("steps", __doc__)
    names = ", ".join(COMPETITORS)
    parser.add_argument(
        "--models",
        default=",".join(cases.OVERRIDES),
        metavar="NAME,...",
        help="models to measure; default: %(default)s",
    )
    parser.add_argument(
        "--competitors",
        default=None,
        metavar="NAME,...",
        help=f"some of {names}; default: all installed",
    )
    parser.add_argument(
        "--rounds", type=int, default=9, help="number of rounds; default: %(default)s"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=2.0,
        help="seconds of a competitor's turn; default: %(default)s",
    )
    parser.add_argument(
        "--threads",
        type=int,
        default=os.cpu_count(),
        help="threads of each competitor; default: one a core",
    )
    return parser


def _installed() -> list[str]:
    """Return the competitors that are installed, and name the others on standard error."""
    for name, entry in COMPETITORS.items():
        if entry.missing is not None:
            missing = f"{entry.missing} is not installed (the extra `benchmarks`)"
            print(f"not measured: {name}, {missing}", file=sys.stderr)
    return [name for name, entry in COMPETITORS.items() if entry.missing is None]


def run(arguments: Sequence[str]) -> None:
    """Measure, print and write. Raise UserError for a mistake in the arguments."""
    given = _parser().parse_args(arguments)
    folder = output_folder(given.output)
    check_positive(given, "rounds", "seconds", "threads")
    models = _chosen("--models", given.models, list(cases.OVERRIDES))
    installed = _installed()
    chosen = (
        installed
        if given.competitors is None
        else _chosen("--competitors", given.competitors, installed)
    )

    measured: dict[str, Measured] = {}
    for case in models:
        measured[case] = measure(case, chosen, given.threads, given.rounds, given.seconds)
        # Each result at once, because the whole takes long.
        _write(folder, measured, given.threads, given.seconds)
    print(markdown(measured), end="")


def _write(folder: Path, measured: dict[str, Measured], threads: int, seconds: float) -> None:
    report = {
        "threads": threads,
        "seconds": seconds,
        "versions": versions(),
        "machine": environment.hardware(),
        "models": {
            case: {
                "batch_size": found.batch_size,
                "flop_per_step": found.flop_per_step,
                "gemm_peak_flop_per_second": found.peak,
                "seconds_per_step": found.seconds,
                "competitors": {name: found.row(name) for name in found.competitors},
            }
            for case, found in measured.items()
        },
    }
    write(folder, {"steps.json": json.dumps(report, indent=1), "steps.md": markdown(measured)})
    draw(measured, folder / "steps.png")


def _chosen(option: str, text: str, known: list[str]) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise UserError(f"{option} {name}: expected some of {', '.join(known)}")
    return names


if __name__ == "__main__":
    with answered(UserError):
        run(sys.argv[1:])
