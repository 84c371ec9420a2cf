"""What a run costs beside its training steps: `python -m benchmarks.harness`.

- seconds from the command to the end of the first training step, by phase, with the answers to `--help` and to a mistake;
- where the time of a whole run goes after that, and the largest memory it needs;
- the share of its workers' time that a sweep trains and evaluates.

Prints Markdown tables and writes harness.json and harness.md. docs/performance.md says how to read them.
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

LIBRARIES = ("python", "import tensorflow", "import mlflow")  # the time of others' imports
_WORK = ("first step", "training", "evaluation")


def watch(overrides: str, count: int = 1) -> list[dict[str, Any]]:
    """Runs or trials of a command, given so many times in one folder that is empty at first, as `benchmarks.watched` describes them."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "watched.jsonl"
        command = [sys.executable, "-m", "benchmarks.watched", *shlex.split(overrides)]
        for _ in range(count):
            rounds.run(command, folder, **{phases.FILE: str(file)})
        return [json.loads(line) for line in file.read_text().splitlines()]


def starts(overrides: str, count: int) -> dict[str, float]:
    """Seconds by phase from the command to the end of the first step, the medians of `count` short runs.

    A run goes before them: all files were read before, and MLflow's store is there.
    """
    found = [run["until_first_step"] for run in watch(overrides, 1 + count)[1:]]
    names = [phase for phase in found[0] if all(phase in other for other in found)]
    return {phase: median(each[phase] for each in found) for phase in names}


def answers(count: int) -> dict[str, float]:
    """Median seconds until a question that needs no training is answered."""
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
    """Seconds by phase of all trials, "between trials" and "start of workers" beside them, as fractions of the workers' time.

    A worker's time is from its process' start to the end of its last trial.
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
                if phase not in ("python", "import hydra", "config"):  # in the start of the worker
                    seconds[phase] += spent
    return {
        phase: spent / total for phase, spent in sorted(seconds.items(), key=lambda item: -item[1])
    }


def markdown(report: dict[str, Any]) -> str:
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
    lines.append(
        f"| **all but training** | {whole - after['training']:.2f} | {1 - after['training'] / whole:.1%} |"
    )
    lines.append(f"\nPeak memory of that run: {run['peak_mb']:,.0f} MB.\n")
    lines += [f"| workers' time of `{report['commands']['sweep']}` | share |", "|---|---:|"]
    lines += [f"| {phase} | {share:.1%} |" for phase, share in sweep["shares"].items()]
    lines.append(f"| **training and evaluation** | {sweep['work']:.1%} |")
    lines.append(
        f"\n{sweep['trials']} trials, {sweep['workers']} workers; largest worker {sweep['peak_mb']:,.0f} MB."
    )
    return "\n".join(lines) + "\n"


def run(arguments: Sequence[str]) -> None:
    """Raises UserError for what a user can get wrong."""
    parser = command_line("harness", __doc__)
    parser.add_argument(
        "--starts",
        type=int,
        default=3,
        help="short runs for the time of a start; default: %(default)s",
    )
    parser.add_argument(
        "--run",
        default="model=cnn3x3 optimizer=adam",
        metavar="OVERRIDES",
        help="the whole run; default: %(default)s",
    )
    parser.add_argument(
        "--sweep", default="sweeps=cnn3x3_tuning", metavar="OVERRIDES", help="default: %(default)s"
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
