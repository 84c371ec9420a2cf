"""docs/compare.md has the tables of `python -m benchmarks.verdicts`: again, from fewer samples."""

import math
import re

import pytest

from benchmarks import verdicts

TABLES = {table.title: table for table in verdicts.all_tables()}
ROWS = [(table.title, case.name) for table in TABLES.values() for case in table.cases]


def written() -> dict[tuple[str, str], list[float]]:
    """Return the shares of each row of each table, by title and case."""
    rows, title = {}, ""
    for line in verdicts.PAGE.read_text().splitlines():
        if line.startswith("**") and line.strip("*") in TABLES:
            title = line.strip("*")
        elif title and (cells := re.findall(r"(\d+)% \|", line)):
            rows[title, line.split(" | ")[0].removeprefix("| ")] = [int(x) / 100 for x in cells]
        elif line.startswith("## "):
            title = ""
    return rows


def disagreement(title: str, name: str, column: int, samples: int) -> float:
    """Return how far a cell is from the page, in standard errors of both."""
    table = TABLES[title]
    (case,) = [case for case in table.cases if case.name == name]
    told = written()[title, name][column]
    again = table.cell(case, *verdicts.COLUMNS[column], samples * table.part)
    share = min(max((told + again) / 2, 1 / samples), 1 - 1 / samples)
    error = math.sqrt(share * (1 - share) * (1 / samples + table.part / verdicts.SAMPLES))
    return max(0.0, abs(told - again) - 0.005) / error  # the page has whole percents


def test_the_page_has_all_rows_and_columns() -> None:
    rows = written()
    assert list(rows) == ROWS
    assert {len(cells) for cells in rows.values()} == {len(verdicts.COLUMNS)}


@pytest.mark.first_cases(2)
@pytest.mark.parametrize("column", [0, 4])  # 3 pairs, and 5 runs each that are not paired
@pytest.mark.parametrize("title", [title for title, table in TABLES.items() if table.part < 4])
def test_the_cells_of_normal_runs_are_those_of_the_page(title: str, column: int) -> None:
    assert disagreement(title, "normal", column, 150) < 4


@pytest.mark.slow
@pytest.mark.parametrize(("title", "name"), ROWS)
def test_every_cell_is_that_of_the_page(title: str, name: str) -> None:
    far = [disagreement(title, name, column, 150) for column in range(len(verdicts.COLUMNS))]
    assert max(far) < 4.5
