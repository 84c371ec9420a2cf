"""Tables as runs: which column is what, and what is refused."""

from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mnist_exp.compare.frames import to_runs
from mnist_exp.compare.results import ComparedRuns, compare_runs
from mnist_exp.errors import UserError

TABLE = pd.DataFrame(
    [
        {"model": model, "seed": seed, "acc": mean + seed**2 / 1000}
        for model, mean in (("a", 0.9), ("b", 0.8))
        for seed in range(4)
    ]
)
EXPECTED = {"model=b": "worse"}


def with_columns(**columns: object) -> pd.DataFrame:
    return TABLE.assign(**columns)


@pytest.mark.parametrize(
    "table",
    [
        TABLE,
        TABLE.convert_dtypes(),
        TABLE.convert_dtypes(dtype_backend="pyarrow"),
        TABLE.astype({"model": "category", "acc": object}),
        TABLE.astype(str),
        TABLE.set_index("model"),
        TABLE.set_index(["model", "seed"]),
        TABLE.set_axis([0] * 8),
        with_columns(layers=[[64, 32]] * 8, options=[{"a": 1}] * 8),
        with_columns(day=pd.date_range("2026-03-01", periods=8), acc_loss=np.linspace(0.1, 0.2, 8)),
        with_columns(State=["Finished"] * 8, Name=[f"owl-{i}" for i in range(8)]),
        with_columns(acc=[str(value) for value in TABLE["acc"]], State="COMPLETE"),
        with_columns(acc=[f"{100 * value:.1f} %" for value in TABLE["acc"]], drop="50%"),
    ],
)
def test_tables_of_many_kinds(table: pd.DataFrame) -> None:
    before = table.copy()
    compared = compare_runs(table, metric="acc")
    assert compared.verdicts == EXPECTED
    assert compared.table["n"].tolist() == [4, 4]
    pd.testing.assert_frame_equal(table, before)


def test_columns_named_like_settings_here_that_decide_nothing() -> None:
    """In another program they may decide everything."""
    compared = compare_runs(TABLE.rename(columns={"model": "objective"}), metric="acc")
    assert compared.verdicts == {"objective=b": "worse"}
    assert compared.table["n"].tolist() == [4, 4]


def test_a_table_of_optunas_trials() -> None:
    trials = TABLE.rename(columns={"model": "params_model", "seed": "params_seed", "acc": "value"})
    trials = trials.assign(number=range(8), datetime_start=pd.Timestamp("2026-03-01"))
    compared = compare_runs(trials.assign(state="COMPLETE"), direction="maximize")
    assert compared.verdicts == EXPECTED


def test_rows_that_do_not_count_are_listed() -> None:
    table = with_columns(
        acc=[*TABLE["acc"][:5], np.nan, np.inf, 1e308],
        State=["finished", "crashed", *["finished"] * 6],
    )
    more = pd.DataFrame([{"model": "a", "seed": 3, "acc": 0.95, "State": "finished"}])
    compared = compare_runs(pd.concat([table, more], ignore_index=True), metric="acc")
    assert compared.table.set_index("group")["n"].to_dict() == {"model=a": 3, "model=b": 1}
    lines = compared.runs.set_index("run_id")
    assert lines["status"].to_dict() == {
        "row 0": "counted",
        "row 1": "crashed",
        "row 2": "counted",
        "row 3": "repeated by a later run",
        "row 4": "counted",
        **dict.fromkeys(("row 5", "row 6", "row 7"), "no finite acc"),
        "row 8": "counted",
    }
    assert lines.loc[lines["counted"], "value"].tolist() == [0.9, 0.904, 0.95, 0.8]
    assert "5 runs not counted: 3 no finite acc, 1 crashed, 1 repeated by a later run" in str(
        compared.notes
    )


def test_numbers_with_missing_ones_are_written_as_numbers() -> None:
    table = with_columns(depth=[2.0, 2.0, np.nan, 2.0, 2.0, 2.0, 2.0, 2.0])
    runs, _ = to_runs(table, "acc", "table")
    assert runs.params["depth"].dropna().unique().tolist() == ["2"]
    assert runs.params["seed"].tolist() == ["0", "1", "2", "3"] * 2


