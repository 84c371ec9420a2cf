"""Train every faulty program of a half and its repair for real, and say which faults do harm.

    python -m tests.support.collection.harm tests/support/collection/HALF [--only NAME]

Each program is trained by `fit`, with the seeds 0 and 1, for its own number of epochs, and scored
(`scores.py`) on its own validation data, or on a random fifth of its examples that is kept from
training. A skill of 0 is a guess and of 1 is perfect: (score - chance) / (1 - chance). The fault
does harm if for one of these reasons:

1. "stopped": an exception, or outputs that are NaN or infinite, with either seed;
2. "at chance": a skill below 0.1 with either seed, and the repaired program has twice as much with
   both;
3. "worse": the better of the faulty program's seeds has at least 0.05 less skill than the worse of
   the repaired program's seeds;
4. "promises too much": the fault is a leak of labels or examples (LABEL_LEAK, SPLITS_OVERLAP), and
   the worse of its seeds has at least 0.05 more skill than the better of the repair's: what the
   validation promises, new examples do not get.

A fault whose repaired program stops or has a skill below 0.1 itself is "unclear": the entry needs
mending. Every training leaves a JSON line in HALF/harm.jsonl, so that the command goes on where it
was interrupted (--only trains anew); the table is HALF/harm.csv.
"""

import argparse
import csv
import json
import math
import sys
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from tests.support.collection.entries import Case, Entry
from tests.support.collection.pairs import REPAIRED, entries
from tests.support.collection.scores import score

Row = dict[str, Any]

SEEDS = (0, 1)
CHANCE = 0.1  # of skill
MARGIN = 0.05  # of skill
LEAKS = {"LABEL_LEAK", "SPLITS_OVERLAP"}


