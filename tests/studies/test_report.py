from pathlib import Path

import pytest

from benchmarks.fake_runs import FakeRuns, trial
from mnist_exp.studies import report


def test_the_page_of_a_study(workdir: Path) -> None:
    runs = FakeRuns(workdir)
    for number, (rate, seed) in enumerate([("0.01", 0), ("0.01", 1), ("0.1", 0), ("0.1", 1)]):
        settings = {"optimizer.learning_rate": rate}
        runs.add(
            seed,
            0.9 + number / 100,
            settings=settings,
            tags=trial("rates", number, "optimizer.learning_rate"),
        )
    summary = report.write("rates", None, workdir)
    assert "over 2 paired seeds" in summary
    assert "study rates" in (workdir / "compare.html").read_text()


def test_a_study_does_not_fail_for_its_report(
    workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report.write("nothing", None, workdir) == ""
    assert capsys.readouterr().err.startswith(
        "study nothing: no compare.html (--study nothing: no such study"
    )
    assert not (workdir / "compare.html").exists()