@pytest.mark.parametrize(
    ("table", "options", "message"),
    [
        (TABLE, {"metric": "accc"}, "--metric accc: no selected run has it; did you mean acc?"),
        (TABLE, {"seed": "sed"}, "--seed sed: the runs have no such setting or tag; did you mean"),
        (TABLE, {"group_by": "modle"}, "--group-by modle: the runs have no such setting or tag;"),
        (TABLE, {"baseline": "model=c"}, "--baseline model=c: no group has that"),
        (TABLE, {"metrics": "acc"}, "compare_runs(metrics=...): no such option; did you mean metr"),
        (TABLE, {"experiment": "x"}, "compare_runs: expected a table, or options that select runs"),
        (TABLE, {"direction": "up"}, "direction='up': expected 'maximize' or 'minimize'"),
        (TABLE, {"metric": "model"}, "table: expected numbers in the column model, found 'a' (row"),
        (TABLE[:0], {}, "table: has no rows"),
        (pd.DataFrame(), {}, "table: has no columns"),
        (TABLE[["model", "seed"]], {}, "table: no column holds numbers\nColumns: model, seed"),
        (
            with_columns(acc=[*["0.5"] * 7, "bad"]),
            {},
            "table: expected numbers in the column acc, ",
        ),
        (
            with_columns(acc="0.9 \u00b1 0.1", lr=[0.1, 0.2] * 4),  # a rate is no result
            {},
            "table: expected numbers in the column acc, found '0.9 \u00b1 0.1' (row 0 and 7 more)",
        ),
        (with_columns(acc=np.nan), {"metric": "acc"}, "no run selected by table counts: 8 no fini"),
        (TABLE.set_axis(["a", "b", "a"], axis=1), {}, "table: two columns are named a"),
        (TABLE.rename(columns={"acc": "owl - acc__MIN"}), {}, "table: the export of a chart; exp"),
        (
            pd.DataFrame({"model": [f"m{i}" for i in range(1_500)], "seed": 0, "acc": 0.5}),
            {"metric": "acc"},
            "1,500 groups: expected at most 1,000, as the runs differ in model\n--group-by NAME",
        ),
        (None, {}, "compare_runs: nothing to compare; give a table, study=, experiment=, filter="),
        (TABLE["acc"], {}, "compare_runs: expected a pandas DataFrame, a file or ids of runs"),
        ("gone.csv", {}, "--table gone.csv: no such file"),
        (object(), {}, "compare_runs: expected a pandas DataFrame, a file or ids of runs"),
        (TABLE, {"metric": ["acc"]}, "compare_runs(metric=...): expected a text, found ['acc']"),
        (TABLE, {"group_by": 3}, "compare_runs(group_by=...): expected a text, found 3"),
        (TABLE, {"baseline": 3}, "compare_runs(baseline=...): expected a text, found 3"),
    ],
)
def test_what_cannot_be_compared_is_told_in_two_lines(
    table: object, options: Mapping[str, Any], message: str
) -> None:
    with pytest.raises(UserError) as told:
        compare_runs(table, **options)
    assert str(told.value).startswith(message)
    assert len(str(told.value).splitlines()) <= 2


def test_what_a_notebook_shows_is_text_and_not_markup() -> None:
    compared = compare_runs(TABLE.replace("a", "<script>alert(1)</script>"), metric="acc")
    html = compared._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert f"<b>{compared.summary.replace('<', '&lt;').replace('>', '&gt;')}</b>" in html
    assert compared.summary in repr(compared)
    assert isinstance(compared, ComparedRuns)


def test_the_page_and_the_table_are_saved(tmp_path: Path) -> None:
    compared = compare_runs(TABLE)
    page = compared.save(f"{tmp_path}/results.html")
    assert page.read_text().startswith("<!doctype html>")
    table = pd.read_csv(compared.save(f"{tmp_path}/results.csv"))
    assert table["value"].tolist() == TABLE["acc"].tolist()
    with pytest.raises(UserError, match=r"save \.: cannot write it \(Is a directory\)"):
        compared.save("")
    with pytest.raises(UserError, match="save /nowhere/x.html: cannot write it"):
        compared.save("/nowhere/x.html")


