"""The pages of docs/results come from the code as it is, with the packages of constraints.txt."""

import importlib.metadata
from pathlib import Path

import pytest

from mnist_exp.tracking import code_digest, costs

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "docs/results"
COMMANDS = {
    "results.md": "python -m mnist_exp.reproduce",
    "bug.md": "python -m mnist_exp.reproduce --bug",
    "swaps.md": "python -m mnist_exp.reproduce --swap",
    "bfloat16.md": "python -m mnist_exp.reproduce --bfloat16",
    "explain.md": "python -m mnist_exp -m sweeps=bridge && "
    "python -m mnist_exp.explain --output docs/results",
}


def constrained(package: str) -> str:
    """Return a package's version in constraints.txt; another may be installed."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return dict(line.split("==") for line in lines if "==" in line)[package]


PAGES = [
    (file.parent, page)
    for file in sorted(RESULTS.rglob(costs.FILE))
    for page in sorted({*costs.read(file.parent)["page"]})
]


@pytest.mark.parametrize(("folder", "page"), PAGES)
def test_a_page_is_of_the_code_as_it_is(
    folder: Path, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.metadata, "version", constrained)
    here = code_digest._project_digest.__wrapped__()
    recorded = sorted({*costs.read(folder, page)["code_digest"]})
    assert recorded == [here], (
        f"{folder.relative_to(ROOT)}/{page} is of code {', '.join(recorded)}, and the code here is "
        f"{here}. To renew it: {COMMANDS[page]}"
    )
