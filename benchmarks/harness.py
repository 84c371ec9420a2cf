"""Measure what a run costs beside its training steps: `python -m benchmarks.harness`.

- the seconds from the command to the end of the first training step, by phase, and the seconds
  until `--help` and a mistake are answered;
- the seconds of a whole run after that, by phase, and its peak memory;
- the share of its workers' time in which a sweep trains and evaluates.

Prints Markdown tables and writes harness.json and harness.md. docs/performance.md explains them.
"""

import json
import shlex
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import phases, rounds
from benchmarks.arguments import check_positive, command_line
from mnist_exp.command import answered, output_folder, write
from mnist_exp.errors import UserError
from mnist_exp.tracking import environment

LIBRARIES = (
    "python",
    "import tensorflow",
    "import mlflow",
)  # phases in which no code of this project runs
_WORK = ("first step", "training", "evaluation")


def watch(overrides: str, count: int = 1) -> list[dict[str, Any]]:
    """Run a command `count` times in one folder that is empty at first.

    Return what `benchmarks.watched` writes about each of its runs or trials.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "watched.jsonl"
        command = [sys.executable, "-m", "benchmarks.watched", *shlex.split(overrides)]
        for _ in range(count):
            rounds.run(command, folder, **{phases.FILE: str(file)})
        return [json.loads(line) for line in file.read_text().splitlines()]


def starts(overrides: str, count: int) -> dict[str, float]:
    """Return the seconds by phase until the first step has ended, as medians of `count` short runs.

    One run before them is not counted. It reads all files once and creates MLflow's store.
    """
    found = [run["until_first_step"] for run in watch(overrides, 1 + count)[1:]]
    names = [phase for phase in found[0] if all(phase in other for other in found)]
    return {phase: median(each[phase] for each in found) for phase in names}


def answers(count: int) -> dict[str, float]:
    """Return the median seconds of each command that ends without training."""
    questions = {"--help": ["--help"], "a misspelt setting": ["model=cnn3x4"]}
    found = {}
    for name, arguments in questions.items():
        times = []
        for _ in range(count):
            started = time.perf_counter()
            subprocess.run(
                [sys.executable, "-m", "mnist_exp", *arguments],
                env=rounds.environment(1),
                capture_output=True,
                check=False,
            )
            times.append(time.perf_counter() - started)
        found[name] = median(times)
    return found


def sweep_shares(trials: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Return the phases of all trials as fractions of the workers' time.

    Two more phases are "between trials" and "start of workers". A worker's time goes from the start
    of its process to the end of its last trial.
    """
    seconds: defaultdict[str, float] = defaultdict(float)
    total = 0.0
    for pid in {trial["pid"] for trial in trials}:
        own = sorted(
            (trial for trial in trials if trial["pid"] == pid), key=lambda trial: trial["started"]
        )
        total += own[-1]["ended"] - own[0]["process_started"]
        seconds["start of workers"] += own[0]["started"] - own[0]["process_started"]
        seconds["between trials"] += sum(b["started"] - a["ended"] for a, b in pairwise(own))
        for trial in own:
            for phase, spent in [*trial["until_first_step"].items(), *trial["after"].items()]:
                if phase not in (
                    "python",
                    "import hydra",
                    "config",
                ):  # these are part of the worker's start
                    seconds[phase] += spent
    return {
        phase: spent / total for phase, spent in sorted(seconds.items(), key=lambda item: -item[1])
    }


def markdown(report: dict[str, Any]) -> str:
    """Return the tables of all measurements."""
    start, run, sweep = report["start"], report["run"], report["sweep"]
    own = sum(spent for phase, spent in start.items() if phase not in LIBRARIES)
    lines = ["| from the command to the first step | seconds |", "|---|---:|"]
    lines += [f"| {phase} | {spent:.2f} |" for phase, spent in start.items()]
    first_in_folder = run["until_first_step"]["tracking"]
    lines.append(f"| **all** | **{sum(start.values()):.2f}** |")
    lines.append(f"| all but Python and the imports of TensorFlow and MLflow | {own:.2f} |")
    lines.append(
        f"| tracking in a folder without a store, which MLflow makes | {first_in_folder:.2f} |"
    )
    lines += [
        f"| `{name}`, whole command | {spent:.2f} |" for name, spent in report["answers"].items()
    ]
    after = run["after"]
    whole = sum(after.values())
    lines += [
        "",
        f"| after the first step of `{report['commands']['run']}` | seconds | share |",
        "|---|---:|---:|",
    ]
    lines += [
        f"| {phase} | {after[phase]:.2f} | {after[phase] / whole:.1%} |"
        for phase in sorted(after, key=lambda p: -after[p])
    ]
    other = whole - after["training"]
    lines.append(f"| **all but training** | {other:.2f} | {other / whole:.1%} |")
    lines.append(f"\nPeak memory of that run: {run['peak_mb']:,.0f} MB.\n")
    lines += [f"| workers' time of `{report['commands']['sweep']}` | share |", "|---|---:|"]
    lines += [f"| {phase} | {share:.1%} |" for phase, share in sweep["shares"].items()]
    lines.append(f"| **training and evaluation** | {sweep['work']:.1%} |")
    lines.append(
        f"\nThis sweep had {sweep['trials']} trials and {sweep['workers']} workers. "
        f"The largest worker needed {sweep['peak_mb']:,.0f} MB."
    )
    return "\n".join(lines) + "\n"


def run(arguments: Sequence[str]) -> None:
    """Measure, print and write. Raise UserError for a mistake in the arguments."""
    parser = command_line("harness", __doc__)
    parser.add_argument(
        "--starts",
        type=int,
        default=3,
        help="number of short runs for the time of a start; default: %(default)s",
    )
    parser.add_argument(
        "--run",
        default="model=cnn3x3 optimizer=adam",
        metavar="OVERRIDES",
        help="overrides of the whole run; default: %(default)s",
    )
    parser.add_argument(
        "--sweep",
        default="sweeps=cnn3x3_tuning",
        metavar="OVERRIDES",
        help="the sweep; default: %(default)s",
    )
    given = parser.parse_args(arguments)
    folder = output_folder(given.output)
    check_positive(given, "starts")
    whole = watch(given.run)[0]
    trials = watch(f"-m {given.sweep}")
    shares = sweep_shares(trials)
    report: dict[str, Any] = {
        "machine": environment.hardware(),
        "commands": {"run": given.run, "sweep": given.sweep},
        "start": starts(f"{given.run} schedule.max_steps=1", given.starts),
        "answers": answers(given.starts),
        "run": whole,
        "sweep": {
            "shares": shares,
            "work": sum(shares.get(phase, 0.0) for phase in _WORK),
            "trials": len(trials),
            "workers": len({trial["pid"] for trial in trials}),
            "peak_mb": max(trial["peak_mb"] for trial in trials),
        },
    }
    table = markdown(report)
    write(folder, {"harness.json": json.dumps(report, indent=1), "harness.md": table})
    print(table, end="")


if __name__ == "__main__":
    with answered(UserError):
        run(sys.argv[1:])
