"""Train every good program of a half for real, and write how well it does to trained.csv.

    python -m tests.support.collection.trained tests/support/collection/HALF_good

Each is trained and scored as in `harm`, with seed 0; skill 0 is a guess, 1 is perfect. A program
that stopped or has little skill is none of the good ones. The command goes on where it was
interrupted; take a program's line away to train it anew.
"""

import argparse
import csv
from pathlib import Path

from tests.support.collection.harm import train
from tests.support.collection.pairs import entries

COLUMNS = ["name", "task", "metric", "value", "skill", "seconds", "stopped"]


def main() -> None:
    """Train what has no line yet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    path = folder / "trained.csv"
    lines = path.read_text().splitlines() if path.exists() else [",".join(COLUMNS)]
    path.write_text("".join(f"{line}\n" for line in lines))
    done = {line["name"] for line in csv.DictReader(lines)}
    for entry in (entry for entry in entries(folder) if entry.name not in done):
        row = {"task": entry.task} | train(entry, seed=0)
        del row["seed"]
        for name in {"value", "skill"} & row.keys():
            row[name] = f"{row[name]:.3f}"
        with path.open("a", newline="") as file:
            csv.DictWriter(file, COLUMNS, lineterminator="\n").writerow(row)


if __name__ == "__main__":
    main()
