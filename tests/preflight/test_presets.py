"""Preflight on the harness's own programs, as its config builds them."""

from typing import Any

import pytest

from mnist_exp import data
from mnist_exp.config.tree import compose
from mnist_exp.preflight import PreflightReport
from mnist_exp.preflight.harness import preflight_report
from mnist_exp.training.program import build_program


def report_of(mnist: data.Dataset, *overrides: str) -> PreflightReport:
    settings = compose(overrides).config
    return preflight_report(build_program(settings, len(mnist.train)), mnist.train)


def slow(*values: Any) -> list[Any]:
    """Return parameters of slow tests."""
    return [pytest.param(value, marks=pytest.mark.slow) for value in values]


@pytest.mark.parametrize(
    "experiment", ["notebook_softmax", "blog_cnn3x3", *slow("notebook_cnn5x5", "speedrun")]
)
def test_tutorials_that_learn_have_no_finding(mnist: data.Dataset, experiment: str) -> None:
    assert report_of(mnist, f"experiment={experiment}").findings == ()


@pytest.mark.parametrize(
    "overrides",
    [
        ["experiment=notebook_softmax_buggy"],
        *slow(
            ["experiment=notebook_softmax_buggy", "init=notebook"],
            ["experiment=notebook_softmax_buggy", "init=glorot"],
            ["model=cnn3x3", "loss=self_entropy"],
            ["experiment=notebook_softmax_buggy", "loss.from_probabilities=false"],
        ),
    ],
)
def test_the_notebooks_bug_is_named(mnist: data.Dataset, overrides: list[str]) -> None:
    errors = [finding.code for finding in report_of(mnist, *overrides).errors]
    assert "LOSS_IGNORES_LABELS" in errors


@pytest.mark.parametrize("optimizer", ["rmsprop", *slow("momentum", "adamw", "adagrad")])
def test_other_optimizers_are_copied_and_judged(mnist: data.Dataset, optimizer: str) -> None:
    assert report_of(mnist, "model=mlp", f"optimizer={optimizer}").errors == ()


@pytest.mark.parametrize("schedule", ["one_cycle", *slow("cosine")])
def test_schedules_are_judged_by_their_peak(mnist: data.Dataset, schedule: str) -> None:
    assert report_of(mnist, "model=softmax", f"schedule={schedule}").findings == ()
