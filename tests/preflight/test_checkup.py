"""What checks record, and the report that comes of it."""

import pytest

from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.codes import CASES


def test_severity_and_advice_come_from_the_table() -> None:
    checkup = Checkup()
    checkup.find("DEAD_UNITS", "Most are dead.", {"share": 0.9}, case="most")
    (finding,) = checkup.findings
    case = CASES["DEAD_UNITS", "most"]
    assert (finding.severity, finding.advice) == (case.severity, case.advice)
    assert (finding.message, finding.evidence) == ("Most are dead.", {"share": 0.9})


def test_report_has_the_gravest_finding_of_each_code_and_errors_first() -> None:
    checkup = Checkup()
    checkup.find("DEAD_UNITS", "Many are dead.", {}, case="many")
    checkup.find("LEARNING_RATE_TOO_LOW", "Slow.", {})
    checkup.find("INPUT_SCALE", "Large.", {})
    checkup.find("DEAD_UNITS", "Most are dead.", {}, case="most")
    checkup.measure("input.rms", 83)
    report = checkup.report(seconds=1.5)
    assert [f.message for f in report.findings] == ["Large.", "Most are dead.", "Slow."]
    assert (report.statistics, report.seconds) == ({"input.rms": 83.0}, 1.5)


def test_has_asks_for_any_of_the_codes() -> None:
    checkup = Checkup()
    checkup.find("INPUT_SCALE", "Large.", {})
    assert checkup.has("DEAD_UNITS", "INPUT_SCALE")
    assert not checkup.has("DEAD_UNITS")


@pytest.mark.parametrize("case", [("NO_SUCH_CODE", ""), ("DEAD_UNITS", "")])
def test_unknown_code_or_case_is_a_mistake(case: tuple[str, str]) -> None:
    with pytest.raises(KeyError):
        Checkup().find(case[0], "", {}, case=case[1])
