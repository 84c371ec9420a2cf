"""The table of codes: how grave each finding is, what it means, and what to do about it.

By code and case; a code that comes about in one way only has the case "".
"""

from mnist_exp.preflight.codes import data, learning, loss, match, structure
from mnist_exp.preflight.codes.case import Case, Severity

__all__ = ["CASES", "Case", "Severity", "markdown_table"]

CASES: dict[tuple[str, str], Case] = (
    data.CASES | loss.CASES | match.CASES | structure.CASES | learning.CASES
)


def markdown_table() -> str:
    """Return the table in docs/preflight.md: a line for each case."""
    lines = [
        "| code | severity | what was seen | usual cause | what to do |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{code}` | {case.severity} | {case.seen} | {case.cause} | {case.advice} |"
        for (code, _), case in CASES.items()
    ]
    return "\n".join(lines)
