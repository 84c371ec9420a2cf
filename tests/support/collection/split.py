"""Divide the catalogue of faulty programs at random into a half to look at and a half held out.

`python -m tests.support.collection.split FILE` writes the column `half` of FILE (once: a division
that is there already stays).
"""

import csv
import random
import sys
from collections import defaultdict
from pathlib import Path

SEED = 20261126
HALVES = ("seen", "held_out")


def halves(classes: dict[str, str]) -> dict[str, str]:
    """Return the half of each name, from its fault class.

    Each class is divided evenly; the odd ones out of all classes are dealt in turn.
    """
    by_class: defaultdict[str, list[str]] = defaultdict(list)
    for name, fault_class in sorted(classes.items()):
        by_class[fault_class].append(name)
    generator = random.Random(SEED)
    order: list[str] = []
    for fault_class in sorted(by_class):
        names = by_class[fault_class]
        generator.shuffle(names)
        order += names
    return {name: HALVES[place % 2] for place, name in enumerate(order)}


def main() -> None:
    """Write the column `half` of the file that the command line names."""
    path = Path(sys.argv[1])
    with path.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    if any(row.get("half") for row in rows):
        raise SystemExit(f"{path} is divided already; the division stays")
    half = halves({row["name"]: row["fault_class"] for row in rows})
    with path.open("w", newline="", encoding="utf-8") as lines:
        writer = csv.DictWriter(lines, [*rows[0], "half"], lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "half": half[row["name"]]} for row in rows)


if __name__ == "__main__":
    main()
