"""What differs between a run and its rerun, on runs that are made by hand."""

from dataclasses import replace
from typing import Any

import pytest

from mnist_exp.rerun.comparison import code_differences, compare, environment_differences
from mnist_exp.tracking.record import TrackedRun
from mnist_exp.tracking.status import RunStatus


def recorded(**changes: Any) -> TrackedRun:
    """A finished run of two epochs."""
    finished = TrackedRun(
        run_id="a",
        name="run",
        status=RunStatus.FINISHED,
        started="2026-01-01 00:00",
        params={"model": "softmax", "seed": "0"},
        tags={"git.commit": "c" * 40},
        metrics={"train/cost": {1: "0.5", 2: "0.25"}, "val/accuracy": {1: "0.5", 2: "0.5"}},
        files={
            "env/packages.txt": b"numpy==2.0\nkeras==3.1\n",
            "env/hardware.json": b'{"cores": 2}',
        },
    )
    return replace(finished, **changes)


@pytest.mark.parametrize(
    ("metrics", "verdict"),
    [
        ({"train/cost": {1: "0.5"}}, "train/cost differs from epoch 2 on: 0.25 against nothing"),
        ({"val/accuracy": {}}, "val/accuracy only in the first run"),
        ({"x": {1: "1.0"}}, "x only in the rerun"),
        (
            {"train/cost": {1: "0.5", 2: "nan"}},
            "train/cost differs from epoch 2 on: 0.25 against nan",
        ),
        (
            {"train/batch_accuracy": {0: "0.1"}, "val/accuracy": {}},
            "val/accuracy only in the first run; 1 other metric differs, too",
        ),
        (
            {"train/batch_accuracy": {0: "0.1"}, "val/accuracy": {}, "x": {1: "1.0"}},
            "val/accuracy only in the first run; 2 other metrics differ, too",
        ),
    ],
)
def test_what_is_not_identical(metrics: dict[str, Any], verdict: str) -> None:
    first = recorded()
    comparison = compare(first, recorded(run_id="b", metrics={**first.metrics, **metrics}))
    assert not comparison.identical
    assert comparison.verdict() == f"not identical: {verdict}"


def test_a_batch_accuracy_differs_from_a_step_on_not_from_an_epoch_on() -> None:
    first = recorded(metrics={"train/batch_accuracy": {0: "0.1", 100: "0.5"}})
    second = recorded(metrics={"train/batch_accuracy": {0: "0.1", 100: "0.6"}})
    assert compare(first, second).verdict() == (
        "not identical: train/batch_accuracy differs from step 100 on: 0.5 against 0.6"
    )


def test_what_a_person_looks_for_comes_first() -> None:
    names = [
        "trouble/preflight_errors",
        "train/step_cost",
        "val/best_epoch",
        "train/cost",
        "test/accuracy",
    ]
    run = recorded(metrics={name: {1: "0.5"} for name in [*names, "val/accuracy"]})
    assert [pair.name for pair in compare(run, run).pairs][:3] == [
        "test/accuracy",
        "train/cost",
        "val/accuracy",
    ]
    assert compare(run, run).pairs[-1].name == "trouble/preflight_errors"


CURVE = {"train/step_cost": {10: "0.5", 20: "0.25"}, "train/step_accuracy": {10: "0.8", 20: "0.9"}}


def test_a_step_curve_differs_from_a_step_on() -> None:
    first = recorded(metrics=CURVE)
    second = recorded(metrics={**CURVE, "train/step_cost": {10: "0.5", 20: "0.3"}})
    assert compare(first, second).verdict() == (
        "not identical: train/step_cost differs from step 20 on: 0.25 against 0.3"
    )


@pytest.mark.parametrize("key", ["schedule.epochs", "schedule.max_steps"])
def test_the_step_curve_of_a_run_that_was_made_longer_is_not_compared(key: str) -> None:
    """It has the points of both lengths."""
    first = recorded()
    tags = {**first.tags, key: "2"}
    longer = recorded(tags=tags, metrics={**first.metrics, "train/step_cost": {5: "0.7"}})
    assert compare(longer, recorded(metrics={**first.metrics, **CURVE})).verdict() == (
        "identical: 2 metrics, 4 values, equal to the last digit"
    )


