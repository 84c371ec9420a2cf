"""Measure the time to 99% test accuracy: `python -m benchmarks.speedrun`.

`experiment=speedrun` is compared with its float32 form, with the same network in a tuned loop of
PyTorch, which take their turns seed by seed, and with PyTorch's own MNIST example. Each training is
a process of its own, and has the machine to itself. Its time is that of its training steps, without
evaluations. Prints a Markdown table and writes speedrun.json and speedrun.md.
"""

import json
import os
import sys
from collections.abc import Sequence
from statistics import median
from typing import Any

import numpy as np

from benchmarks.arguments import check_positive, command_line
from benchmarks.competitors import COMPETITORS
from benchmarks.rounds import Worker
from benchmarks.trained import Curve
from mnist_exp.command import answered, output_folder, write
from mnist_exp.compare import statistics
from mnist_exp.errors import UserError
from mnist_exp.tracking import environment

GOAL = 0.99
OTHERS = ("pytorch_tuned", "pytorch_tuned_compiled")  # in each round, beside ours
TITLES = {
    "ours": "`experiment=speedrun`",
    "ours_float32": "the same with `precision=float32`",
    "pytorch_tuned": "the same network in PyTorch, bfloat16, eager",
    "pytorch_tuned_compiled": "the same network in PyTorch, bfloat16, compiled",
    "pytorch": "PyTorch's MNIST example",
}


def train(name: str, *numbers: int) -> Curve:
    """Train once. `numbers` are the seed and, for pytorch, the epochs."""
    worker = Worker("benchmarks.trained", [name, *map(str, numbers)], os.cpu_count() or 1)
    try:
        return [(accuracy, seconds) for accuracy, seconds in worker.answer()]
    finally:
        worker.stop()


def summary(curves: Sequence[Curve]) -> dict[str, Any]:
    """Summarise trainings with different seeds.

    `accuracy` is the mean at their ends. `until` has, for each training, the seconds until the
    first epoch that reaches GOAL, or None.
    """
    last = np.array([curve[-1][0] for curve in curves])
    (accuracy,) = statistics.describe([last], shares=True)
    seconds = [curve[-1][1] for curve in curves]
    until = [next((spent for found, spent in curve if found >= GOAL), None) for curve in curves]
    return {
        "seeds": len(curves),
        "epochs": len(curves[0]),
        "accuracy": accuracy.mean,
        "interval": [accuracy.interval.low, accuracy.interval.high],
        "range": [accuracy.minimum, accuracy.maximum],
        "seconds": median(seconds),
        "seconds_range": [min(seconds), max(seconds)],
        "until": until,
    }


def markdown(report: dict[str, Any]) -> str:
    """Return the table of all summaries."""
    lines = [
        "| | epochs begun | seeds | test accuracy (95% interval) | lowest to highest | seconds of "
        + "training | at 99% after |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, found in report["summaries"].items():
        low, high = found["interval"]
        interval = "" if np.isnan(low) else f" ({low:.4f} to {high:.4f})"
        until = [spent for spent in found["until"] if spent is not None]
        after = (
            "never"
            if not until
            else f"{median(until):.1f} s, {len(until)} of {found['seeds']} seeds"
        )
        lines.append(
            f"| {TITLES[name]} | {found['epochs']} | {found['seeds']} "
            f"| {found['accuracy']:.4f}{interval} "
            f"| {found['range'][0]:.4f} to {found['range'][1]:.4f} | {found['seconds']:.1f} "
            f"({found['seconds_range'][0]:.1f} to {found['seconds_range'][1]:.1f}) | {after} |"
        )
    return "\n".join(lines) + "\n"


def run(arguments: Sequence[str]) -> None:
    """Measure, print and write. Raise UserError for a mistake in the arguments."""
    parser = command_line("speedrun", __doc__)
    parser.add_argument(
        "--seeds", type=int, default=20, help="number of seeds, from 0 on; default: %(default)s"
    )
    parser.add_argument(
        "--pytorch-epochs",
        type=int,
        default=14,
        help="epochs of the example, with one seed; default: %(default)s",
    )
    given = parser.parse_args(arguments)
    folder = output_folder(given.output)
    check_positive(given, "seeds", "pytorch_epochs")
    missing = COMPETITORS["pytorch"].missing
    if missing is not None:
        print(
            f"not measured: pytorch, {missing} is not installed (the extra `benchmarks`)",
            file=sys.stderr,
        )
    names = ("ours", "ours_float32", *(() if missing else OTHERS))
    curves: dict[str, list[Curve]] = {name: [] for name in names}
    for seed in range(given.seeds):
        for name in names:
            curves[name].append(train(name, seed))
    if missing is None:
        curves["pytorch"] = [train("pytorch", 0, given.pytorch_epochs)]
    report = {
        "machine": environment.hardware(),
        "curves": curves,
        "summaries": {name: summary(found) for name, found in curves.items()},
    }
    table = markdown(report)
    write(folder, {"speedrun.json": json.dumps(report, indent=1), "speedrun.md": table})
    print(table, end="")


if __name__ == "__main__":
    with answered(UserError):
        run(sys.argv[1:])
