"""Which settings are listed as differences, and in which words."""

import pytest

from benchmarks.fake_runs import FakeRuns
from mnist_exp.compare import columns
from mnist_exp.compare.comparison import compare
from mnist_exp.compare.labels import tidy
from mnist_exp.compare.page import render
from mnist_exp.tracking.runs import Selection, Store

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
    groups = [row.group.settings for row in comparison.rows]
    assert {settings[init] for settings in groups} == {columns.ABSENT, "he_normal"}
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


def test_labels_of_runs_that_others_made_say_what_their_numbers_are(fake_runs: FakeRuns) -> None:
    for rate, units in (("0.009999999776482582", "16"), ("0.0010000000474974513", "128")):
        fake_runs.add(0, 0.9, settings={"opt_learning_rate": rate, "width": units})
    comparison = compare(Store(), Selection(experiment="mnist_exp"))
    assert {row.group.label for row in comparison.rows} == {
        "opt_learning_rate=0.01",
        "opt_learning_rate=0.001",
    }
