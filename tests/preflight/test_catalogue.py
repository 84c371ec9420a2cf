"""The catalogue of faulty programs, its division into halves, and the programs of the seen half."""

from pathlib import Path

from tests.support.collection.catalogue import rows
from tests.support.collection.pairs import entries
from tests.support.collection.split import HALVES, halves

COLLECTION = Path(__file__).parents[1] / "support" / "collection"


def test_the_division_is_the_one_that_the_seed_gives_and_even_in_each_class() -> None:
    """Nobody moved a program to the other half; classes differ by one program at most."""
    classes = {name: row["fault_class"] for name, row in rows().items()}
    assert halves(classes) == {name: row["half"] for name, row in rows().items()}
    for fault_class in set(classes.values()):
        counts = [
            sum(
                row["half"] == half and row["fault_class"] == fault_class for row in rows().values()
            )
            for half in HALVES
        ]
        assert max(counts) - min(counts) <= 1, (fault_class, counts)


def test_every_line_of_the_catalogue_says_where_it_comes_from() -> None:
    """At least 132 faults, with a source, most of them of other shapes than MNIST's."""
    assert len(rows()) >= 132
    assert all(row["source"].startswith("https://") for row in rows().values())
    digits = [row for row in rows().values() if row["shape"] == "pictures 28x28x1"]
    assert len(digits) <= len(rows()) / 2


def test_the_seen_half_has_every_program_that_was_dealt_to_it_and_no_other() -> None:
    """A fault that was hard to write was not left out."""
    seen = {name for name, row in rows().items() if row["half"] == "seen"}
    faulty = {entry.name for entry in entries(COLLECTION / "seen") if entry.fault}
    assert seen <= faulty
    assert not {name for name in faulty if name in rows() and rows()[name]["half"] != "seen"}
