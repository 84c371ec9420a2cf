"""What preflight hands back: findings for a person, numbers for a tracker."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """One problem: `message` is a sentence with the numbers, `evidence` the same numbers by name."""

    code: str
    severity: Severity
    message: str
    advice: str
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.severity.upper()} {self.code}: {self.message} {self.advice}"

    def to_dict(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "severity": self.severity,
            "message": self.message,
            "advice": self.advice,
            "evidence": _json_safe(dict(self.evidence)),
        }


@dataclass(frozen=True)
class PreflightReport:
    """findings: errors first, causes before consequences; statistics: every number measured; seconds: wall time."""

    findings: tuple[Finding, ...]
    statistics: Mapping[str, float]
    seconds: float

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        return tuple(f for f in self.findings if f.severity == "warning")

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(f.code for f in self.findings)

    @property
    def worst(self) -> Severity | None:
        """The gravest severity found, None if there is no finding."""
        if self.errors:
            return "error"
        return "warning" if self.findings else None

    def to_dict(self) -> dict[str, Any]:
        """Strict JSON: NaN and infinities become strings."""
        return {
            "worst": self.worst,
            "seconds": round(self.seconds, 3),
            "findings": [finding.to_dict() for finding in self.findings],
            "statistics": _json_safe(dict(self.statistics)),
        }

    def __str__(self) -> str:
        summary = f"preflight: {len(self.errors)} errors, {len(self.warnings)} warnings in {self.seconds:.1f} s"
        return "\n".join([summary, *(f"  {finding}" for finding in self.findings)])


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
