"""The seed of runs that other programs made."""

import pandas as pd
import pytest

from mnist_exp.compare.results import compare_runs
from mnist_exp.compare.seeds import with_seeds
from mnist_exp.errors import UserError
from mnist_exp.tracking.runs import Runs
from tests.compare.made_runs import FOUR, MODELS, made


def seeds(runs: Runs, named: str | None = None) -> list[str]:
    return list(with_seeds(runs, named)[0].info["seed"])


@pytest.mark.parametrize(
    "name",
    [
        *("seed", "random_seed", "random_state", "Seed", "RANDOM-SEED", "randomState"),
        *("train.seed", "args/seed", "model.init.random_state", "seed_everything", "rng_seed"),
    ],
)
def test_a_param_or_tag_that_is_named_like_a_seed(name: str) -> None:
    runs, notes = with_seeds(made({"model": MODELS, name: FOUR}), None)
    assert list(runs.info["seed"]) == FOUR
    assert list(runs.params) == ["model"]
    assert notes == ([] if name == "seed" else [f"The seed of a run is its {name}."])
    assert seeds(made({"model": MODELS}, **{name: FOUR})) == FOUR


@pytest.mark.parametrize("name", ["seeds", "n_seeds", "proceed", "seed_model", "reseed"])
def test_another_name_is_none_of_a_seed(name: str) -> None:
    runs, notes = with_seeds(made({"model": MODELS, name: FOUR}), None)
    assert list(runs.info["seed"]) == [""] * 4
    assert name in runs.params
    assert notes[0].startswith("No seed was found: ")
    assert seeds(made({name: FOUR}), name) == FOUR  # if it is named


def test_the_one_that_varies_and_the_best_name() -> None:
    constant = made({"data.seed": ["7"] * 4, "model.seed": FOUR})
    assert seeds(constant) == FOUR
    assert seeds(made({"random_state": MODELS, "seed": FOUR})) == FOUR
    assert seeds(made({"split.seed": MODELS, "seed": FOUR})) == FOUR
    equal = made({"a.seed": FOUR, "b.seed": ["11", "12", "11", "12"]})
    assert list(with_seeds(equal, None)[0].params) == []  # b says the same
    with pytest.raises(UserError) as told:
        seeds(made({"a.seed": FOUR, "b.seed": ["1", "1", "2", "2"]}))
    assert str(told.value) == (
        "the seed could be a.seed and b.seed, which differ\n--seed NAME names it"
    )


def test_runs_of_two_programs_have_their_seeds_in_two_places() -> None:
    runs, notes = with_seeds(
        made({"seed": ["1", "2", None, None], "random_state": [None, None, "1", "2"]}), None
    )
    assert list(runs.info["seed"]) == FOUR
    assert notes == ["The seed of a run is its seed or random_state."]


def test_none_and_true_are_no_seeds() -> None:
    runs, notes = with_seeds(made({"seed": ["1", "None", "True", None]}), None)
    assert list(runs.info["seed"]) == ["1", "", "", ""]
    assert notes == ["3 runs of 4 have no seed."]
    parent = f"{3:032x}"  # of the others, and compared with none
    children = {"mlflow.parentRunId": [parent, parent, parent, None]}
    _, notes = with_seeds(made({"seed": ["1", "2", "None", None]}, **children), None)
    assert notes == ["1 run of 3 has no seed."]
    with pytest.raises(UserError, match="--seed seed: no run has a value of it"):
        seeds(made({"seed": ["None"] * 3}), "seed")


def test_a_whole_number_with_decimals_is_that_whole_number() -> None:
    """A text among a table's numbers leaves each of them as it was written."""
    written = ["0.0", "1.", "-2.00", "0.5", "1.0.0", "x", "12345678901234567890.0"]
    whole = ["0", "1", "-2", "0.5", "1.0.0", "x", "12345678901234567890"]
    assert seeds(made({"seed": written})) == seeds(made({}, seed=written)) == whole
    table = pd.DataFrame(
        {
            "model": [*"aaabbb"],
            "seed": ["0.0", "1.0", "x", "0", "1", "2"],
            "accuracy": [0.9, 0.91, 0.92, 0.93, 0.95, 0.94],
        }
    )
    assert "over 2 paired seeds" in compare_runs(table).summary


def test_a_text_that_stands_for_the_seed_is_no_setting() -> None:
    folders = ["logs/version_1", "logs/version_2"] * 2
    runs, _ = with_seeds(made({"model": MODELS, "seed": FOUR, "log_dir": folders}), None)
    assert list(runs.params) == ["model"]
    rates = made({"lr": ["0.1", "0.2"] * 2, "seed": FOUR})  # numbers may be settings all the same
    assert list(with_seeds(rates, None)[0].params) == ["lr"]


def test_a_seed_that_is_the_same_in_all_runs_is_none() -> None:
    runs, notes = with_seeds(made({"model": MODELS, "random_state": ["42"] * 4}), None)
    assert list(runs.info["seed"]) == [""] * 4  # as the seed, it would leave one run of each model
    assert len(notes) == 1
    assert notes[0].startswith("random_state is the same in all runs, so it is not taken for ")
    assert seeds(made({"random_state": ["42"] * 4}), "random_state") == ["42"] * 4  # if named
