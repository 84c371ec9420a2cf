"""The nine programs of docs/preflight.md get the reports that the page shows."""

import re

import pytest

from tests.preflight.nine_programs import PAGE, printed, programs, shared_lines

PROGRAMS = list(programs(PAGE.read_text()))
FINDING = re.compile(r"^  ((?:ERROR|WARNING) [A-Z_]+):", re.MULTILINE)
LAST = re.compile(r"^  task: .*", re.MULTILINE)


def test_there_are_nine() -> None:
    assert len(PROGRAMS) == 9
    tasks = {LAST.findall(report)[0].split(";")[0] for _, report in PROGRAMS}
    assert len(tasks) >= 7, "two of them may be told in the same words"


@pytest.mark.first_cases(3)
@pytest.mark.parametrize(("program", "report"), PROGRAMS)
def test_a_program_gets_its_report(program: str, report: str) -> None:
    """Numbers may differ in their last digits between processors; codes and words may not."""
    now = printed(shared_lines(PAGE.read_text()), program)
    assert FINDING.findall(now) == FINDING.findall(report)
    assert LAST.findall(now) == LAST.findall(report)
