"""What the table of codes says of one way in which a finding comes about."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How grave a finding is."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One way in which a code comes about.

    seen: what preflight saw, for the table in docs/preflight.md.
    cause: the mistakes that usually cause it, for the same table.
    advice: what to do; the last sentence of the finding.
    severity: an error means that training cannot give what it should, a warning that something is
        unusual.
    """

    seen: str
    cause: str
    advice: str
    severity: Severity = Severity.ERROR