def trained_score(case: Case, task: str, seed: int) -> tuple[str, float, float]:
    """Train a program and return its metric's name, value, and value for a guess."""
    x, y, weights = case.x, case.y, case.sample_weight
    if case.validation_data is not None:
        judged = _arrays(case.validation_data)
    elif isinstance(x, tf.data.Dataset):
        judged = _arrays(x)
    else:
        order = np.random.default_rng(seed).permutation(len(tf.nest.flatten(x)[0]))
        kept, rest = np.sort(order[len(order) // 5 :]), order[: len(order) // 5]
        judged = _rows(x, rest), _rows(y, rest), _rows(weights, rest)
        x, y, weights = _rows(x, kept), _rows(y, kept), _rows(weights, kept)
    case.model.fit(
        x, y,
        batch_size=None if isinstance(x, tf.data.Dataset) else case.batch_size,
        epochs=case.epochs, validation_data=case.validation_data, verbose=0,
        class_weight=case.class_weight, sample_weight=weights,
    )  # fmt: skip
    x, y, weights = judged
    outputs = case.model.predict(x, batch_size=case.batch_size, verbose=0)
    metrics = [
        score(task, *one) if np.isfinite(one[1]).all() else ("", math.nan, 0.0)
        for one in _by_output(y, outputs, weights)
    ]
    return min(metrics, key=lambda metric: -math.inf if math.isnan(metric[1]) else metric[1])


def _rows(values: Any, rows: np.ndarray) -> Any:
    """Return some rows of a structure of arrays, or None."""
    return tf.nest.map_structure(lambda v: None if v is None else np.asarray(v)[rows], values)


def _arrays(data: Any) -> tuple[Any, Any, Any]:
    """Return the inputs, labels and weights (or None) of validation data or of a dataset."""
    if isinstance(data, tf.data.Dataset):
        data = tf.nest.map_structure(lambda *parts: tf.concat(parts, 0), *data)
    x, y, *weights = data
    return x, y, weights[0] if weights else None


def _by_output(y: Any, outputs: Any, weights: Any) -> list[tuple[Any, Any, Any]]:
    """Return the labels, outputs and weights of each of a model's outputs."""
    if isinstance(outputs, dict):
        return [(y[name], outputs[name], None) for name in outputs]
    if isinstance(outputs, list | tuple):
        return [(labels, output, None) for labels, output in zip(y, outputs, strict=True)]
    return [(y, outputs, weights)]


def train(entry: Entry, seed: int) -> Row:
    """Build and train a program, and return how it did or how it stopped."""
    keras.backend.clear_session()
    keras.utils.set_random_seed(seed)
    started = time.perf_counter()
    row: Row = {"name": entry.name, "seed": seed, "metric": "", "stopped": ""}
    try:
        metric, value, chance = trained_score(entry.build(seed), entry.task, seed)
    except Exception as error:  # noqa: BLE001  # whatever the faulty program raises is its harm
        row["stopped"] = f"{type(error).__name__}: {str(error)[:300]}"
    else:
        if math.isnan(value):
            row["stopped"] = "outputs are NaN or infinite"
        else:
            row |= {"metric": metric, "value": value, "skill": (value - chance) / (1 - chance)}
    return row | {"seconds": round(time.perf_counter() - started, 1)}


def verdict(faulty: list[Row], repaired: list[Row], codes: tuple[str, ...]) -> tuple[str, str]:
    """Return "yes", "no" or "unclear" and the reason, by the rule in the module's docstring."""
    if any(row["stopped"] or row["skill"] < CHANCE for row in repaired):
        return "unclear", "the repaired program fails"
    if any(row["stopped"] for row in faulty):
        return "yes", "stopped"
    wrong, right = ([row["skill"] for row in rows] for rows in (faulty, repaired))
    if min(wrong) < CHANCE and min(right) >= 2 * max(min(wrong), 0):
        return "yes", "at chance"
    if max(wrong) <= min(right) - MARGIN:
        return "yes", "worse"
    if LEAKS & set(codes) and min(wrong) >= max(right) + MARGIN:
        return "yes", "promises too much"
    return "no", ""


def write_table(path: Path, found: list[Entry], rows: list[Row]) -> None:
    """Write a line for each faulty program whose trainings are complete."""
    of = {entry.name: [row for row in rows if row["name"] == entry.name] for entry in found}
    with path.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["name", "metric", "faulty", "repaired", "harm", "reason"])
        for entry in found:
            wrong, right = of[entry.name], of.get(entry.name + REPAIRED, [])
            if not entry.fault or len(wrong) < len(SEEDS) or len(right) < len(SEEDS):
                continue
            metric = next((row["metric"] for row in right + wrong if row["metric"]), "")
            harm = verdict(wrong, right, entry.codes)
            table.writerow([entry.name, metric, _values(wrong), _values(right), *harm])


def _values(rows: list[Row]) -> str:
    """Return the values of the seeds in one cell."""
    return " ".join("stopped" if row["stopped"] else f"{row['value']:.3f}" for row in rows)


def main() -> None:
    """Train what has not been trained, and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="part of a name: train it anew")
    arguments = parser.parse_args()
    found = entries(arguments.folder)
    file = arguments.folder / "harm.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    if arguments.only:
        rows = [row for row in rows if arguments.only not in row["name"]]
    known = {entry.name for entry in found}
    rows = [row for row in rows if row["name"] in known]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = {(row["name"], row["seed"]) for row in rows}
    paired = [e for e in found if e.fault or e.name.endswith(REPAIRED)]
    for entry in (e for e in paired if arguments.only in e.name):
        for seed in SEEDS:
            if (entry.name, seed) in done:
                continue
            row = train(entry, seed)
            rows.append(row)
            with file.open("a") as lines:
                lines.write(json.dumps(row) + "\n")
            result = row["stopped"] or f"{row['metric']} {row['value']:.3f}"
            sys.stderr.write(f"{entry.name} seed {seed}: {result}, {row['seconds']} s\n")
    write_table(arguments.folder / "harm.csv", found, rows)


if __name__ == "__main__":
    main()
