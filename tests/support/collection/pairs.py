"""Entries in pairs of a faulty program and its repair, and the entries that a folder holds."""

import importlib
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.collection.entries import Case, Entry

REPAIRED = ", repaired"  # what a name ends in


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
