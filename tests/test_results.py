"""What README and docs claim of results follows from the numbers in docs/results.

The rule: a number with three decimals or more is such a claim, if it stands in README (in any
language), or in a section of a page of docs that links to a page of docs/results. Code is left out.
Each must be a number that the CSV files have for it: a claim, a mean, an end of an interval. In a
table whose first column names a preset, it must be one of that preset.
"""

import math
import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from mnist_exp.reproduce.presets import PRESETS
from mnist_exp.reproduce.swap_programs import LARGEST

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "docs/results"
READMES = [ROOT / "README.md", ROOT / "README.ko.md"]
PAGES = [*READMES, *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs/howto").glob("*"))]
NUMBER = re.compile(r"(?<![\w.])\d?\.\d{3,}(?![\d.]*\w)", re.ASCII)
# The columns of each file whose numbers a text may claim; others are of single runs.
COLUMNS = {
    "results.csv": "claim mean ci_low ci_high one_more_low one_more_high noticed_below "
    "noticed_above",
    "explain.csv": "mean forwards_mean backwards_mean low high noticed",
    "bug.csv": "test_accuracy",
    "swaps.csv": "mean mean_change low high noticed left left_low left_high",
    **{
        f"bfloat16/{preset}.csv": "mean difference difference_low difference_high margin"
        for preset in PRESETS
    },
}


def numbers(preset: str | None) -> list[float]:
    """Return what may be claimed, of all programs or of one preset."""
    found: list[float] = []
    for name, columns in COLUMNS.items():
        if not (RESULTS / name).is_file():
            continue
        table = pd.read_csv(RESULTS / name)
        if name == "results.csv":
            table = table[table["quantity"] == "test/accuracy"]
            table = table if preset is None else table[table["preset"] == preset]
        elif preset is not None:
            continue
        found += [float(x) for column in columns.split() for x in table[column].dropna().unique()]
    return [number for number in found if math.isfinite(number)]


def prose(text: str) -> str:
    """Return a text without code."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"^ {4}.*$", "", text, flags=re.MULTILINE)
    lines = text.splitlines()
    return "\n".join(
        line if line.startswith("| `") else re.sub(r"`[^`]*`", "", line) for line in lines
    )


def claims(page: Path) -> Iterator[tuple[str, str | None]]:
    """Yield (number, preset) of a page; the preset is None outside of a table of presets."""
    for section in re.split(r"^(?=#+ )", page.read_text(), flags=re.MULTILINE):
        if page not in READMES and not re.search(r"\]\([./]*(docs/)?results/", section):
            continue
        for line in prose(section).splitlines():
            row = re.match(r"\| `(\w+)`", line)
            for number in NUMBER.findall(re.sub(r"`[^`]*`", "", line)):
                yield number, row[1] if row else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.name}")
def test_each_number_that_is_claimed_is_in_the_results(page: Path) -> None:
    for text, preset in claims(page):
        decimals = len(text.partition(".")[2])
        known = {f"{abs(number):.{decimals}f}" for number in numbers(preset)}
        where = f"of {preset} " if preset else ""
        assert f"{float(text):.{decimals}f}" in known, (
            f"{page.name} says {text}, which no number {where}in docs/results/*.csv rounds to"
        )


def test_the_readmes_claim_something() -> None:
    """A rule that finds no claim would hold of any text."""
    for page in READMES:
        found = list(claims(page))
        assert len({preset for _, preset in found if preset}) == 4
        assert len(found) >= 20


def test_the_differences_that_are_swapped_by_default_are_the_largest() -> None:
    table = pd.read_csv(RESULTS / "explain.csv").dropna(subset="setting")
    sizes = table.groupby("difference")["mean"].first().abs()
    assert set(sizes.nlargest(len(LARGEST)).index) == set(LARGEST)


@pytest.mark.parametrize(
    "path",
    sorted(path for path in RESULTS.rglob("*") if path.suffix in (".html", ".md", ".csv")),
    ids=lambda path: path.relative_to(RESULTS).as_posix(),
)
def test_no_page_names_a_store_that_its_readers_do_not_have(path: Path) -> None:
    found = re.findall(r"127\.0\.0\.1|sqlite:/|/root/|/home/", path.read_text())
    assert found == []
