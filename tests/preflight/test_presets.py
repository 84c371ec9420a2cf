"""Preflight on the harness's own programs, as its config builds them."""

import pytest

from mnist_exp import data
from mnist_exp.config.tree import compose
from mnist_exp.preflight import PreflightReport
from mnist_exp.preflight.harness import preflight_report
from mnist_exp.training.program import build_program


def report_of(mnist: data.Dataset, *overrides: str) -> PreflightReport:
    settings = compose(overrides).config
    return preflight_report(build_program(settings, len(mnist.train)), mnist.train)


@pytest.mark.parametrize(
    "experiment", ["notebook_softmax", "blog_cnn3x3", "notebook_cnn5x5", "speedrun"]
)
def test_tutorials_that_learn_have_no_finding(mnist: data.Dataset, experiment: str) -> None:
    assert report_of(mnist, f"experiment={experiment}").findings == ()


@pytest.mark.parametrize(
    "overrides",
    [
        ["experiment=notebook_softmax_buggy"],
        ["experiment=notebook_softmax_buggy", "init=notebook"],
        ["experiment=notebook_softmax_buggy", "init=glorot"],
        ["model=cnn3x3", "loss=self_entropy"],
        ["experiment=notebook_softmax_buggy", "loss.from_probabilities=false"],
    ],
)
def test_the_notebooks_bug_is_named(mnist: data.Dataset, overrides: list[str]) -> None:
    errors = [finding.code for finding in report_of(mnist, *overrides).errors]
    assert "LOSS_IGNORES_LABELS" in errors


@pytest.mark.parametrize("optimizer", ["momentum", "adamw", "rmsprop", "adagrad"])
def test_other_optimizers_are_copied_and_judged(mnist: data.Dataset, optimizer: str) -> None:
    assert report_of(mnist, "model=mlp", f"optimizer={optimizer}").errors == ()


@pytest.mark.parametrize("schedule", ["cosine", "one_cycle"])
def test_schedules_are_judged_by_their_peak(mnist: data.Dataset, schedule: str) -> None:
    assert report_of(mnist, "model=softmax", f"schedule={schedule}").findings == ()
