"""Measure how time and memory grow: `python -m benchmarks.scale`.

Trains an epoch on the training images once, 4 and 16 times over, each in a process of its own, and
runs `python -m mnist_exp.compare` with 10, 100 and 1,000 runs in the store. Prints Markdown tables,
with the growth as a power of the size (1 is linear), and writes scale.json and scale.md.
"""

import json
import math
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks import cases, rounds
from benchmarks.arguments import check_positive, command_line
from mnist_exp.command import answered, output_folder, write
from mnist_exp.errors import UserError
from mnist_exp.tracking import environment

SEEDS = 10  # the number of runs in each group
EPOCHS = 15


def epochs(case: str, images: int, sizes: Sequence[int], repeats: int) -> list[dict[str, Any]]:
    """Return a row for each size. Sizes take turns; each number is the median of its repeats."""
    found: dict[int, list[dict[str, Any]]] = {size: [] for size in sizes}
    threads = os.cpu_count() or 1
    for _ in range(repeats):
        for size in sizes:
            worker = rounds.Worker("benchmarks.epoch", [case, str(images), str(size)], threads)
            found[size].append(worker.answer())
            worker.stop()
    return [_median_row(found[size][0]["images"], found[size]) for size in sizes]


def comparisons(sizes: Sequence[int], repeats: int) -> list[dict[str, Any]]:
    """Return a row for each number of runs, in one store that grows.

    Each run has 15 epochs and the predictions of 10,000 images.
    """
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before = 0
        for size in sorted(sizes):
            _add_runs(folder, before, size)
            before = size
            command = [sys.executable, "-m", "mnist_exp.compare", "--experiment", "mnist_exp"]
            used = [rounds.run(command, folder) for _ in range(repeats)]
            rows.append(_median_row(size, [vars(each) for each in used]))
    return rows


def _add_runs(folder: Path, first: int, last: int) -> None:
    from benchmarks.fake_runs import FakeRuns, predicted
    from mnist_exp import data

    labels = data.load().test.labels
    runs = FakeRuns(folder)
    for number in range(first, last):
        generator = np.random.default_rng(number)
        wrong = generator.choice(len(labels), 100, replace=False)
        curve = 0.99 - 0.1 / np.arange(1, EPOCHS + 1) + generator.normal(0, 1e-3, EPOCHS)
        group, seed = divmod(number, SEEDS)
        runs.add(
            seed,
            curve.tolist(),
            costs=(1 - curve).tolist(),
            predictions=predicted(labels, wrong),
            settings={"optimizer.learning_rate": str(1e-4 * (group + 1))},
        )


def _median_row(size: int, found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "size": size,
        "seconds": median(each["seconds"] for each in found),
        "peak_mb": median(each["peak_mb"] for each in found),
    }


def growth(rows: Sequence[dict[str, Any]], what: str) -> float:
    """Return k if the last row has size^k times what the row before it has; 1 is linear."""
    before, last = rows[-2], rows[-1]
    return math.log(last[what] / before[what]) / math.log(last["size"] / before["size"])


def markdown(report: dict[str, Any]) -> str:
    """Return the tables of all measurements."""
    lines = []
    for title, rows in report["tables"].items():
        lines += [f"| {title} | seconds | peak memory in MB |", "|---|---:|---:|"]
        lines += [
            f"| {row['size']:,} | {row['seconds']:.2f} | {row['peak_mb']:,.0f} |" for row in rows
        ]
        powers = [growth(rows, what) for what in ("seconds", "peak_mb")]
        lines += [
            f"| growth to the last, as a power of the size | {powers[0]:.2f} | {powers[1]:.2f} |",
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"


def run(arguments: Sequence[str]) -> None:
    """Measure, print and write. Raise UserError for a mistake in the arguments."""
    parser = command_line("scale", __doc__)
    parser.add_argument(
        "--model", default="softmax", choices=list(cases.OVERRIDES), help="default: %(default)s"
    )
    parser.add_argument(
        "--images",
        type=int,
        default=55_000,
        help="number of images that are repeated; default: %(default)s",
    )
    parser.add_argument(
        "--times", type=_sizes, default=[1, 4, 16], metavar="N,...", help="default: 1,4,16"
    )
    parser.add_argument(
        "--runs", type=_sizes, default=[10, 100, 1000], metavar="N,...", help="default: 10,100,1000"
    )
    parser.add_argument(
        "--repeats", type=int, default=3, help="repeats of each measurement; default: %(default)s"
    )
    given = parser.parse_args(arguments)
    folder = output_folder(given.output)
    check_positive(given, "repeats")
    report = {
        "machine": environment.hardware(),
        "tables": {
            f"images of an epoch of {given.model}": epochs(
                given.model, given.images, given.times, given.repeats
            ),
            "runs that `compare` reads": comparisons(given.runs, given.repeats),
        },
    }
    table = markdown(report)
    write(folder, {"scale.json": json.dumps(report, indent=1), "scale.md": table})
    print(table, end="")


def _sizes(text: str) -> list[int]:
    """Parse at least two sizes. Raise ValueError otherwise, which argparse reports."""
    sizes = sorted({int(number) for number in text.split(",")})
    if len(sizes) < 2 or sizes[0] < 1:
        raise ValueError(text)
    return sizes


if __name__ == "__main__":
    with answered(UserError):
        run(sys.argv[1:])
