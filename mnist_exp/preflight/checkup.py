"""Collect what the checks of one program measure and find."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mnist_exp.preflight.codes import CASES, Severity
from mnist_exp.preflight.codes.consequences import CONSEQUENCES
from mnist_exp.preflight.program.tasks import Task
from mnist_exp.preflight.report import Finding, PreflightReport


class Checkup:
    """The record of one program, which every check writes into."""

    def __init__(self) -> None:
        self.statistics: dict[str, float] = {}
        self.findings: list[Finding] = []
        self._found = set[str]()
        self.task = str(Task.UNKNOWN)
        self.not_judged: list[str] = []
        self.out_of_time: list[str] = []
        self._about = ""

    def measure(self, name: str, value: float) -> None:
        """Record a number under its name in the report, such as `loss.alignment`."""
        self.statistics[name] = float(value)

    def measure_largest(self, name: str, value: float) -> None:
        """Record a number that is measured for each of several inputs: the largest is kept."""
        self.measure(name, max(value, self.statistics.get(name, -math.inf)))

    def find(self, code: str, message: str, evidence: Mapping[str, Any], case: str = "") -> None:
        """Record a finding; the table of codes gives its severity and advice.

        message: a sentence with the numbers. evidence: the same numbers by name. case: which way of
        several, if the table has several for this code.
        """
        kind = CASES[code, case]
        self._found |= {code, f"{code} {case}"}
        self.findings.append(
            Finding(
                code=code,
                severity=kind.severity,
                message=self._about + message,
                advice=kind.advice,
                evidence=evidence,
            )
        )

    @contextmanager
    def about(self, what: str) -> Iterator[None]:
        """Begin the messages inside the block with what they are about."""
        self._about = what
        try:
            yield
        finally:
            self._about = ""

    def leave_out(self, judged: str, *, time_up: bool = False) -> None:
        """Record that something was not judged, perhaps because the time was up."""
        about = self._about.removesuffix(": ")
        judged = f"{judged} of {about.lower()}" if about else judged
        if judged not in self.not_judged:
            self.not_judged.append(judged)
            if time_up:
                self.out_of_time.append(judged)

    def has(self, *codes: str) -> bool:
        """Return True if at least one of these was found: a code, or a code and its case."""
        return not self._found.isdisjoint(codes)

    def report(self, seconds: float) -> PreflightReport:
        """Return the report, with the gravest finding of each code, without what another explains.

        seconds: the time that the checks took.
        """
        causes = {f.code for f in self.findings if f.severity == Severity.ERROR}
        explained = set[str]().union(*(CONSEQUENCES.get(code, ()) for code in causes))
        first: dict[str, Finding] = {}
        for finding in sorted(self.findings, key=lambda f: f.severity != Severity.ERROR):
            if finding.code not in explained:
                first.setdefault(finding.code, finding)
        return PreflightReport(
            findings=tuple(first.values()),
            statistics=self.statistics,
            seconds=seconds,
            task=self.task,
            not_judged=tuple(self.not_judged),
            out_of_time=tuple(self.out_of_time),
        )
