"""How runs are grouped, named and left out."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.fake_runs import FakeRuns, trial
from mnist_exp.compare import columns, groups, labels
from mnist_exp.compare.baseline import find_baseline
from mnist_exp.compare.results import compare_runs
from mnist_exp.config import identity
from mnist_exp.errors import UserError
from mnist_exp.tracking.runs import Runs, Selection, Store
from tests.compare.made_runs import made

ACCURACY = "test/accuracy"


def read() -> Runs:
    return Store().select(Selection(experiment="mnist_exp"))


def grouped(group_by: Sequence[str] = ()) -> list[groups.Group]:
    runs = read()
    return groups.make_groups(runs, groups.statuses(runs, ACCURACY), ACCURACY, group_by)


def test_a_run_that_was_made_longer_is_told_apart(fake_runs: FakeRuns) -> None:
    """MLflow keeps the param of its beginning; the run's tag has its length of now."""
    settings = {"schedule.epochs": "1"}
    short = fake_runs.add(0, 0.9, settings=settings)
    longer = fake_runs.add(
        0, 0.95, settings=settings, tags={"schedule.epochs": "2", "config_hash": "longer"}
    )
    for group_by in ((), ["schedule.epochs"]):
        assert {group.label: group.run_ids for group in grouped(group_by)} == {
            "epochs=1": (short,),
            "epochs=2": (longer,),
        }


def test_what_decides_no_result_is_no_setting(fake_runs: FakeRuns) -> None:
    for name in ("seed", "sweeps", *identity.NEUTRAL):
        for text in ("1", "2"):
            fake_runs.add(0, 0.9, settings={name: text, f"{name}.x": text})
    fake_runs.add(0, 0.9, settings={"loss": "other"})
    assert columns.differing_settings(read()) == ["loss"]


def test_runs_of_a_config_are_a_group_over_seeds(fake_runs: FakeRuns) -> None:
    for seed, accuracy in ((10, 0.91), (2, 0.92)):
        fake_runs.add(seed, accuracy)
        fake_runs.add(seed, accuracy + 0.05, settings={"optimizer.learning_rate": "0.1"})
    first, second = grouped()
    assert dict(first.values) == {"2": 0.92, "10": 0.91}
    assert list(first.values) == ["2", "10"]  # in the order of numbers, not of texts
    assert (first.label, second.label) == ("learning_rate=0.01", "learning_rate=0.1")
    assert first.settings == {"optimizer.learning_rate": "0.01"}


def test_failed_killed_pruned_unfinished_and_empty_runs_are_never_averaged(
    fake_runs: FakeRuns,
) -> None:
    fake_runs.add(0, 0.9)
    for seed, status in enumerate(["FAILED", "KILLED", "RUNNING"], 1):
        fake_runs.add(seed, 0.1, status=status)
    fake_runs.add(4, 0.1, status="KILLED", tags=trial("s", 1, "seed", "PRUNED"))
    fake_runs.add(5, [])
    fake_runs.add(6, float("nan"))
    fake_runs.add(7, float("inf"))
    (group,) = grouped()
    assert dict(group.values) == {"0": 0.9}
    runs = read()
    assert list(groups.statuses(runs, ACCURACY)) == [
        "counted",
        "failed",
        "killed",
        "running",
        "pruned",
        *["no finite test/accuracy"] * 3,
    ]
    assert len(group.left_out) == 7


def test_a_config_and_seed_that_was_run_twice_counts_once(fake_runs: FakeRuns) -> None:
    fake_runs.add(0, 0.8)
    newer = fake_runs.add(0, 0.9)
    (group,) = grouped()
    assert group.run_ids == (newer,)
    assert dict(group.values) == {"0": 0.9}


def test_chosen_settings_average_within_a_seed(fake_runs: FakeRuns) -> None:
    for rate, accuracy in (("0.01", 0.8), ("0.1", 0.9)):
        fake_runs.add(0, accuracy, settings={"optimizer.learning_rate": rate})
    fake_runs.add(0, 0.95, settings={"model": "mlp"})
    first, second = grouped(["model"])
    assert dict(first.values) == {"0": pytest.approx(0.85)}
    assert (first.n, first.configs, first.label, second.label) == (1, 2, "softmax", "mlp")
    assert first.settings["optimizer.learning_rate"] == labels.SEVERAL
    assert [group.label for group in grouped(["learning_rate"])] == [
        "learning_rate=0.01",
        "learning_rate=0.1",
    ]


