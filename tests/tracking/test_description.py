import re

import pytest

from mnist_exp.config.tree import compose
from mnist_exp.preflight.codes import Severity
from mnist_exp.preflight.report import Finding
from mnist_exp.tracking import description
from mnist_exp.tracking.description import Facts
from mnist_exp.training.results import EpochResult, Evaluation

FOUND = Finding(
    code="LOSS_IGNORES_LABELS",
    severity=Severity.ERROR,
    message="The loss | does not change.",
    advice="Use the labels.",
)


def epoch(number: int, val: float) -> EpochResult:
    scores = Evaluation(0.25, val), Evaluation(0.25, 0.98765)
    return EpochResult(number, number * 550, 55_000, True, 0.25, 0.9, *scores, (), 10.0)


def facts(*overrides: str, **more: object) -> Facts:
    settings = compose(overrides)
    config = settings.config
    values = {
        "run_id": "abc",
        "settings": settings,
        "variant": "name",
        "reference": config.reference,
    }
    return Facts(**{**values, "changes": settings.changes, **more})  # type: ignore[arg-type]


def test_a_run_beside_its_tutorials_claims() -> None:
    ended = facts(
        "experiment=blog_cnn3x3", "seed=3", epochs=[epoch(1, 0.5), epoch(2, 0.4)], findings=()
    )
    text = description.markdown(ended)
    told = (
        "**name**, seed 3: test accuracy **0.9877**, the tutorial's is 0.9872.\n\nModel `cnn3x3`, "
    )
    assert text.startswith(told)
    assert "`adam` at 0.001, 15 epochs of batches of 100." in text
    assert "Settings: those of the tutorial's run (claims: the blog post)." in text
    assert "- training cost of the last epoch 0.250000, the tutorial's is 0.096237\n" in text
    assert "- validation accuracy 0.4000, the best 0.5000 in epoch 1\n" in text
    assert "Preflight: nothing found." in text
    assert text.endswith("`python -m mnist_exp.rerun abc`")
    assert description.columns(ended) == {"changes": "none", "result": "0.9877 (tutorial 0.9872)"}


def test_what_differs_is_said() -> None:
    changed = facts("experiment=notebook_cnn5x5", "model.dropout=0", "seed=1", "threads=1")
    assert "(claims: the notebook, second part; " in description.markdown(changed)
    assert " in `model.dropout=0`." in description.markdown(changed)
    assert description.columns(changed)["changes"] == "model.dropout=0"
    free = facts(
        "model=softmax", "schedule=cosine", "loss.from_probabilities=true", epochs=[epoch(1, 0.5)]
    )
    text = description.markdown(free)
    assert "Differs from the defaults in `model=softmax` `schedule=cosine` " in text
    assert "cosine rate" in text
    assert "log(softmax) taken literally" in text
    assert "tutorial" not in text
    assert description.columns(free)["result"] == "0.9877"


def test_findings_of_preflight() -> None:
    text = description.markdown(facts(findings=[FOUND]))
    assert "- error **LOSS_IGNORES_LABELS**: The loss | does not change." in text
    assert "the result will be here when the run has ended." in text
    assert description.columns(facts())["result"] == "none yet"


@pytest.mark.parametrize(
    ("override", "told", "tag"),
    [("preflight=off", "Preflight: off.", "off"), ("preflight=warn", "see `preflight.json`", None)],
)
def test_a_run_without_findings_of_its_own(override: str, told: str, tag: str | None) -> None:
    """It is off, or the run goes on from a checkpoint and was checked before."""
    assert told in description.markdown(facts(override))
    assert description.columns(facts(override)).get("preflight") == tag


def test_a_study() -> None:
    space = {"optimizer": "choice(sgd,adam)", "seed": "range(3)"}
    text = description.study(
        "small",
        space,
        {"COMPLETE": 2, "FAIL": 1, "PRUNED": 0},
        "trial 1, **0.9**",
        {"a": 1},
        "A is better.",
    )
    assert text.startswith("**Study small**: 2 complete, 1 fail.")
    assert "Best: trial 1, **0.9**\n\n- `a`: `1`" in text
    assert "A is better. The page: artifact `study/compare.html`." in text
    assert "- `optimizer`: `choice(sgd,adam)`\n" in text
    assert "--study 'small'`" in text
    empty = description.study("small", space, {}, "", {}, "")
    assert "no trial has ended" in empty
    assert "Best" not in empty
    assert "compare.html" not in empty


def test_names_of_others_are_only_text() -> None:
    """In a command to copy they are quoted, in Markdown they are no link, code or HTML."""
    name = "'; touch P; ' ` [a](http://evil) <img src=x> **b**"
    text = description.study(
        name, {"`": "`a` | <b>"}, {}, "", {"x": "` <i>"}, "[b](http://evil) <script>"
    )
    assert r"""--study ''"'"'; touch P; '"'"' ` [a](http://evil) <img src=x> **b**'``""" in text
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
    assert not re.search(r"(?<!\\)[<\[]", outside)
    assert "://" not in outside
