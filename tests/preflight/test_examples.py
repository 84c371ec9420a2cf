"""The example of docs/howto/find_a_bug.md does what the page says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.waiting import LIMIT

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "find_a_bug.md"


@pytest.mark.parametrize(
    ("removed", "answer"),
    [
        ("", "preflight: 0 errors, 0 warnings"),
        (" / 255", "ERROR INPUT_SCALE: .* WARNING INITIAL_LOSS_UNEXPECTED: "),
    ],
)
def test_my_check(tmp_path: Path, removed: str, answer: str) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "my_check.py").write_text(program.replace(removed, "") if removed else program)
    done = subprocess.run(
        [sys.executable, "my_check.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=True,
    )
    assert re.search(answer, " ".join(done.stdout.split()))
