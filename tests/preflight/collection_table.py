"""Check the programs of the collection, and print the tables of docs/preflight.md.

    python -m tests.preflight.collection_table run FILE --half seen|held_out [--only NAME]
    python -m tests.preflight.collection_table tables FILE...

FILE has one JSON line per program; `run` goes on where it was interrupted. A fault counts as

- named right: one of the entry's codes is among the findings, as an error or a warning;
- misleading: none of them is, and there is an error;
- missed: neither; detected is whatever is not missed.

Which faults do harm stands in the half's harm.csv (tests.support.collection.harm).
"""

import argparse
import csv
import json
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path

import keras
import tensorflow as tf

from mnist_exp.preflight import check
from tests.preflight.confusion import Row, found, of_severity
from tests.support.collection import catalogue
from tests.support.collection.entries import Entry
from tests.support.collection.pairs import REPAIRED, entries

COLLECTION = Path(__file__).parents[1] / "support" / "collection"


def run(entry: Entry, half: str) -> Row:
    """Return what was expected and what was found, or the traceback of the check."""
    row: Row = {
        "name": entry.name,
        "half": half,
        "kind": "faulty" if entry.fault else "good",
        "task": str(entry.task),
        "class": catalogue.rows()[entry.name]["fault_class"] if entry.fault else "",
        "codes": entry.codes,
        "findings": {},
        "traceback": "",
    }
    if entry.name.endswith(REPAIRED):
        row["kind"] = "repaired"
    case = entry.build(0)
    started = time.perf_counter()
    try:
        report = check(
            case.model,
            case.x,
            case.y,
            validation_data=case.validation_data,
            class_weight=case.class_weight,
            sample_weight=case.sample_weight,
            batch_size=case.batch_size,
            seed=0,
        )
    except Exception:  # noqa: BLE001  # a check that raises is a result of the table
        return row | {"traceback": traceback.format_exc(), "seconds": time.perf_counter() - started}
    return row | {"task told": str(report.task), "not judged": report.not_judged} | found(report)


def run_half(path: Path, half: str, only: str) -> None:
    """Check every program of a half whose name contains `only` and which has no line yet.

    The faulty and repaired ones lie in the folder of the half's name, good ones beside it.
    """
    done = {row["name"] for row in read([path])} if path.exists() else set()
    programs = entries(COLLECTION / half) + entries(COLLECTION / f"{half}_good")
    todo = [e for e in programs if only in e.name and e.name not in done]
    for number, entry in enumerate(todo, 1):
        keras.backend.clear_session()
        keras.utils.set_random_seed(0)
        row = run(entry, half)
        with path.open("a") as file:
            file.write(json.dumps(row, default=str) + "\n")
        raised = row["traceback"].strip().rpartition("\n")[2]
        said = raised or ", ".join(row["findings"]) or "nothing"
        sys.stderr.write(f"{number}/{len(todo)} {entry.name}: {said}, {row['seconds']:.1f} s\n")


def read(paths: list[Path]) -> list[Row]:
    """Return the lines of files, each with `harm` after the half's harm.csv: yes, no or unclear."""
    rows = [json.loads(line) for path in paths for line in path.read_text().splitlines()]
    harm: dict[tuple[str, str], str] = {}
    for half in {row["half"] for row in rows}:
        table = COLLECTION / half / "harm.csv"
        if table.exists():
            with table.open(newline="") as file:
                harm |= {(half, line["name"]): line["harm"] for line in csv.DictReader(file)}
    return [row | {"harm": harm.get((row["half"], row["name"]), "unclear")} for row in rows]


def outcome(row: Row) -> str:
    """Return how the check of a faulty program came out, as the module's docstring says."""
    if set(row["codes"]) & set(row["findings"]):
        return "named right"
    if row["traceback"]:
        return "missed"
    return "misleading" if "error" in row["findings"].values() else "missed"