def test_a_table_made_of_tables_of_runs_is_a_table_where_their_ids_are_lost() -> None:
    table = TABLE.copy()
    table.attrs["mnist_exp.uri"] = "sqlite:///nowhere.db"  # as pandas.concat keeps it
    assert compare_runs(table, metric="acc").verdicts == EXPECTED


def newest_first(**columns: object) -> pd.DataFrame:
    """Runs of two models, of which b was run again: the later ones stand first."""
    rows = [
        {"model": model, "seed": seed, "acc": value + seed / 1000}
        for model, value in (("b", 0.9), ("b", 0.5), ("a", 0.8))
        for seed in (2, 1, 0)
    ]
    return pd.DataFrame(rows).assign(**columns)


@pytest.mark.parametrize("name", ["start_time", "Created", "datetime_start", "_timestamp"])
def test_the_later_of_repeated_runs_counts_whatever_the_order_of_the_rows(name: str) -> None:
    began: list[object] = list(range(1_800_000_000, 1_799_999_991, -1))
    if name != "_timestamp":
        began = [pd.Timestamp(value, unit="s").isoformat() for value in began]
    compared = compare_runs(newest_first(**{name: began}), baseline="model=a")
    assert compared.verdicts == {"model=b": "better"}
    assert "3 runs not counted: 3 repeated by a later run" in str(compared.notes)


@pytest.mark.parametrize("grouped", [{}, {"group_by": "model"}])
def test_another_seed_beside_a_column_seed_loses_no_run(grouped: dict[str, str]) -> None:
    rows = product("ab", range(3), range(3))
    table = pd.DataFrame(rows, columns=["model", "seed", "init"])
    table["acc"] = 0.8 + (table["model"] == "b") / 10 + table["seed"] / 100 + table["init"] / 1000
    compared = compare_runs(table, seed="init", **grouped)
    assert compared.runs["counted"].all()


def test_states_that_nobody_here_knows_do_not_count() -> None:
    states = ["finished"] * 6 + ["timeout", "node_fail"]
    compared = compare_runs(with_columns(State=states), metric="acc")
    assert set(compared.table["group"]) == {"model=a", "model=b"}
    assert "2 runs not counted: 1 timeout, 1 node_fail" in str(compared.notes)
    ray = compare_runs(with_columns(status=["TERMINATED"] * 8), metric="acc")
    assert ray.runs["counted"].all()


def test_a_column_of_states_of_a_country_is_a_setting() -> None:
    runs, _ = to_runs(with_columns(state=["CA", "NY"] * 4), "acc", "table")
    assert "state" in runs.params


def test_small_percents_are_no_shares() -> None:
    compared = compare_runs(with_columns(acc=["0.1%", "0.9%", "0.2%", "0.8%"] * 2))
    assert "of 1,000" not in str(compared.notes)
    assert compared.table["ci_high"].max() > 1  # the interval of a share ends there


def test_of_ray_tunes_table_only_the_config_has_settings() -> None:
    table = TABLE.rename(columns={"model": "config/model", "seed": "config/seed"})
    table = table.assign(
        hostname=["n1", "n2", "n2", "n1"] * 2, pid=range(8), trial_id=list("abcdefgh")
    )
    assert compare_runs(table, metric="acc").verdicts == EXPECTED
    assert compare_runs(table, metric="acc", group_by="config/model").verdicts == EXPECTED


def test_a_seed_among_optunas_user_attributes() -> None:
    names = {"model": "params_model", "seed": "user_attrs_seed", "acc": "value"}
    table = TABLE.rename(columns=names).assign(number=range(8))
    compared = compare_runs(table, direction="maximize")
    assert compared.verdicts == EXPECTED
    assert "The seed of a run is its user_attrs_seed." in compared.notes


@pytest.mark.parametrize("name", ["train_seed", "initSeed", "flag:seed"])
def test_other_names_of_a_seed(name: str) -> None:
    assert compare_runs(TABLE.rename(columns={"seed": name})).verdicts == EXPECTED


def test_what_a_setting_lacks_has_its_name_and_can_be_the_baseline() -> None:
    table = TABLE.assign(model=[None] * 4 + ["b"] * 4)
    assert set(compare_runs(table, baseline="model=NA").table["group"]) == {
        "model=\u2013",
        "model=b",
    }