def test_runs_without_a_seed_are_pairs_of_nothing(fake_runs: FakeRuns) -> None:
    first, second = fake_runs.add(None, 0.9), fake_runs.add(None, 0.8)
    (group,) = grouped()
    assert dict(group.values) == {first: 0.9, second: 0.8}


def test_variants_name_groups_and_what_a_study_varies(fake_runs: FakeRuns) -> None:
    for variant, loss in (("buggy", "self_entropy"), ("fixed", "cross_entropy")):
        fake_runs.add(0, 0.9, settings={"loss": loss}, tags={"variant": variant})
    assert [group.label for group in grouped()] == ["buggy", "fixed"]
    for init in ("zeros", "he"):
        fake_runs.add(
            1,
            0.9,
            settings={"init": init},
            tags={"variant": "same"} | trial("s", 0, "init loss seed"),
        )
    assert {group.label for group in grouped()} == {
        "zeros, self_entropy",
        "zeros, cross_entropy",
        "he, cross_entropy",
    }


def test_a_name_that_was_cut_says_less_than_what_the_study_varies(fake_runs: FakeRuns) -> None:
    """Program names of more than 60 letters end in six digits in place of their last settings."""
    for number, loss in enumerate(("self_entropy", "cross_entropy")):
        tags = {"variant": f"softmax-adam-{loss}-3d15a{number}"} | trial("s", number, "loss seed")
        fake_runs.add(number, 0.9, settings={"loss": loss}, tags=tags)
    assert [group.label for group in grouped()] == ["self_entropy", "cross_entropy"]


VALUES = st.sampled_from(
    [*("0.123411", "0.123414", "0.1234", "None", "null", "a", "a (line 7)", "a (1)"), "x" * 90]
)
IDS = st.sampled_from(
    [*("line 7", "line 1230", "line 1235", "0123456789a", "0123456789b"), "row x", "row x) (row x"]
)


@given(
    st.lists(st.tuples(VALUES, VALUES, IDS), min_size=1, max_size=8, unique_by=lambda row: row[2]),
    st.lists(st.sampled_from(["variant", "lr"]), unique=True),
)
def test_labels_are_all_different(rows: list[tuple[str, str, str]], keys: list[str]) -> None:
    settings = [{"variant": variant, "lr": rate} for variant, rate, _ in rows]
    runs = made({key: [one[key] for one in settings] for key in ("variant", "lr")})
    runs.info.index = pd.Index([run_id for _, _, run_id in rows])
    members = [np.array([i]) for i in range(len(rows))]
    given_labels = labels.group_labels(runs, members, settings, keys)
    assert len(set(given_labels)) == len(rows), given_labels


def test_values_that_four_digits_do_not_tell_apart_are_shown_whole(tmp_path: Path) -> None:
    """One label for two groups gave one of them the verdict of the other."""
    rates = {0.5: (0, 0, 0), 0.123411: (0, 2e-4, -2e-4), 0.123414: (3e-3, 3.2e-3, 2.8e-3)}
    table = pd.DataFrame(
        [
            {"lr": rate, "seed": seed, "accuracy": 0.9 + seed / 1000 + more}
            for rate, added in rates.items()
            for seed, more in enumerate(added)
        ],
        index=[f"run_{i}" for i in range(9)],
    )
    asked = {"metric": "accuracy", "group_by": "lr"}
    compared = compare_runs(table, **asked, baseline="lr=0.5", margin=0.002)
    assert compared.verdicts == {"lr=0.123414": "better", "lr=0.123411": "equivalent"}
    page = compared.save(tmp_path / "page.html").read_text()
    assert ">0.1234<" not in page
    with pytest.raises(UserError, match=r"lr is 0\.123411, 0\.123414, 0\.5$"):
        compare_runs(table, **asked, baseline="lr=0.1")


def test_a_baseline_is_found_by_the_value_that_its_label_shows() -> None:
    rates, rows = (0.5, 0.123411), []
    for rate in rates:
        rows += [(rate, seed, 0.9 + seed / 1000) for seed in range(3)]
    table = pd.DataFrame(rows, columns=["lr", "seed", "accuracy"])
    for typed in ("lr=0.1234", "lr=0.123411", "lr=1.23411e-1"):
        compared = compare_runs(table, metric="accuracy", group_by="lr", baseline=typed)
        assert set(compared.verdicts) == {"lr=0.5"}


