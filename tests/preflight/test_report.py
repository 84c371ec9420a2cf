"""The report, for a person and as JSON."""

import json
from dataclasses import replace

import numpy as np

from mnist_exp.preflight import Finding, PreflightReport
from mnist_exp.preflight.codes import Severity

WARNING = Finding(
    code="CLASS_IMBALANCE",
    severity=Severity.WARNING,
    message="Class 0 is 90% of the labels.",
    advice="Shuffle.",
    evidence={"share": 0.9},
)
ERROR = Finding(
    code="INPUT_SCALE",
    severity=Severity.ERROR,
    message="It is 83.",
    advice="Divide by 255.",
    evidence={"rms": np.float32("inf"), "names": ("a",)},
)


def report(*findings: Finding) -> PreflightReport:
    return PreflightReport(
        findings=findings, statistics={"run.loss_ratio": float("nan")}, seconds=1.25
    )


def test_worst_is_the_gravest_severity() -> None:
    assert report().worst is None
    assert report(WARNING).worst == "warning"
    assert report(WARNING, ERROR).worst == "error"


def test_errors_and_warnings_split_the_findings() -> None:
    both = report(ERROR, WARNING)
    assert both.errors == (ERROR,)
    assert both.warnings == (WARNING,)
    assert both.codes == ("INPUT_SCALE", "CLASS_IMBALANCE")


def test_dictionary_is_strict_json() -> None:
    text = json.dumps(report(ERROR, WARNING).to_dict(), allow_nan=False)
    back = json.loads(text)
    assert back["worst"] == "error"
    assert back["findings"][0]["evidence"] == {"rms": "inf", "names": ["a"]}
    assert back["statistics"] == {"run.loss_ratio": "nan"}


def test_text_has_code_numbers_and_advice() -> None:
    assert "ERROR INPUT_SCALE: It is 83. Divide by 255." in str(report(ERROR))
    assert "1 error, 0 warnings" in str(report(ERROR))
    assert repr(report(ERROR)) == str(report(ERROR))  # at a Python prompt


def test_a_narrow_terminal_breaks_lines_between_words() -> None:
    finding = Finding(
        code="LONG",
        severity=Severity.ERROR,
        message="A sentence with many words, one after the other.",
        advice="Try optimizer.learning_rate=0.0123456789012345678901234567890123456789 now.",
    )
    text = report(finding).text(40)
    assert text.splitlines()[1:] == [
        "  ERROR LONG: A sentence with many",
        "      words, one after the other. Try",
        "      optimizer.learning_rate=0.0123456789012345678901234567890123456789",
        "      now.",
    ]
    assert str(report(finding)).count("\n") == 1


def test_text_and_notebook_say_the_task_and_what_was_not_judged() -> None:
    told = replace(
        report(replace(ERROR, message="Is <b> & more.")), task="a number", not_judged=("the loss",)
    )
    assert str(told).splitlines()[-1] == "  task: a number; not judged: the loss"
    page = told._repr_html_()
    assert "ERROR INPUT_SCALE</b>: Is &lt;b&gt; &amp; more. <i>Divide by 255.</i>" in page
    assert "task: a number; not judged: the loss" in page
    assert "task" not in str(report(ERROR))
    late = replace(told, not_judged=("the loss", "momentum"), out_of_time=("momentum",))
    said = "not judged: the loss; not judged, because the time was up: momentum"
    assert str(late).endswith(said)
