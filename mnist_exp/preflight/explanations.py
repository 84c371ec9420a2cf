"""Explain a code: what was seen, and an example of the mistake and of its repair."""

import difflib
import textwrap
from dataclasses import dataclass
from html import escape
from pathlib import Path

from mnist_exp.preflight.codes import CASES, Case
from mnist_exp.preflight.errors import PreflightError

_EXAMPLES = Path(__file__).parent / "examples"
_REPAIR = "# repair\n"


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """What a code means.

    code: as in a report.
    cases: the ways in which it comes about.
    mistake, repair: lines of Python that get the code, and that do not.
    """

    code: str
    cases: tuple[Case, ...]
    mistake: str
    repair: str

    def __str__(self) -> str:
        lines = [self.code]
        for case in self.cases:
            lines += [
                f"  {case.severity}: {case.seen}",
                f"    usual cause: {case.cause}",
                f"    what to do: {case.advice}",
            ]
        for title, code in (("mistake", self.mistake), ("repair", self.repair)):
            lines += [f"  {title}:", textwrap.indent(code.rstrip(), "    ")]
        return "\n".join(lines)

    def to_markdown(self) -> str:
        """Return the section of docs/preflight_codes.md."""
        cases = "\n".join(
            f"- **{case.severity}**: {case.seen}. Usual cause: {case.cause}. {case.advice}"
            for case in self.cases
        )
        return (
            f"## {self.code}\n\n{cases}\n\n"
            f"```python\n# mistake\n{self.mistake}\n{_REPAIR}{self.repair}```\n"
        )

    def _repr_html_(self) -> str:
        cases = "".join(
            f"<li><b>{case.severity}</b>: {escape(case.seen)}. <i>Usual cause:</i> "
            f"{escape(case.cause)}. {escape(case.advice)}</li>"
            for case in self.cases
        )
        return (
            f"<h4><code>{self.code}</code></h4><ul>{cases}</ul>"
            f"<b>Mistake</b><pre>{escape(self.mistake)}</pre>"
            f"<b>Repair</b><pre>{escape(self.repair)}</pre>"
        )


def codes() -> list[str]:
    """Return every code, in the order of the checks."""
    return list(dict.fromkeys(code for code, _ in CASES))


def explain(code: str) -> Explanation:
    """Return what a code of a report means, with an example.

    Raises PreflightError for a code that does not exist.
    """
    if not isinstance(code, str):
        raise PreflightError(f"a code is text, such as 'DEAD_UNITS', got {code!r}")
    if code.upper() not in codes():
        near = difflib.get_close_matches(code.upper(), codes(), n=1)
        advice = f"Did you mean {near[0]}?" if near else f"The codes: {', '.join(codes())}"
        raise PreflightError(f"{code!r} is no code of preflight\n{advice}")
    code = code.upper()
    mistake, repair = (_EXAMPLES / f"{code}.py").read_text().split(_REPAIR)
    return Explanation(
        code=code,
        cases=tuple(case for (other, _), case in CASES.items() if other == code),
        mistake=mistake.removeprefix("# mistake\n"),
        repair=repair,
    )
