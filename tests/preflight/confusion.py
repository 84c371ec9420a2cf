"""Run the zoo, and print the tables of docs/preflight.md.

    python -m tests.preflight.confusion run FILE [--seeds 20] [--broken-seeds 2] [--only NAME]
    python -m tests.preflight.confusion tables FILE

FILE has one JSON line per run. The whole run takes half an hour on two cores.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from mnist_exp.preflight import PreflightReport, check
from tests.support.zoo.broken import broken
from tests.support.zoo.good import grid, presets, variations
from tests.support.zoo.programs import Entry

Row = dict[str, Any]


def run(entry: Entry, seed: int) -> Row:
    """Return what was expected and what was found, with every statistic."""
    report = check(*entry.build(seed), seed=seed)
    return {
        "name": entry.name,
        "architecture": entry.architecture,
        "expected": entry.code,
        "seed": seed,
        **found(report),
    }


def found(report: PreflightReport) -> Row:
    """Return what a report says, for a line of JSON."""
    return {
        "findings": {finding.code: finding.severity for finding in report.findings},
        "messages": [str(finding) for finding in report.findings],
        "statistics": report.to_dict()["statistics"],
        "seconds": report.seconds,
    }


def everything(seeds: int, broken_seeds: int) -> Iterator[tuple[Entry, int]]:
    """Yield every program of the zoo with its seeds."""
    yield from ((entry, seed) for entry in broken() for seed in range(broken_seeds))
    yield from ((entry, seed) for entry in variations() for seed in range(min(seeds, 5)))
    yield from grid(range(seeds))
    yield from ((entry, seed) for entry in presets() for seed in range(seeds))


def run_all(path: Path, seeds: int, broken_seeds: int, only: str) -> None:
    """Run every program whose name contains `only`, and write a line for each run."""
    todo = [(entry, seed) for entry, seed in everything(seeds, broken_seeds) if only in entry.name]
    started = time.perf_counter()
    with path.open("w") as file:
        for done, (entry, seed) in enumerate(todo, 1):
            # Collecting takes as long as a run, so it is done now and then.
            keras.backend.clear_session(free_memory=done % 20 == 0)
            row = run(entry, seed)
            file.write(json.dumps(row) + "\n")
            file.flush()
            wrong = entry.code not in row["findings"] if entry.code else row["findings"]
            if wrong:
                expected = f"{entry.name} seed {seed} expected {entry.code}"
                sys.stderr.write(f"{expected}: {row['messages']}\n")
            if done % 50 == 0:
                seconds = time.perf_counter() - started
                sys.stderr.write(f"{done} of {len(todo)} in {seconds:.0f} s\n")


def broken_table(rows: list[Row]) -> Iterator[str]:
    """Yield a line for each expected code."""
    yield "| code | programs | runs | caught | also reported (runs) |"
    yield "|---|--:|--:|--:|---|"
    wrong = [row for row in rows if row["expected"]]
    for code in dict.fromkeys(row["expected"] for row in wrong):
        runs = [row for row in wrong if row["expected"] == code]
        also = Counter(other for row in runs for other in row["findings"] if other != code)
        others = ", ".join(f"{other} {count}" for other, count in also.most_common())
        yield f"| {code} | {_counts(runs)} | {others} |"
    yield f"| **all** | {_counts(wrong)} | |"


def _counts(runs: list[Row]) -> str:
    """Return the numbers of programs, of runs, and of runs whose mistake was caught."""
    programs = len({row["name"] for row in runs})
    return f"{programs} | {len(runs)} | {sum(row['expected'] in row['findings'] for row in runs)}"


def good_table(rows: list[Row]) -> Iterator[str]:
    """Yield a line for each kind of good program."""
    yield "| good programs | programs | runs | with errors | with warnings |"
    yield "|---|--:|--:|--:|---|"
    good = [row for row in rows if not row["expected"]]
    of_presets, of_variations = ({e.name for e in kind()} for kind in (presets, variations))
    kinds = {
        "presets": [row for row in good if row["name"] in of_presets],
        "variations": [row for row in good if row["name"] in of_variations],
        "optimizers and initialisations": [
            row for row in good if row["name"] not in of_presets | of_variations
        ],
        "**all**": good,
    }
    for kind, runs in kinds.items():
        errors = sum("error" in row["findings"].values() for row in runs)
        programs = len({row["name"] for row in runs})
        yield f"| {kind} | {programs} | {len(runs)} | {errors} | {of_severity('warning', runs)} |"


def of_severity(severity: str, rows: list[Row]) -> str:
    """Return how often each code was found with a severity, in one cell; 0 if none was."""
    findings = [pair for row in rows for pair in row["findings"].items()]
    counts = Counter(code for code, found in findings if found == severity)
    return ", ".join(f"{code} {count}" for code, count in counts.most_common()) or "0"


def seconds_table(rows: list[Row]) -> Iterator[str]:
    """Yield the median and the largest time of the good programs of each architecture."""
    yield "| good programs | median s | largest s |"
    yield "|---|--:|--:|"
    for architecture in ("softmax", "mlp", "cnn", "cnn3x3", "cnn5x5"):
        times = sorted(
            row["seconds"]
            for row in rows
            if not row["expected"] and row["architecture"] == architecture
        )
        if times:
            yield f"| {architecture} | {times[len(times) // 2]:.1f} | {times[-1]:.1f} |"


def main() -> None:
    """Run the zoo if asked to, and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("command", choices=("run", "tables"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--broken-seeds", type=int, default=2)
    parser.add_argument("--only", default="", help="part of a name")
    arguments = parser.parse_args()
    if arguments.command == "run":
        tf.config.threading.set_intra_op_parallelism_threads(2)
        run_all(arguments.file, arguments.seeds, arguments.broken_seeds, arguments.only)
    rows = [json.loads(line) for line in arguments.file.read_text().splitlines()]
    for table in (broken_table, good_table, seconds_table):
        print("\n".join(table(rows)), end="\n\n")


if __name__ == "__main__":
    main()
