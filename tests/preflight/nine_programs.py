"""The programs of docs/preflight.md, section "Nine programs of nine tasks", and their reports.

python -m tests.preflight.nine_programs    # run them, and write the reports into the page
"""

import contextlib
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras

PAGE = Path(__file__).parents[2] / "docs" / "preflight.md"
_TITLE = "## Nine programs of nine tasks"
_BLOCK = re.compile(r"(```python\n(?P<program>.*?)```\n\n```text\n)(?P<report>.*?)```", re.DOTALL)


def section(page: str) -> str:
    """Return the section of the page."""
    return page.split(_TITLE)[1].split("\n## ")[0]


def shared_lines(page: str) -> str:
    """Return the imports that all of the programs share."""
    (lines,) = re.findall(r"```python\n(.*?)```", section(page).split("**")[0], re.DOTALL)
    return str(lines)


def programs(page: str) -> Iterator[tuple[str, str]]:
    """Yield every program with the report that the page shows."""
    for block in _BLOCK.finditer(section(page).split("**", 1)[1]):
        yield block["program"], block["report"]


def printed(shared: str, program: str) -> str:
    """Run a program and return what it prints."""
    keras.backend.clear_session(free_memory=False)
    names: dict[str, Any] = {}
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(shared + program, names)  # noqa: S102
    return output.getvalue()


def main() -> None:
    """Write the reports into the page."""
    page = PAGE.read_text()
    for program, report in programs(page):
        new = printed(shared_lines(page), program)
        page = page.replace(
            f"{program}```\n\n```text\n{report}```", f"{program}```\n\n```text\n{new}```"
        )
    PAGE.write_text(page)


if __name__ == "__main__":
    main()
