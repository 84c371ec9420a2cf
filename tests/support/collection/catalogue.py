"""The catalogue of faulty programs: what each is called, where it comes from, what is wrong.

`split.py` divided it at random before the first program was written.
"""

import csv
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from tests.support.collection.entries import Case, Entry
from tests.support.collection.pairs import pair

CATALOGUE = Path(__file__).with_name("catalogue.csv")
NO_CODE = "none yet"

Build = Callable[[int, bool], Case]


@functools.cache
def rows() -> dict[str, dict[str, str]]:
    """Return the lines of the catalogue by name."""
    with CATALOGUE.open(newline="", encoding="utf-8") as lines:
        return {row["name"]: row for row in csv.DictReader(lines)}


def pairs(*builds: Build) -> list[Entry]:
    """Return the faulty entry and its repair for functions that are named as in the catalogue."""
    return [entry for build in builds for entry in _pair(build)]


def _pair(build: Build) -> tuple[Entry, Entry]:
    row = rows()[build.__name__]
    codes = () if row["codes"] == NO_CODE else tuple(row["codes"].split(";"))
    fields = {name: row[name] for name in ("name", "source", "task", "shape", "fault")}

    def seeded(seed: int, faulty: bool) -> Case:
        keras.utils.set_random_seed(seed)
        return build(seed, faulty)

    return pair(seeded, codes=codes, **fields)


def sequential(
    shape: tuple[int, ...], *stack: Any, loss: Any, optimizer: Any = "adam"
) -> keras.Model:
    """Return a compiled stack of layers for inputs of one shape."""
    model = keras.Sequential([keras.Input(shape), *stack])
    model.compile(optimizer, loss)
    return model
