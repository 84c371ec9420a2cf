"""The table of codes is complete, and docs/preflight.md has it."""

import ast
import re
from pathlib import Path

import keras

import mnist_exp.preflight
from mnist_exp.preflight import check
from mnist_exp.preflight.codes import CASES, markdown_table
from tests.preflight.confusion import LIMITS
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
    branches = [cases[0].body, cases[0].orelse] if isinstance(cases[0], ast.IfExp) else cases
    return {(code, ast.literal_eval(branch)) for branch in branches}


def test_checks_find_every_case_of_the_table_and_no_other() -> None:
    calls = [
        node
        for path in PACKAGE.glob("*.py")
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


def test_docs_list_the_statistics_of_reports() -> None:
    measured = set[str]()
    for rate in (0.01, 1000.0, 1e-7):  # the others are compared with lower and higher rates
        program = models.softmax("zeros", 0), losses.mean, keras.optimizers.SGD(rate)
        measured |= set(check(*program, *programs.sample(0)).statistics)
    assert statistics_in_docs() == measured


def test_docs_have_the_limits() -> None:
    section = DOCS.split("### Thresholds")[1].split("### ")[0]
    line = r"^\| ([A-Z_]+) \| `(.+?)` \| \S+ \| [<>=] (\S+) \|"
    documented = re.findall(line, section, re.MULTILINE)
    assert [(code, name, float(limit)) for code, name, limit in documented] == [
        (code, name, limit) for code, name, _, limit in LIMITS
    ]
    names = {name for _, statistic, *_ in LIMITS for name in re.findall(r"\w+\.\w+", statistic)}
    assert names <= statistics_in_docs()
