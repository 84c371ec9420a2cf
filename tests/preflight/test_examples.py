"""The example of docs/howto/find_a_bug.md does what the page says."""

import re
import runpy
from pathlib import Path

import keras
import pytest

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "find_a_bug.md"


@pytest.mark.first_cases(1)
@pytest.mark.parametrize(
    ("removed", "answer"),
    [
        ("", "preflight: 0 errors, 0 warnings"),
        (" / 255", "ERROR INPUT_SCALE: .* WARNING INITIAL_LOSS_UNEXPECTED: "),
    ],
)
def test_my_check(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    removed: str,
    answer: str,
) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "my_check.py").write_text(program.replace(removed, "") if removed else program)
    monkeypatch.chdir(tmp_path)
    keras.backend.clear_session(free_memory=False)
    keras.utils.set_random_seed(0)
    runpy.run_path("my_check.py", run_name="__main__")
    assert re.search(answer, " ".join(capsys.readouterr().out.split()))