def fault_table(rows: list[Row], harm: str) -> Iterator[str]:
    """Yield a line for each class of faults, of programs with this harm (yes, no, unclear).

    The classes are those of catalogue.csv.
    """
    yield "| fault | programs | detected | with an error | named right | misleading | missed |"
    yield "|---|--:|--:|--:|--:|--:|--:|"
    faulty = [row for row in rows if row["kind"] == "faulty" and row["harm"] == harm]
    for name in sorted({row["class"] for row in faulty}):
        yield _fault_line(name, [row for row in faulty if row["class"] == name])
    yield _fault_line("**all**", faulty)


def _fault_line(name: str, rows: list[Row]) -> str:
    """Return how the checks of some faulty programs came out."""
    outcomes = [outcome(row) for row in rows]
    named, misled, missed = (
        outcomes.count(kind) for kind in ("named right", "misleading", "missed")
    )
    errors = sum("error" in row["findings"].values() for row in rows)
    counts = [len(rows), named + misled, errors, named, misled, missed]
    return f"| {name} | " + " | ".join(map(str, counts)) + " |"


def good_table(rows: list[Row]) -> Iterator[str]:
    """Yield what was said about good and repaired programs of each task."""
    yield "| task | programs | with errors | with warnings | errors | warnings |"
    yield "|---|--:|--:|--:|---|---|"
    for kind in ("good", "repaired"):
        of_kind = [row for row in rows if row["kind"] == kind]
        for task in sorted({row["task"] for row in of_kind}):
            yield _good_line(f"{kind}: {task}", [r for r in of_kind if r["task"] == task])
        yield _good_line(f"**{kind}: all**", of_kind)


def _good_line(name: str, rows: list[Row]) -> str:
    """Return how many programs have findings, and which; a check that raises is an error."""
    findings = [set(row["findings"].values()) for row in rows]
    raised = sum(bool(row["traceback"]) for row in rows)
    errors = sum("error" in found for found in findings) + raised
    warned = sum("warning" in found for found in findings)
    said = of_severity("error", rows) + (f", {raised} raised" if raised else "")
    return (
        f"| {name} | {len(rows)} | {errors} | {warned} | {said} | {of_severity('warning', rows)} |"
    )


def not_right(rows: list[Row]) -> Iterator[str]:
    """Yield each harmful fault that is not named right, and each good program with findings."""
    yield "| program | expected | found |"
    yield "|---|---|---|"
    for row in rows:
        faulty = row["kind"] == "faulty"
        right = outcome(row) == "named right" if faulty else not row["findings"]
        if row["traceback"] or (not right and row["harm"] != "no"):
            said = [f"{severity} {code}" for code, severity in row["findings"].items()]
            said += ["raised"] if row["traceback"] else []
            expected = f"{'/'.join(row['codes'])} (harm: {row['harm']})" if faulty else "nothing"
            yield f"| {row['name']} | {expected} | {', '.join(said) or 'nothing'} |"


def tables(rows: list[Row]) -> Iterator[str]:
    """Yield the lines of every table, half after half."""
    for half in dict.fromkeys(row["half"] for row in rows):
        of_half = [row for row in rows if row["half"] == half]
        for title, table in (
            ("faults that do harm", fault_table(of_half, "yes")),
            ("faults that do no harm", fault_table(of_half, "no")),
            ("faults of which it is unclear", fault_table(of_half, "unclear")),
            ("good programs", good_table(of_half)),
            ("what is not right", not_right(of_half)),
        ):
            yield from ("", f"**{half}: {title}**", "", *table)
        seconds = sorted(row["seconds"] for row in of_half)
        yield f"\nseconds: median {seconds[len(seconds) // 2]:.1f}, largest {seconds[-1]:.1f}"


def main() -> None:
    """Check a half if asked to, or print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("command", choices=("run", "tables"))
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--half", choices=("seen", "held_out"))
    parser.add_argument("--only", default="", help="part of a name")
    arguments = parser.parse_args()
    if arguments.command == "run":
        if not arguments.half:
            parser.error("run needs --half")
        tf.config.threading.set_intra_op_parallelism_threads(2)
        run_half(arguments.files[0], arguments.half, arguments.only)
    print("\n".join(tables(read(arguments.files))))


if __name__ == "__main__":
    main()
