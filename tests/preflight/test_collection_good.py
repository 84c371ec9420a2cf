"""The good programs of the collection are what they are said to be."""

import csv
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.support.collection.pairs import entries

COLLECTION = Path(__file__).parents[1] / "support" / "collection"
HALVES = [half for half in COLLECTION.glob("*_good") if (half / "trained.csv").exists()]
LEAST_SKILL = 0.3  # of 1: far from a guess, for data with much noise as well


@pytest.mark.parametrize("half", HALVES, ids=lambda half: half.name)
def test_every_good_program_was_trained_and_learns(half: Path) -> None:
    with (half / "trained.csv").open(newline="") as file:
        skills = {line["name"]: float(line["skill"] or 0) for line in csv.DictReader(file)}
    assert set(skills) == {entry.name for entry in entries(half)}
    assert {name: skill for name, skill in skills.items() if skill < LEAST_SKILL} == {}


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    "name", ["siamese_contrastive", "tab_transformer", "masked_language_model"]
)
def test_a_seed_makes_the_same_program_again(name: str) -> None:
    (entry,) = (entry for entry in entries(COLLECTION / "seen_good") if entry.name == name)
    first, again = ([case.model.get_weights(), case.x, case.y] for case in map(entry.build, (4, 4)))
    for values, same in zip(keras.tree.flatten(first), keras.tree.flatten(again), strict=True):
        np.testing.assert_array_equal(values, same)
    assert not np.array_equal(entry.build(5).y, first[2])