def test_rows_of_one_model_each_are_no_single_group() -> None:
    table = pd.DataFrame({"model": list("abc"), "data": ["d"] * 3, "acc": [0.5, 0.6, 0.7]})
    assert len(compare_runs(table).table) == 3


@pytest.mark.parametrize(("name", "is_told"), [("epoch", True), ("depth", False)])
def test_rows_that_are_points_of_curves_are_told(name: str, is_told: bool) -> None:
    table = pd.DataFrame(product("ab", range(3), range(5)), columns=["model", "seed", name])
    table["acc"] = 0.5 + table[name] / 10 + table["seed"] / 100
    assert (
        "look like learning curves, in which epoch goes up" in str(compare_runs(table).notes)
    ) == is_told


def test_an_index_without_a_name_is_no_metric() -> None:
    table = TABLE.assign(acc=TABLE["acc"].astype(str) + " x")
    table.insert(0, "", range(8))
    with pytest.raises(UserError, match="expected numbers in the column acc, found"):
        compare_runs(table)


@pytest.mark.parametrize("prefix", ["config/", "config."])
def test_a_setting_that_is_called_like_the_metric(prefix: str) -> None:
    table = TABLE.rename(columns={"model": f"{prefix}acc", "seed": f"{prefix}seed"})
    table = table.assign(trial_id=[*"abcdefgh"], **{"summary.x": "y"})
    assert set(compare_runs(table, metric="acc").table["group"]) == {"acc=a", "acc=b"}


def test_one_column_that_begins_so_takes_no_setting_away() -> None:
    table = with_columns(**{"config.dropout": [0.1, 0.5] * 4})
    assert len(compare_runs(table, metric="acc").table) == 4


@pytest.mark.parametrize(
    ("name", "words", "is_setting"),
    [
        ("status", ["ok", "failed"], False),
        ("status", ["completed", "early_stopped"], False),
        ("state", ["stopped", "moving"], True),
    ],
)
def test_words_of_a_state(name: str, words: list[str], is_setting: bool) -> None:
    runs, _ = to_runs(with_columns(**{name: words * 4}), "acc", "table")
    assert (name in runs.params) == is_setting


def test_the_seeds_of_one_model_are_one_group_though_another_column_differs() -> None:
    table = pd.DataFrame({"data": ["d"] * 5, "seed": range(5), "best_epoch": [0, 3, 1, 4, 2]})
    table["acc"] = [0.5, 0.51, 0.52, 0.5, 0.53]
    assert compare_runs(table, metric="acc").table["n"].tolist() == [5]


@pytest.mark.parametrize("began", ["13/03/2024", "13.03.2024"])
def test_dates_that_nobody_can_order_keep_the_order_of_the_rows(began: str) -> None:
    later = [began] * 4 + [f"03{began[2]}04{began[5]}2024"] * 4
    runs, _ = to_runs(with_columns(created=later), "acc", "table")
    assert list(runs.info.index) == [f"row {i}" for i in range(8)]


@pytest.mark.parametrize("name", ["num_seed", "use_seed", "n_seed"])
def test_names_that_are_no_seeds(name: str) -> None:
    runs, _ = to_runs(with_columns(**{name: [0, 1] * 4}), "acc", "table")
    assert name in runs.params
    found = compare_runs(with_columns(**{name: [0, 1] * 4}), metric="acc", group_by=f"model,{name}")
    assert len(found.table) == 4


@pytest.mark.parametrize("epochs", [[5, 10, 20], [12, 15, 19]])
def test_a_grid_of_epochs_is_no_curve(epochs: list[int]) -> None:
    table = pd.DataFrame(product("ab", range(3), epochs), columns=["model", "seed", "epoch"])
    table["acc"] = 0.5 + table["epoch"] / 100
    assert "learning curves" not in str(compare_runs(table, metric="acc").notes)


def test_curves_that_a_truth_value_tells_apart_are_told() -> None:
    table = pd.DataFrame(product([True, False], range(6)), columns=["aug", "epoch"])
    table["acc"] = 0.5 + table["epoch"] / 100 + table["aug"] / 10
    assert "learning curves" in str(compare_runs(table, metric="acc").notes)
