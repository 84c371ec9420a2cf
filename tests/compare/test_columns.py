"""Which settings are listed as differences, and in which words."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
import pytest

from benchmarks.fake_runs import FakeRuns
from mnist_exp.compare import columns, groups
from mnist_exp.compare.comparison import compare
from mnist_exp.compare.labels import tidy
from mnist_exp.compare.page import render
from mnist_exp.tracking.runs import Runs, Selection, Store

SOFTMAX = {"model": "softmax", "model.kind": "softmax"}
CNN = {"model": "cnn", "model.kind": "convnet", "model.dense_units": "None"}


def test_settings_of_layers_that_a_model_does_not_have_are_no_differences(
    fake_runs: FakeRuns,
) -> None:
    init = "init.conv_kernel.distribution"
    for name, settings in (
        ("zeros", SOFTMAX | {init: "zeros"}),
        ("he", SOFTMAX | {init: "he_normal"}),
        ("cnn", CNN | {init: "he_normal", "model.conv_bias": "True"}),
        ("bare", CNN | {init: "he_normal", "model.conv_bias": "False"}),
    ):
        fake_runs.add(0, 0.9, settings={"init": name, **settings})
    comparison = compare(Store(), Selection(experiment="mnist_exp"))
    found = [row.group.settings for row in comparison.rows]
    assert {settings[init] for settings in found} == {columns.ABSENT, "he_normal"}
    page = render(comparison, "now")
    listed = page.partition('id="settings-that-differ"')[2].partition("</section>")[0]
    assert "conv_kernel" not in listed
    assert "conv_<wbr>bias" in listed
    assert "true" in listed
    assert "True" not in page
    assert "None" not in page


@pytest.mark.parametrize(
    ("recorded", "shown"),
    [
        ("None", "null"),
        ("True", "true"),
        ("False", "false"),
        ("0.009999999776482582", "0.01"),
        ("1.9999999494757503e-05", "2e-05"),
        ("0.001", "0.001"),
        ("[32, 64]", "[32, 64]"),
        ("None of these", "None of these"),
    ],
)
def test_a_recorded_value_is_shown_as_a_person_writes_it(recorded: str, shown: str) -> None:
    assert tidy(recorded) == shown


def test_labels_of_runs_that_others_made_say_what_their_numbers_are() -> None:
    """As Keras' autologging records them: its second optimizer is called adam_1."""
    params = {
        "learning_rate": ["0.009999999776482582", "0.0010000000474974513"],
        "optimizer": ["adam", "adam_1"],
        "epochs": ["3", "3"],
    }
    runs = runs_of(params)
    assert [group.label for group in grouped(runs)] == ["learning_rate=0.01", "learning_rate=0.001"]
    by_optimizer = grouped(runs, ["optimizer"])
    assert [group.label for group in by_optimizer] == ["optimizer=adam", "optimizer=adam_1"]
    ours = runs_of(params | {"optimizer.kind": ["adam", "adam"]})
    assert [group.label for group in grouped(ours, ["optimizer"])] == ["adam", "adam_1"]


def runs_of(params: dict[str, list[str]]) -> Runs:
    ids = ["a", "b"]
    info = {"name": ids, "status": "finished", "seed": "0", "reason": "", "artifacts": ""}
    return Runs(
        info=pd.DataFrame(info | {"experiment": "1"}, index=ids),
        params=pd.DataFrame(params, index=ids),
        tags=pd.DataFrame(index=ids),
        metrics=pd.DataFrame({"test/accuracy": [0.9, 0.8]}, index=ids),
    )


def grouped(runs: Runs, group_by: Sequence[str] = ()) -> list[groups.Group]:
    statuses = groups.statuses(runs, "test/accuracy")
    return groups.make_groups(runs, statuses, "test/accuracy", group_by)


def test_a_run_from_before_there_was_a_setting_has_its_value(fake_runs: FakeRuns) -> None:
    for seed, settings in ((0, {}), (1, {"precision": "float32"}), (2, {"precision": "bfloat16"})):
        fake_runs.add(seed, 0.9, settings=SOFTMAX | settings)
    selected = columns.with_used_settings(Store().select(Selection(experiment="mnist_exp")))
    assert sorted(selected.params["precision"]) == ["bfloat16", "float32", "float32"]
    foreign = columns.with_used_settings(replace_params(selected))
    assert sorted(foreign.params["precision"].fillna("none")) == ["0.5", "none", "none"]


def replace_params(runs: Runs) -> Runs:
    """Return the runs of another program, one of which has a param of that name."""
    ids = runs.params.index
    return replace(runs, params=pd.DataFrame({"precision": ["0.5", None, None]}, index=ids))
