"""Entries in pairs of a faulty program and its repair, and the entries that a folder holds."""

import csv
import functools
import importlib
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.collection.entries import Case, Entry

REPAIRED = ", repaired"  # what a name ends in
CATALOGUE = Path(__file__).parent / "catalogue.csv"


@functools.cache
def catalogue() -> dict[str, dict[str, str]]:
    """Return the lines of catalogue.csv by name: source, fault_class, task, shape, fault, ..."""
    with CATALOGUE.open(newline="", encoding="utf-8") as file:
        return {line["name"]: line for line in csv.DictReader(file)}


def catalogued(*builds: Callable[[int, bool], Case]) -> list[Entry]:
    """Return the pairs of the catalogue's faults whose names the functions have.

    builds: build(seed, faulty) makes either program.
    """
    found: list[Entry] = []
    for build in builds:
        line = catalogue()[build.__name__]
        codes = tuple(code for code in line["codes"].split(";") if code != "none yet")
        fields = {name: line[name] for name in ("name", "source", "task", "shape", "fault")}
        found += pair(build, **fields, codes=codes)
    return found


def pair(build: Callable[[int, bool], Case], **fields: Any) -> tuple[Entry, Entry]:
    """Return the entries of a faulty program and of its repair.

    build: build(seed, faulty) makes either program.
    fields: those of the faulty entry.
    """
    repaired = fields | {"name": fields["name"] + REPAIRED, "fault": "", "codes": ()}
    return (
        Entry(**fields, build=lambda seed: build(seed, True)),
        Entry(**repaired, build=lambda seed: build(seed, False)),
    )


def entries(folder: Path) -> list[Entry]:
    """Return the ENTRIES of every module in a package of tests.support.collection.

    Raises:
        ValueError: Two entries have the same name, or a faulty one has no repair.
    """
    package = f"tests.support.collection.{folder.name}"
    modules = sorted(module.name for module in pkgutil.iter_modules([str(folder)]))
    found: list[Entry] = []
    for module in modules:
        found += getattr(importlib.import_module(f"{package}.{module}"), "ENTRIES", [])
    names = [entry.name for entry in found]
    twice = {name for name in names if names.count(name) > 1}
    alone = {e.name for e in found if e.fault and e.name + REPAIRED not in names}
    if twice or alone:
        raise ValueError(f"named twice: {sorted(twice)}; without a repair: {sorted(alone)}")
    return found
