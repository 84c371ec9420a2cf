"""benchmarks.digests: the same code gives the same digests, and a changed number is named."""

import ast
import json
import sys
from pathlib import Path

import pytest

from benchmarks import digests


@pytest.mark.slow
def test_the_same_code_gives_the_same_digests_and_a_change_is_named(
    workdir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        digests, "programs", lambda: {"one": ["model=softmax", "schedule.batch_size=100"]}
    )
    monkeypatch.setattr(sys, "argv", ["digests"])
    digests.main()
    first = json.loads((workdir / "digests.json").read_text())
    assert first["one"]["metrics"]["train/cost"].keys() == {"1", "2"}

    (workdir / "before.json").write_text(json.dumps(first))
    monkeypatch.setattr(sys, "argv", ["digests", "--against", "before.json"])
    with pytest.raises(SystemExit) as end:
        digests.main()
    assert end.value.code == 0
    assert "every number is as it was" in capsys.readouterr().out

    monkeypatch.setattr(digests, "programs", lambda: {"one": ["model=softmax", "seed=1"]})
    with pytest.raises(SystemExit) as end:
        digests.main()
    assert end.value.code == 1
    assert "one: state: " in capsys.readouterr().out


def test_it_runs_on_older_code() -> None:
    """Only `run` is asked of the package, in whatever module it lies."""
    imported = [
        (node.module, [alias.name for alias in node.names])
        for node in ast.walk(ast.parse(Path(digests.__file__).read_text()))
        if isinstance(node, ast.ImportFrom) and node.module
    ]
    own = [names for names in imported if names[0].startswith(("mnist_exp", "benchmarks"))]
    assert own == [("mnist_exp", ["run"])]
