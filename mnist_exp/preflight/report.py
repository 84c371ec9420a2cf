"""What preflight returns: findings for a person, numbers for a tracker."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from mnist_exp.preflight.codes import Severity


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One problem of a program.

    code: which kind of problem, as in docs/preflight.md.
    severity: "error" or "warning".
    message: a sentence with the numbers.
    advice: what to do about it.
    evidence: the numbers of the message by name.
    """

    code: str
    severity: Severity
    message: str
    advice: str
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.severity.upper()} {self.code}: {self.message} {self.advice}"

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as strict JSON: NaN and infinities become strings."""
        return {
            "code": self.code,
            "severity": str(self.severity),
            "message": self.message,
            "advice": self.advice,
            "evidence": _json_safe(self.evidence),
        }


@dataclass(frozen=True, kw_only=True, repr=False)
class PreflightReport:
    """All that preflight knows about a program.

    findings: errors first, causes before consequences, each code once.
    statistics: every number measured, by name.
    seconds: how long the checks took.
    task: what the program is to learn, in words.
    not_judged: what does not hold for that task, or was not reached, and was left out, in words.
    out_of_time: what of that was left out because the time was up.
    """

    findings: tuple[Finding, ...]
    statistics: Mapping[str, float]
    seconds: float
    task: str = ""
    not_judged: tuple[str, ...] = ()
    out_of_time: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Return the findings that are errors."""
        return tuple(f for f in self.findings if f.severity == Severity.ERROR)

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Return the findings that are warnings."""
        return tuple(f for f in self.findings if f.severity == Severity.WARNING)

    @property
    def codes(self) -> tuple[str, ...]:
        """Return the code of every finding."""
        return tuple(f.code for f in self.findings)

    @property
    def worst(self) -> str | None:
        """Return "error" or "warning", the gravest severity, or None if there is no finding."""
        if self.errors:
            return "error"
        return "warning" if self.findings else None

    def to_dict(self) -> dict[str, Any]:
        """Return the report as strict JSON: NaN and infinities become strings."""
        return {
            "worst": self.worst,
            "seconds": round(self.seconds, 3),
            "task": self.task,
            "not_judged": list(self.not_judged),
            "findings": [finding.to_dict() for finding in self.findings],
            "statistics": _json_safe(self.statistics),
        }

    def __str__(self) -> str:
        return self.text()

    __repr__ = __str__  # what a Python prompt shows of it

    def text(self, width: int | None = None) -> str:
        """Return the report for a person: a line each, or broken into lines of this width."""
        said = [*map(str, self.findings), *([self._about] if self.task else [])]
        lines = [f"  {line}" if width is None else _wrapped(line, width) for line in said]
        return "\n".join([self._counts, *lines])

    def _repr_html_(self) -> str:
        """Return the report for a notebook."""
        items = "".join(
            f"<li><b>{finding.severity.upper()} {finding.code}</b>: {escape(finding.message)} "
            f"<i>{escape(finding.advice)}</i></li>"
            for finding in self.findings
        )
        findings = f"<ul>{items}</ul>" if items else ""
        about = f"<div><small>{escape(self._about)}</small></div>" if self.task else ""
        return f"<div><b>{escape(self._counts)}</b>{findings}{about}</div>"

    @property
    def _counts(self) -> str:
        counts = f"{_count(self.errors, 'error')}, {_count(self.warnings, 'warning')}"
        return f"preflight: {counts} in {self.seconds:.1f} s"

    @property
    def _about(self) -> str:
        """Return what the program is to learn, and what was not judged, in one line."""
        others = [judged for judged in self.not_judged if judged not in self.out_of_time]
        rest = f"; not judged: {', '.join(others)}" if others else ""
        if self.out_of_time:
            rest += f"; not judged, because the time was up: {', '.join(self.out_of_time)}"
        return f"task: {self.task}{rest}"


def _wrapped(text: str, width: int) -> str:
    """Return the text in lines of this width, those after the first further to the right.

    Words that are broken, such as the name of a setting, could not be copied.
    """
    return textwrap.fill(
        text,
        width,
        initial_indent="  ",
        subsequent_indent="      ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _count(findings: Sequence[Finding], word: str) -> str:
    return f"{len(findings)} {word}{'' if len(findings) == 1 else 's'}"


def _json_safe(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _json_safe(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json_safe(item) for item in value]
    if hasattr(value, "item"):  # numpy scalars
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
