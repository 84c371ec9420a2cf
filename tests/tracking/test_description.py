import re

import pytest

from mnist_exp.preflight.codes import Severity
from mnist_exp.preflight.report import Finding
from mnist_exp.tracking import description
from mnist_exp.training.results import EpochResult, Evaluation
from tests.support.jobs import a_job
from tests.support.results import an_epoch

FOUND = Finding(
    code="LOSS_IGNORES_LABELS",
    severity=Severity.ERROR,
    message="The loss | does not change.",
    advice="Use the labels.",
)


def epoch(number: int, val: float) -> EpochResult:
    return an_epoch(number, val=Evaluation(0.25, val), test=Evaluation(0.25, 0.98765))


def test_a_run_beside_its_tutorials_claims() -> None:
    job, epochs = a_job("experiment=blog_cnn3x3", "seed=3"), [epoch(1, 0.5), epoch(2, 0.4)]
    text = description.markdown(job, "abc", (), epochs)
    assert text.startswith(
        "**a_variant**, seed 3: test accuracy **0.9877**, the tutorial's is 0.9872.\n\n"
        "Model `cnn3x3`, "
    )
    assert "`adam` at 0.001, 15 epochs of batches of 100." in text
    assert "Settings: those of the tutorial's run (claims: the blog post)." in text
    assert "- training cost of the last epoch 0.250000, the tutorial's is 0.096237\n" in text
    assert "- validation accuracy 0.4000, the best 0.5000 in epoch 1\n" in text
    assert "Preflight: nothing found." in text
    assert text.endswith("`python -m mnist_exp.rerun abc`")
    columns = description.columns(job, epochs)
    assert columns == {"changes": "none", "result": "0.9877 (tutorial 0.9872)"}


def test_what_the_result_means_is_below_it() -> None:
    sentence = "That is chance: nothing was learned."
    first, second, *_ = description.markdown(a_job(), "abc", (), [epoch(1, 0.5)], sentence).split(
        "\n\n"
    )
    assert "test accuracy" in first
    assert second == sentence


def test_how_a_run_differs_from_its_tutorials() -> None:
    job = a_job("experiment=notebook_cnn5x5", "model.dropout=0", "seed=1", "threads=1")
    text = description.markdown(job, "abc")
    assert "(claims: the notebook, second part; " in text
    assert " in `model.dropout=0`." in text
    assert description.columns(job)["changes"] == "model.dropout=0"


def test_how_a_run_without_a_tutorial_differs_from_the_defaults() -> None:
    job = a_job("model=softmax", "schedule=cosine", "loss.from_probabilities=true")
    text = description.markdown(job, "abc", epochs=[epoch(1, 0.5)])
    assert "Differs from the defaults in `model=softmax` `schedule=cosine` " in text
    assert "cosine rate" in text
    assert "log(softmax) taken literally" in text
    assert "tutorial" not in text
    assert description.columns(job, [epoch(1, 0.5)])["result"] == "0.9877"


def test_findings_of_preflight() -> None:
    text = description.markdown(a_job(), "abc", [FOUND])
    assert "- error **LOSS_IGNORES_LABELS**: The loss | does not change." in text
    assert "the result will be here when the run has ended." in text
    assert description.columns(a_job())["result"] == "none yet"


@pytest.mark.parametrize(
    ("override", "line", "tag"),
    [("preflight=off", "Preflight: off.", "off"), ("preflight=warn", "see `preflight.json`", None)],
)
def test_a_run_without_findings_of_its_own(override: str, line: str, tag: str | None) -> None:
    """It is off, or the run goes on from a checkpoint and was checked before."""
    assert line in description.markdown(a_job(override), "abc")
    assert description.columns(a_job(override)).get("preflight") == tag


def test_a_study() -> None:
    space = {"optimizer": "choice(sgd,adam)", "seed": "range(3)"}
    text = description.study(
        "small",
        space,
        {"COMPLETE": 2, "FAIL": 1, "PRUNED": 0},
        "trial 1, **0.9**",
        {"a": 1},
        {"tuning.html": "A is better."},
    )
    assert text.startswith("**Study small**: 2 complete, 1 fail.")
    assert "Best: trial 1, **0.9**\n\n- `a`: `1`" in text
    assert "A is better. The page: artifact `study/tuning.html`." in text
    assert "- `optimizer`: `choice(sgd,adam)`\n" in text
    assert "--study 'small'`" in text
    empty = description.study("small", space, {}, "", {}, {})
    assert "no trial has ended" in empty
    assert "Best" not in empty
    assert "The page" not in empty


def test_names_of_others_are_only_text() -> None:
    """In a command to copy they are quoted, in Markdown they are no link, code or HTML."""
    name = "'; touch P; ' ` [a](http://evil) <img src=x> **b**"
    text = description.study(
        name, {"`": "`a` | <b>"}, {}, "", {"x": "` <i>"}, {"a": "[b](http://evil) <script>"}
    )
    assert r"""--study ''"'"'; touch P; '"'"' ` [a](http://evil) <img src=x> **b**'``""" in text
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
    assert not re.search(r"(?<!\\)[<\[]", outside)
    assert "://" not in outside
