"""What checks record, and the report that comes of it."""

import pytest

from mnist_exp.preflight.checkup import Checkup
from mnist_exp.preflight.codes import CASES
from mnist_exp.preflight.codes.consequences import CONSEQUENCES


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
    checkup.find("VARIABLE_NOT_TRAINED", "Slow.", {}, case="frozen")
    checkup.find("INPUT_SCALE", "Large.", {})
    checkup.find("DEAD_UNITS", "Most are dead.", {}, case="most")
    checkup.measure("input.rms", 83)
    report = checkup.report(seconds=1.5)
    assert [f.message for f in report.findings] == ["Large.", "Most are dead.", "Slow."]
    assert (report.statistics, report.seconds) == ({"input.rms": 83.0}, 1.5)


def test_what_an_error_explains_is_left_out_of_the_report() -> None:
    checkup = Checkup()
    checkup.find("CANNOT_OVERFIT", "Not one is right.", {})
    checkup.find("INPUT_SCALE", "Large.", {})
    checkup.find("LOSS_MISMATCH", "Slow.", {}, case="squares")  # a warning explains nothing
    assert set(checkup.report(1.0).codes) == {"CANNOT_OVERFIT", "INPUT_SCALE", "LOSS_MISMATCH"}
    checkup.find("OUTPUT_ACTIVATION", "All are 1.", {}, case="softmax of one")
    assert set(checkup.report(1.0).codes) == {"INPUT_SCALE", "OUTPUT_ACTIVATION"}


def test_no_rate_is_called_low_where_the_targets_are_far_away() -> None:
    checkup = Checkup()
    checkup.find("LEARNING_RATE_TOO_LOW", "15 steps with 131 do more.", {}, case="nothing")
    checkup.find("TARGET_SCALE", "Prices in dollars.", {}, case="far")
    assert checkup.report(1.0).codes == ("TARGET_SCALE",)


def test_no_code_explains_one_that_explains_it() -> None:
    codes = {code for code, _ in CASES}
    for cause, explained in CONSEQUENCES.items():
        assert {cause, *explained} <= codes
        assert not any(cause in CONSEQUENCES.get(code, ()) for code in explained)


def test_has_asks_for_any_of_the_codes() -> None:
    checkup = Checkup()
    checkup.find("INPUT_SCALE", "Large.", {})
    assert checkup.has("DEAD_UNITS", "INPUT_SCALE")
    assert not checkup.has("DEAD_UNITS")


@pytest.mark.parametrize("case", [("NO_SUCH_CODE", ""), ("DEAD_UNITS", "")])
def test_unknown_code_or_case_is_a_mistake(case: tuple[str, str]) -> None:
    with pytest.raises(KeyError):
        Checkup().find(case[0], "", {}, case=case[1])
