"""Run the zoo, and print the tables of docs/preflight.md.

    python -m tests.preflight.confusion run FILE [--seeds 20] [--broken-seeds 2] [--only PART_OF_A_NAME]
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

from mnist_exp.preflight import check, thresholds

from . import zoo

Row = dict[str, Any]

# code, statistic, whether values above the threshold are bad, threshold
LIMITS: list[tuple[str, str, bool, float]] = [
    ("LOSS_IGNORES_LABELS", "loss.gradient_change", False, thresholds.LABEL_SENSITIVITY),
    ("INITIAL_LOSS_UNEXPECTED", "abs(loss.at_uniform - 1)", True, thresholds.UNIFORM_LOSS),
    ("INITIAL_LOSS_UNEXPECTED", "loss.initial", True, thresholds.INITIAL_LOSS_HIGH),
    ("LOSS_NOT_MINIMISED", "loss.alignment", False, thresholds.ALIGNMENT),
    ("LOSS_NOT_MINIMISED", "run.downhill", False, thresholds.UPHILL),
    ("GRADIENT_ZERO", "gradient.smallest", False, 0.0),
    ("EXAMPLES_LEAK", "loss.leak", True, thresholds.LOSS_LEAK),
    ("EXAMPLES_LEAK", "output.leak", True, thresholds.OUTPUT_LEAK),
    ("INPUT_SCALE", "input.rms", True, thresholds.INPUT_RMS_HIGH),
    ("INPUT_SCALE", "input.rms", False, thresholds.INPUT_RMS_LOW),
    ("INPUT_IGNORED", "run.input_spread", False, thresholds.INPUT_SPREAD),
    ("LABELS_UNRELATED", "data.probe_sigmas", False, thresholds.PROBE_SIGMAS),
    ("CLASS_IMBALANCE", "data.largest_class_share", True, thresholds.LARGEST_CLASS / 10),
    ("SYMMETRIC_INIT", "units.twin_share", True, thresholds.TWIN_SHARE),
    ("DEAD_UNITS", "units.dead_share", True, thresholds.DEAD_SHARE_WARNING),
    ("SATURATED_ACTIVATIONS", "units.saturated_share", True, thresholds.SATURATED_SHARE),
    ("CANNOT_OVERFIT", "overfit.accuracy", False, 1.0),
    ("LEARNING_RATE_TOO_HIGH", "run.slower_over_own", False, thresholds.RECOVERS),
    ("LEARNING_RATE_TOO_LOW", "run.promised", False, thresholds.STEP_TOO_SMALL),
    ("TRAIN_EVAL_MISMATCH", "eval.noise", True, thresholds.EVALUATION_NOISE),
]


def run(entry: zoo.Entry, seed: int) -> Row:
    """What was expected, what was found, every statistic."""
    case = entry.build(seed)
    report = check(case.model, case.loss, case.optimizer, case.images, case.labels, seed=seed)
    return {
        "name": entry.name,
        "architecture": entry.architecture,
        "expected": entry.code,
        "seed": seed,
        "findings": {finding.code: finding.severity for finding in report.findings},
        "messages": [str(finding) for finding in report.findings],
        "statistics": report.to_dict()["statistics"],
        "seconds": report.seconds,
    }


def everything(seeds: int, broken_seeds: int) -> Iterator[tuple[zoo.Entry, int]]:
    yield from ((entry, seed) for entry in zoo.broken() for seed in range(broken_seeds))
    yield from ((entry, seed) for entry in zoo.variations() for seed in range(min(seeds, 5)))
    yield from zoo.grid(range(seeds))
    yield from ((entry, seed) for entry in zoo.presets() for seed in range(seeds))


def run_all(path: Path, seeds: int, broken_seeds: int, only: str) -> None:
    todo = [(entry, seed) for entry, seed in everything(seeds, broken_seeds) if only in entry.name]
    started = time.perf_counter()
    with path.open("w") as out:
        for done, (entry, seed) in enumerate(todo, 1):
            keras.backend.clear_session(
                free_memory=done % 20 == 0
            )  # collecting takes as long as a run
            row = run(entry, seed)
            out.write(json.dumps(row) + "\n")
            out.flush()
            wrong = entry.code not in row["findings"] if entry.code else row["findings"]
            if wrong:
                sys.stderr.write(
                    f"{entry.name} seed {seed} expected {entry.code}: {row['messages']}\n"
                )
            if done % 50 == 0:
                sys.stderr.write(
                    f"{done} of {len(todo)} in {time.perf_counter() - started:.0f} s\n"
                )


def broken_table(rows: list[Row]) -> Iterator[str]:
    """One line per expected code."""
    yield "| code | programs | runs | caught | also reported (runs) |"
    yield "|---|--:|--:|--:|---|"
    broken = [row for row in rows if row["expected"]]
    for code in dict.fromkeys(row["expected"] for row in broken):
        runs = [row for row in broken if row["expected"] == code]
        also = Counter(found for row in runs for found in row["findings"] if found != code)
        others = ", ".join(f"{found} {count}" for found, count in also.most_common())
        caught = sum(code in row["findings"] for row in runs)
        programs = len({row["name"] for row in runs})
        yield f"| {code} | {programs} | {len(runs)} | {caught} | {others} |"
    caught = sum(row["expected"] in row["findings"] for row in broken)
    yield f"| **all** | {len({row['name'] for row in broken})} | {len(broken)} | {caught} | |"


def good_table(rows: list[Row]) -> Iterator[str]:
    """One line per kind of good program."""
    yield "| good programs | programs | runs | with errors | with warnings |"
    yield "|---|--:|--:|--:|---|"
    good = [row for row in rows if not row["expected"]]
    presets, variations = (
        {entry.name for entry in kind()} for kind in (zoo.presets, zoo.variations)
    )
    kinds = {
        "presets": [row for row in good if row["name"] in presets],
        "variations": [row for row in good if row["name"] in variations],
        "optimizers and initialisations": [
            row for row in good if row["name"] not in presets | variations
        ],
        "**all**": good,
    }
    for kind, runs in kinds.items():
        errors = sum("error" in row["findings"].values() for row in runs)
        warned = Counter(
            found for row in runs for found, grade in row["findings"].items() if grade == "warning"
        )
        warnings = ", ".join(f"{found} {count}" for found, count in warned.most_common()) or "0"
        programs = len({row["name"] for row in runs})
        yield f"| {kind} | {programs} | {len(runs)} | {errors} | {warnings} |"


def threshold_table(rows: list[Row]) -> Iterator[str]:
    """The good run nearest to the limit, and the broken one of the code that is nearest beyond it."""
    yield "| code | statistic | worst of the good | limit | mildest of the caught |"
    yield "|---|---|--:|--:|--:|"
    for code, statistic, above, limit in LIMITS:
        good = [value for row in rows if not row["expected"] for value in _values(row, statistic)]
        found = [
            value for row in rows if row["expected"] == code for value in _values(row, statistic)
        ]
        beyond = [v for v in found if (v > limit if above else v < limit or v == limit == 0)]
        if not good or not beyond:
            continue
        worst, mildest = (max(good), min(beyond)) if above else (min(good), max(beyond))
        sign = ">" if above else "<" if limit else "="
        yield f"| {code} | `{statistic}` | {worst:.3g} | {sign} {limit:g} | {mildest:.3g} |"


def _values(row: Row, statistic: str) -> list[float]:
    if statistic == "abs(loss.at_uniform - 1)":
        return [abs(value - 1) for value in _values(row, "loss.at_uniform")]
    value = row["statistics"].get(statistic)
    return [] if value is None else [float(value)]


def seconds_table(rows: list[Row]) -> Iterator[str]:
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
    for table in (broken_table, good_table, threshold_table, seconds_table):
        print("\n".join(table(rows)), end="\n\n")


if __name__ == "__main__":
    main()
