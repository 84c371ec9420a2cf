"""Runs that other programs made, compared; each number again with scipy alone."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from mnist_exp.compare import table
from mnist_exp.compare.comparison import Comparison, compare, compare_table
from mnist_exp.compare.question import Question
from mnist_exp.compare.table_files import read_table
from mnist_exp.tracking.runs import Selection, Store
from tests.support import foreign

ACCURACY = Question(metric="val_acc")


def of_experiment(question: Question = ACCURACY) -> Comparison:
    return compare(Store(), Selection(experiment="theirs"), question)


def nested(folder: Path) -> Comparison:
    foreign.Foreign(folder).nested("theirs")
    return of_experiment()


def lightning(folder: Path) -> Comparison:
    foreign.Foreign(folder).lightning("theirs")
    return of_experiment()


def hydraflow(folder: Path) -> Comparison:
    foreign.hydraflow(folder, "theirs")
    return of_experiment()


def csv_file(folder: Path) -> Comparison:
    foreign.table(folder / "results.csv")
    return compare_table(read_table(folder / "results.csv"), "results.csv", ACCURACY)


def german_file(folder: Path) -> Comparison:
    foreign.table(folder / "Ergebnisse.csv", ";", ",", "cp1252")
    return compare_table(read_table(folder / "Ergebnisse.csv"), "Ergebnisse.csv", ACCURACY)


def parquet_file(folder: Path) -> Comparison:
    foreign.table(folder / "results.csv")
    pd.read_csv(folder / "results.csv").to_parquet(folder / "results.parquet")
    return compare_table(read_table(folder / "results.parquet"), "results.parquet", ACCURACY)


def data_frame(folder: Path) -> Comparison:
    rows = foreign.results()
    return compare_table(
        pd.DataFrame(rows, columns=["model", "lr", "seed", "val_acc"]), "table", ACCURACY
    )


def search_runs(folder: Path) -> Comparison:
    import mlflow

    foreign.Foreign(folder).nested("theirs")
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    frame = mlflow.search_runs(
        experiment_names=["theirs"], filter_string="params.random_state != ''"
    )
    mlflow.set_tracking_uri(None)  # type: ignore[arg-type]
    models = {run: (model, lr) for run, model, lr in parents(folder)}
    frame["params.model"] = [models[parent][0] for parent in frame["tags.mlflow.parentRunId"]]
    frame["params.lr"] = [models[parent][1] for parent in frame["tags.mlflow.parentRunId"]]
    return compare_table(frame, "table", ACCURACY)


def parents(folder: Path) -> list[tuple[str, str, str]]:
    client = foreign.Foreign(folder).client
    (experiment,) = [e for e in client.search_experiments() if e.name == "theirs"]
    found = client.search_runs([experiment.experiment_id], "params.model != ''")
    return [(run.info.run_id, run.data.params["model"], run.data.params["lr"]) for run in found]


WAYS = [nested, lightning, hydraflow, csv_file, german_file, parquet_file, data_frame, search_runs]


@pytest.mark.first_cases(2)
@pytest.mark.parametrize("way", WAYS)
def test_paired_by_the_seed_that_was_found(
    way: Callable[[Path], Comparison], workdir: Path
) -> None:
    """Every number of every group, from the values that were written down beforehand."""
    comparison = way(workdir)
    written: dict[tuple[str, float], dict[int, float]] = {}
    for model, rate, seed, value in foreign.results():
        written.setdefault((model, rate), {})[seed] = value
    rows = {key_of(row.group.settings): row for row in comparison.rows}
    assert set(rows) == set(written)
    assert not comparison.empty
    base = written[key_of(comparison.baseline.group.settings)]
    lines = table.to_csv(comparison)
    for key, values in written.items():
        row = rows[key]
        x = np.array(list(values.values()))
        assert row.group.values == {str(seed): value for seed, value in values.items()}
        assert row.description.mean == pytest.approx(x.mean())
        rng = np.random.default_rng(0)
        ends = stats.bootstrap((x,), np.mean, method="BCa", rng=rng).confidence_interval
        interval = row.description.interval
        student = special.expit(stats.ttest_1samp(special.logit(x), 0).confidence_interval())
        both = min(ends.low, student[0]), max(ends.high, student[1])
        assert (interval.low, interval.high) == pytest.approx(both)
        is_of_group = lines["group"] == row.group.label + comparison.ending
        assert sorted(lines[is_of_group & lines["counted"]]["value"]) == sorted(x)
        if row.difference is not None:
            d = np.array([values[seed] - base[seed] for seed in values])
            assert row.difference.mean == pytest.approx(d.mean())
            exact = stats.permutation_test(
                (d,), np.mean, permutation_type="samples", n_resamples=np.inf
            )
            assert row.difference.p == pytest.approx(exact.pvalue)
            rng = np.random.default_rng(0)
            ends = stats.bootstrap((d,), np.mean, method="BCa", rng=rng).confidence_interval
            student = stats.ttest_1samp(d, 0).confidence_interval()
            both = min(ends.low, student.low), max(ends.high, student.high)
            shown = row.difference.interval
            assert (shown.low, shown.high) == pytest.approx(both)


def key_of(settings: "object") -> tuple[str, float]:
    """The model and the learning rate, whatever a way of logging calls them."""
    assert isinstance(settings, dict)
    (model,) = [text for text in settings.values() if text in foreign.ACCURACY]
    (rate,) = [float(text) for name, text in settings.items() if name.endswith("lr")]
    return model, rate


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("logged", "note"),
    [
        ({}, "No seed was found: "),
        ({"seed": 42}, "seed is the same in all runs, so it is not taken for their seed: "),
        ({"seed": None}, "No seed was found: "),
    ],
)
def test_runs_without_a_seed_are_compared_as_independent_ones(
    workdir: Path, logged: dict[str, object], note: str
) -> None:
    foreign.Foreign(workdir).without_seeds("theirs", **logged)
    comparison = of_experiment(Question(group_by=("model",)))
    assert comparison.metric == "accuracy"  # the only one
    assert comparison.notes[0].startswith(note)
    (row,) = comparison.others
    base = comparison.baseline
    x, y = (np.array(list(each.group.values.values())) for each in (row, base))
    assert len(x) == len(y) == 10
    welch = stats.ttest_ind(x, y, equal_var=False).confidence_interval()
    found = row.compared
    assert (found.interval.low, found.interval.high) == pytest.approx((welch.low, welch.high))
    assert found.mean == pytest.approx(x.mean() - y.mean())
    again = stats.permutation_test(
        (x, y),
        lambda a, b, axis: a.mean(axis=axis) - b.mean(axis=axis),
        permutation_type="independent",
        n_resamples=200_000,  # exact: there are 184,756 ways
    )
    assert found.p == pytest.approx(again.pvalue, abs=2e-4)
    assert (found.verdict, found.test) == ("worse", "permutations")
    assert found.values == ()


def test_a_named_seed_and_groups_of_chosen_settings(workdir: Path) -> None:
    for seed in range(4):
        for model, mean in foreign.ACCURACY.items():
            foreign.Foreign(workdir).log(
                "theirs",
                {"net": model, "fold": seed, "host": f"node{seed}"},
                {"f1": mean + seed / 900, "loss": 1.0 - mean},
                team="vision",
            )
    found = of_experiment(Question(metric="f1", seed="fold", group_by=("net",)))
    assert [row.group.label for row in found.rows] == ["net=cnn", "net=mlp"]
    assert found.others[0].compared.seeds == ("0", "1", "2", "3")
    cost = of_experiment(Question(metric="loss", group_by=("net",)))
    assert [row.group.label for row in cost.rows] == ["net=cnn", "net=mlp"]  # less is better
    assert not cost.others[0].compared.is_paired


def test_children_that_a_filter_selects_without_their_parents(workdir: Path) -> None:
    foreign.Foreign(workdir).nested("theirs")
    selection = Selection(experiment="theirs", filter="params.random_state != ''")
    comparison = compare(Store(), selection, ACCURACY)
    assert {key_of(row.group.settings) for row in comparison.rows} == {
        (model, rate) for model, rate, _, _ in foreign.results()
    }
    assert [row.description.n for row in comparison.rows] == [5] * 4


def test_grandparents_that_a_filter_leaves_out_and_a_parent_that_was_deleted(workdir: Path) -> None:
    """Three levels: the data, the learning rate, the seed."""
    writer = foreign.Foreign(workdir)
    for data, step in (("letters", 0.0), ("digits", 0.1)):
        top = writer.log("theirs", {"data": data})
        for rate in (0.1, 0.2):
            middle = writer.log("theirs", {"lr": rate}, None, top)
            for seed in range(3):
                accuracy = 0.5 + step + rate + seed / 1000
                writer.log("theirs", {"random_state": seed}, {"val_acc": accuracy}, middle)
    selection = Selection(experiment="theirs", filter="params.random_state != ''")
    comparison = compare(Store(), selection, ACCURACY)
    groups = [row.group.settings for row in comparison.rows]
    assert sorted((g["data"], g["lr"]) for g in groups) == [
        *(("digits", "0.1"), ("digits", "0.2"), ("letters", "0.1"), ("letters", "0.2"))
    ]
    assert [row.description.n for row in comparison.rows] == [3] * 4
    writer.client.delete_run(middle)
    groups = [row.group.settings for row in compare(Store(), selection, ACCURACY).rows]
    assert {(g["data"], g["lr"]) for g in groups} >= {("letters", "0.1"), ("letters", "0.2")}


def test_a_parent_does_not_count_beside_its_children(workdir: Path) -> None:
    comparison = nested(workdir)
    assert comparison.statuses.value_counts().to_dict() == {
        "counted": 20,
        "parent of other runs": 4,
    }


def test_reading_somebodys_experiment_writes_nothing_into_it(
    workdir: Path, command: Callable[..., tuple[int, str, str]]
) -> None:
    writer = foreign.Foreign(workdir)
    writer.lightning("theirs")
    before = everything(writer)
    code, out, err = command("--experiment", "theirs", "--metric", "val_acc")
    assert (code, err) == (0, "")
    assert "then open http://127.0.0.1:5000/#/experiments/1/runs" in out
    assert everything(writer) == before


def everything(writer: foreign.Foreign) -> list[object]:
    experiments = writer.client.search_experiments()
    runs = writer.client.search_runs([e.experiment_id for e in experiments])
    return [*(dict(e) for e in experiments), *(run.to_dictionary() for run in runs)]


@pytest.mark.parametrize(
    "place", ["s3://bucket/runs", "gs://bucket/runs", "wasbs://a@b.blob.core.windows.net/runs"]
)
def test_artifacts_in_a_cloud_that_cannot_be_asked(
    place: str, workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its library is not installed, or there are no credentials: the values are in the store."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    writer = foreign.Foreign(workdir)
    writer.client.create_experiment("theirs", artifact_location=place)
    for model, mean in foreign.ACCURACY.items():
        for seed in range(3):
            values = {"acc": mean + seed**2 / 1000}
            writer.log("theirs", {"model": model, "seed": seed}, values)
    comparison = of_experiment(Question())
    assert comparison.others[0].compared.verdict == "worse"
    assert comparison.warnings == ()
