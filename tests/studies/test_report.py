from pathlib import Path

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import create_trial

from benchmarks.fake_runs import FakeRuns, trial
from mnist_exp.studies import report

RATE = FloatDistribution(1e-3, 1, log=True)
SEED = CategoricalDistribution([0, 1])
OBJECTIVE = ["val/accuracy"]


def a_study(name: str, params: list[tuple[float, int]]) -> optuna.Study:
    study = optuna.create_study(study_name=name, direction="maximize")
    for number, (rate, seed) in enumerate(params):
        study.add_trial(
            create_trial(
                value=0.9 + number / 100,
                params={"optimizer.learning_rate": rate, "seed": seed},
                distributions={"optimizer.learning_rate": RATE, "seed": SEED},
            )
        )
    return study


def test_a_study_with_several_seeds_is_compared(workdir: Path) -> None:
    runs = FakeRuns(workdir)
    tried = [(0.01, 0), (0.01, 1), (0.1, 0), (0.1, 1)]
    for number, (rate, seed) in enumerate(tried):
        settings = {"optimizer.learning_rate": str(rate)}
        tags = trial("rates", number, "optimizer.learning_rate")
        runs.add(seed, 0.9 + number / 100, settings=settings, tags=tags)
    pages = report.write(a_study("rates", tried), OBJECTIVE, None, workdir)
    assert "over 2 paired seeds" in pages["compare.html"]
    assert "study rates" in (workdir / "compare.html").read_text()


def test_a_search_has_a_page_that_answers_what_is_best(workdir: Path) -> None:
    study = a_study("rates", [(0.01, 0), (0.1, 0), (0.2, 1)])
    pages = report.write(study, OBJECTIVE, None, workdir)
    assert pages["tuning.html"].startswith("Trial 2 has the highest val/accuracy of 3 trials, 0.92")
    text = (workdir / "tuning.html").read_text()
    assert "optimizer.learning_rate, log scale" in text
    assert [path.name for path in workdir.glob("*.html")] == ["tuning.html"]


def test_a_study_does_not_fail_for_its_report(
    workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report.write(a_study("nothing", []), OBJECTIVE, None, workdir) == {}
    assert capsys.readouterr().err.startswith(
        "study nothing: no compare.html (--study nothing: no such study"
    )
    assert not (workdir / "compare.html").exists()
