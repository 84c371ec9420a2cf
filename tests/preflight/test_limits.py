"""How far good and broken programs lie from the thresholds, without checking anything."""

from pathlib import Path
from typing import Any

import pytest

from mnist_exp.preflight.codes import CASES
from tests.preflight import limits
from tests.preflight.limits import BEGIN, END, LIMITS, Limit, table, write

RATE = "run.reached"
CODE = "LEARNING_RATE_TOO_LOW"


def row(value: Any, *, expected: str = "", found: bool = True) -> dict[str, Any]:
    findings = {expected: "error"} if expected and found else {}
    return {"expected": expected, "findings": findings, "statistics": {RATE: value}}


def of_collection(value: float, kind: str) -> dict[str, Any]:
    codes = [CODE, "CANNOT_OVERFIT"] if kind == "faulty" else []
    return row(value) | {"kind": kind, "codes": codes, "findings": dict.fromkeys(codes, "error")}


def test_worst_of_the_good_and_mildest_of_the_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        limits, "LIMITS", [Limit(code=CODE, statistic=RATE, value=0.3, above=False)]
    )
    zoo = [row(0.9), row(0.7), row(0.2, expected=CODE), row(0.1, expected=CODE)]
    zoo += [row(0.29, expected=CODE, found=False), row(0.31, expected=CODE)]
    zoo += [row("nan"), row(0.25, expected="OTHER"), {"expected": "", "findings": {}}]
    seen = [
        of_collection(0.5, "repaired"),
        of_collection(0.6, "good"),
        of_collection(0.05, "faulty"),
    ]
    lines = list(table({"zoo": zoo, "seen": seen, "held out": []}))
    assert lines[0].endswith("| zoo: good | zoo: caught | seen: good | seen: caught "
                             "| held out: good | held out: caught |")  # fmt: skip
    assert lines[2:] == [f"| {CODE} | `{RATE}` | < 0.3 | 0.7 | 0.2 | 0.5 | 0.05 | - | - |"]


def test_what_lies_beyond_a_limit() -> None:
    high, zero = (
        Limit(code=CODE, statistic=RATE, value=value, above=value > 0) for value in (0.5, 0.0)
    )
    assert [high.beyond(value) for value in (0.4, 0.5, 0.6)] == [False, True, True]
    assert [zero.beyond(value) for value in (-1.0, 0.0, 0.1)] == [True, True, False]
    assert (high.shown, zero.shown) == (">= 0.5", "= 0")


def test_the_page_keeps_what_stands_around_the_table(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    for _ in range(2):
        write(page, iter(["| new |"]))
        assert page.read_text() == f"before\n{BEGIN}\n\n| new |\n\n{END}\nafter\n"


def test_every_limit_belongs_to_a_code() -> None:
    assert {limit.code for limit in LIMITS} <= {code for code, _ in CASES}