def test_rows_of_a_table_name_groups_by_all_of_what_they_are_called() -> None:
    runs, settings = made({"lr": ["x" * 90 + "1", "x" * 90 + "2"]}), [{"lr": "x" * 90}] * 2
    runs.info.index = pd.Index(["line 1230", "line 1235"])
    found = labels.group_labels(runs, [np.array([0]), np.array([1])], settings, ["lr"])
    assert [label[-11:] for label in found] == ["(line 1230)", "(line 1235)"]


def test_the_baseline(fake_runs: FakeRuns) -> None:
    for seed in range(3):
        fake_runs.add(seed, 0.9, settings={"model": "mlp", "model.hidden_units": "[64, 32]"})
    for seed in range(2):
        fake_runs.add(seed, 0.8, settings={"optimizer.learning_rate": "0.001"})
    fake_runs.add(0, 0.8)
    fake_runs.add(0, 0.8, settings={"model": "cnn"}, status="FAILED")
    runs, all_groups = read(), grouped()

    def find(wanted: str | None) -> int:
        return find_baseline(runs, all_groups, wanted)

    assert find(None) == 0
    assert find("learning_rate=1e-3,model=softmax") == find("optimizer.learning_rate=0.0010") == 1
    assert find("model.hidden_units=[64,32],model=mlp") == 0
    for wanted, message in [
        ("model=softmax", "--baseline model=softmax: 2 groups have that; expected one"),
        ("model=resnet", "--baseline model=resnet: no group has that\nmodel is cnn, mlp, softmax"),
        (
            "modle=mlp",
            "--baseline modle: the runs have no such setting or tag; did you mean model?",
        ),
        ("mlp", "--baseline mlp: expected KEY=VALUE,..., found mlp"),
        (
            "model=cnn",
            "--baseline model=cnn: none of that group's runs is finished with the metric",
        ),
    ]:
        with pytest.raises(UserError) as raised:
            find(wanted)
        assert str(raised.value).startswith(message)


def test_a_baseline_that_is_the_beginning_of_a_variant(fake_runs: FakeRuns) -> None:
    for name in ("blog_cnn3x3-1epoch", "mlp-adam"):
        fake_runs.add(0, 0.9, settings={"variant": name}, tags={"variant": name})
    listed = "variant is blog_cnn3x3-1epoch, mlp-adam (what stands before a - is enough)"
    for typed, answer in (
        ("blog", "expected KEY=VALUE,..., found blog; did you mean variant=blog_cnn3x3?"),
        ("variant=blog", "no group has that; did you mean variant=blog_cnn3x3?"),
        ("variant=lenet", "no group has that"),
    ):
        with pytest.raises(UserError) as raised:
            find_baseline(read(), grouped(), typed)
        assert str(raised.value) == f"--baseline {typed}: {answer}\n{listed}"
    assert find_baseline(read(), grouped(), "variant=blog_cnn3x3") == 0


def test_a_setting_that_only_some_models_have(fake_runs: FakeRuns) -> None:
    fake_runs.add(0, 0.9)
    fake_runs.add(0, 0.9, settings={"model": "cnn", "model.kernel_size": "3"})
    assert [dict(group.settings) for group in grouped()] == [
        {"model": "softmax", "model.kernel_size": columns.ABSENT},
        {"model": "cnn", "model.kernel_size": "3"},
    ]
    assert groups.varied_settings(grouped()) == ["model", "model.kernel_size"]


def test_runs_that_recorded_no_variant_are_grouped_by_the_one_they_have(
    fake_runs: FakeRuns,
) -> None:
    """Older runs of no preset have the param `variant` None; their tag has the true variant."""
    for seed in (0, 1):
        for variant, param in (
            ("softmax-adam", "None"),
            ("mlp-adam", "None"),
            ("blog_cnn3x3", "blog_cnn3x3"),
        ):
            settings = {"variant": param, "model": variant, "run_name": "None"}
            fake_runs.add(seed, 0.9, settings=settings, tags={"variant": variant})
    fake_runs.add(0, 0.9, settings={"variant": "None", "model": "foreign"})
    by_variant = grouped(["variant"])
    assert [group.label for group in by_variant] == [
        "softmax-adam",
        "mlp-adam",
        "blog_cnn3x3",
        columns.ABSENT,
    ]
    assert [group.n for group in by_variant] == [2, 2, 2, 1]
    for name in ("softmax-adam", "blog_cnn3x3"):
        assert by_variant[find_baseline(read(), by_variant, f"variant={name}")].label == name
    assert "None" not in {group.label for group in grouped(["run_name"])}
