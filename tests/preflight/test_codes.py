"""The table of codes is complete, and docs/preflight.md has it."""

import ast
import re
from pathlib import Path

import mnist_exp.preflight
from mnist_exp.preflight import check
from mnist_exp.preflight.codes import CASES, markdown_table
from tests.preflight.limits import BEGIN, END, LIMITS
from tests.support.zoo import losses, models, programs

PACKAGE = Path(mnist_exp.preflight.__file__).parent
DOCS = (PACKAGE.parent.parent / "docs/preflight.md").read_text()


def cases_used(call: ast.Call) -> set[tuple[str, str]]:
    """Return the (code, case) of a call that records a finding; the case may be `a if x else b`."""
    match call:
        case ast.Call(func=ast.Name("_find_not_trained")):
            code = "VARIABLE_NOT_TRAINED"
        case ast.Call(func=ast.Attribute(attr="find"), args=[ast.Constant(str(code)), _, _]):
            pass
        case _:
            return set()
    cases = [k.value for k in call.keywords if k.arg == "case"]
    if not cases:
        return {(code, "")}
    return {(code, case) for case in literals(cases[0])}


def literals(choice: ast.expr) -> set[str]:
    """Return the strings that an expression of `a if x else b` can be."""
    if isinstance(choice, ast.IfExp):
        return literals(choice.body) | literals(choice.orelse)
    return {str(ast.literal_eval(choice))}


def test_checks_find_every_case_of_the_table_and_no_other() -> None:
    calls = [
        node
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
    ]
    assert set().union(*map(cases_used, calls)) == set(CASES)


def test_docs_have_the_table() -> None:
    assert markdown_table() in DOCS, (
        "write the table into docs/preflight.md: it is what "
        "mnist_exp.preflight.codes.markdown_table() returns"
    )


def statistics_in_docs() -> set[str]:
    """Return the names in the table of statistics."""
    section = DOCS.split("## Statistics")[1].split("## ")[0]
    return set(re.findall(r"^\| `(.+?)` \|", section, re.MULTILINE))


def measured() -> set[str]:
    """Return the names of all statistics that the checks measure."""
    names = set[str]()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="measure" | "measure_largest"), args=[name, _]
                ):
                    if not isinstance(name, ast.Name):  # the method that calls the other one
                        names |= literals(name)
    return names


def test_docs_list_the_statistics_of_reports() -> None:
    assert statistics_in_docs() == measured()
    report = check(models.softmax("zeros", 0), losses.mean, "sgd", *programs.sample(0))
    assert set(report.statistics) < measured()


def test_docs_have_the_limits() -> None:
    section = DOCS.split(BEGIN)[1].split(END)[0]
    documented = re.findall(r"^\| ([A-Z_]+) \| `(.+?)` \| (\S+ \S+) \|", section, re.MULTILINE)
    assert documented == [(limit.code, limit.statistic, limit.shown) for limit in LIMITS]
    assert {limit.statistic for limit in LIMITS} <= measured()
