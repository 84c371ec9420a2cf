"""The half of the good programs that everyone may look at."""

from tests.support.collection.seen_good import (
    autoencoders,
    numbers,
    patches,
    pictures,
    positions,
    series,
    tables,
    texts,
)

MODULES = (autoencoders, numbers, patches, pictures, positions, series, tables, texts)
ENTRIES = [entry for module in MODULES for entry in module.ENTRIES]