def test_a_run_of_a_version_without_step_curves_is_identical_to_its_rerun() -> None:
    first = recorded()
    assert compare(first, recorded(metrics={**first.metrics, **CURVE})).identical


def test_preflights_numbers_that_an_earlier_version_logged_as_metrics_do_not_count() -> None:
    first = recorded()
    numbers = {"preflight/loss.alignment": {0: "0.9"}}
    assert compare(recorded(metrics={**first.metrics, **numbers}), first).verdict() == (
        "identical: 2 metrics, 4 values, equal to the last digit"
    )
    found = {"trouble/preflight_errors": {0: "1.0"}}
    assert not compare(recorded(metrics={**first.metrics, **found}), first).identical


def test_one_metric_with_one_value() -> None:
    run = recorded(metrics={"test/cost": {1: "0.5"}})
    assert compare(run, run).verdict() == "identical: 1 metric, 1 value, equal to the last digit"


def test_what_a_clock_measured_does_not_count() -> None:
    first = recorded()
    timed = {"time/epoch_seconds": {1: "3.0"}, "system/cpu": {0: "1.0"}}
    assert compare(first, recorded(metrics={**first.metrics, **timed})).identical


def test_runs_without_metrics_are_not_identical() -> None:
    assert not compare(recorded(metrics={}), recorded(metrics={})).identical


def test_a_first_run_without_a_whole_epoch() -> None:
    comparison = compare(recorded(status="KILLED", metrics={}), recorded())
    assert not comparison.identical
    assert comparison.verdict() == (
        "not identical: nothing to compare, the first run is KILLED without a whole epoch"
    )


def test_a_rerun_that_did_not_finish_is_not_identical() -> None:
    comparison = compare(recorded(), recorded(status="FAILED"))
    assert comparison.verdict() == "not identical: the rerun ended FAILED"
    assert not comparison.identical


def test_environment_differences() -> None:
    first = recorded()
    files = {
        "env/packages.txt": b"numpy==2.1\nrich==14\n",
        "env/hardware.json": b'{"cores": 4, "new": null}',
    }
    assert environment_differences(first, first) == []
    assert environment_differences(first, recorded(files=files)) == [
        "keras: 3.1 -> not installed",
        "numpy: 2.0 -> 2.1",
        "rich: not installed -> 14",
        "cores: 2 -> 4",
    ]
    assert environment_differences(first, recorded(files={})) == [
        "env/packages.txt: not recorded in the rerun",
        "env/hardware.json: not recorded in the rerun",
    ]


def test_a_variable_that_was_set_and_a_damaged_record_are_differences() -> None:
    packages = {"env/packages.txt": b""}
    first = recorded(files={**packages, "env/hardware.json": b'{"KMP_AFFINITY": null}'})
    second = recorded(files={**packages, "env/hardware.json": b'{"KMP_AFFINITY": "none"}'})
    assert environment_differences(first, second) == ["KMP_AFFINITY: unset -> none"]
    damaged = recorded(files={**packages, "env/hardware.json": b"{"})
    assert "env/hardware.json: not recorded -> damaged" in environment_differences(first, damaged)


def test_code_differences() -> None:
    first = recorded()
    assert code_differences(first, first) == []
    diff = b"diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\n+b\n"
    changed = {"env/git.diff": diff, "env/git_left_out.txt": b"big: too large\n"}
    several = recorded(tags={**first.tags, "code_digest": "a+b"})
    (line,) = code_differences(several, first)
    assert line.startswith("the first run was continued with other code, or other versions of")
    second = recorded(tags={"git.commit": "d" * 40})
    assert code_differences(recorded(files={**first.files, **changed}), second) == [
        "commit cccccccccccc -> dddddddddddd",
        "uncommitted changes: x.py -> none (env/git.diff of both runs)",
        "changed files that are not recorded (env/git_left_out.txt of both runs)",
    ]


def test_at_most_five_changed_files_are_named() -> None:
    diff = b"".join(b"diff --git a/%d.py b/%d.py\n" % (number, number) for number in range(7))
    (line,) = code_differences(recorded(), recorded(files={"env/git.diff": diff}))
    assert line.startswith("uncommitted changes: none -> 0.py, 1.py, 2.py, 3.py, 4.py and 2 more (")
