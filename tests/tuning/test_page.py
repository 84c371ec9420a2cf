"""The page of studies of every kind, and what its figures show."""

import math
import re

import numpy as np
import pytest

from mnist_exp.compare.strips import Strips
from mnist_exp.tuning import charts, page
from mnist_exp.tuning.trials import State, Study, Trial
from tests.tuning.studies import a_study, a_trial

BOTH = {"val/accuracy": True, "time/training_seconds": False}
RATES = 10 ** np.linspace(-4, -1, 30)


def a_search(count: int, parameters: int = 2) -> Study:
    """One parameter decides; every third trial is pruned, and every tenth fails."""
    trials = []
    for i in range(count):
        rate = float(RATES[7 * i % 30])
        params: dict[str, object] = {
            "optimizer.learning_rate": rate,
            "model": ["cnn3x3", "mlp"][i % 2],
        }
        params |= {f"model.a_setting_with_a_long_name_{k}": (i * 7 + k) % 5 / 4
                   for k in range(parameters - 2)}  # fmt: skip
        value = 0.98 - 0.1 * (math.log10(rate) + 2.5) ** 2
        course = {1: value - 0.1, 2: value}
        if i % 10 == 9:
            trials.append(a_trial(i, params, state=State.FAILED, reason="the cost became NaN"))
        elif i % 3 == 2:
            trials.append(a_trial(i, params, state=State.PRUNED, course={1: value - 0.1}))
        else:
            trials.append(a_trial(i, params, value, course=course))
    return a_study(trials, name="search")


def marks(html: str, kind: str) -> int:
    return len(re.findall(rf'class="trial {kind}"', html.split("<header>")[1]))


def test_the_command_for_the_best_settings_names_the_folder_of_the_images() -> None:
    html, _ = page.render(a_search(30), "now", "my flowers")
    assert "python -m mnist_exp best_of=search &#34;data.dir=&#39;my flowers&#39;&#34;" in html
    assert "python -m mnist_exp best_of=search</code>" in page.render(a_search(30), "now")[0]


def test_a_search_with_pruned_and_failed_trials() -> None:
    html, summary = page.render(a_search(30), "now")
    assert summary.startswith("Trial 15 has the highest val/accuracy of 30 trials, 0.9")
    assert (
        "What is shown to matter after epoch 1, which all trials reached: optimizer.learning_rate"
        in summary
    )
    assert "18 complete, 9 pruned, 3 failed" in html
    assert "the cost became NaN: trials 9, 19, 29" in html
    assert "optimizer.learning_rate, log scale" in html
    assert "python -m mnist_exp" in html
    legends = 2
    history, settings = 1, 2
    assert marks(html, "failed") == legends + 3 * (history + settings)
    assert marks(html, "pruned") == legends + 9 * (history + settings + 1)  # 1: on their way
    assert marks(html, "best") == legends + history + settings + 1


def test_the_line_of_the_best_so_far_is_of_steps() -> None:
    values = [0.5, 0.7, 0.6, 0.9]
    trials = [a_trial(i, {"x": float(i)}, v) for i, v in enumerate(values)]
    html, _ = page.render(a_study(trials), "now")
    (path,) = re.findall(r'<path class="line s2" d="([^"]+)"', html)
    assert re.fullmatch(r"M[\d.,]+(H[\d.]+V[\d.]+){2}H[\d.]+", path)


@pytest.mark.parametrize(
    ("trials", "said"),
    [
        ([], "This study has no trial yet."),
        (
            [a_trial(0, {"x": 1.0}, 0.9)],
            "Trial 0, the only one that counts, has val/accuracy 0.9000. 1 trial with a value",
        ),
        (
            [a_trial(i, {"x": 1.0}, 0.9) for i in range(2)],
            "Nothing was searched: all trials have the same settings.",
        ),
        (
            [a_trial(i, {"x": i}, 0.9 - i / 100, is_feasible=i > 0) for i in range(3)],
            "Trial 1 has the highest val/accuracy of 2 trials that broke no constraint, 0.8900",
        ),
        (
            [a_trial(0, {"x": 1.0}, 0.9, is_feasible=False)],
            "No value that counts: of 1 trial, 1 complete (1 of them breaks a constraint).",
        ),
        ([a_trial(i, {"x": i}, state=State.FAILED) for i in range(3)],
         "No value yet: of 3 trials, 3 failed."),
        ([a_trial(0, {}, state=State.WAITING)], "No value yet: of 1 trial, 1 waiting."),
        ([a_trial(i, {"model": name}, 0.9 + i / 100) for i, name in enumerate("abc")],
         "Trial 2 has the highest val/accuracy of 3 trials, 0.9200, with model=c."),
        ([a_trial(i, {"x": float(i)}, 0.5) for i in range(20)], "All trials have the same value"),
        ([a_trial(0, {"x": None}, math.inf), a_trial(1, {"x": True}, 0.5)], "with x=true."),
    ],
)  # fmt: skip
def test_studies_of_few_or_no_values(trials: list[Trial], said: str) -> None:
    html, summary = page.render(a_study(trials), "now")
    assert said in summary
    assert "nan" not in html
    assert "inf%" not in html


def test_several_objectives_have_a_front_and_each_its_settings() -> None:
    trials = [
        a_trial(i, {"model": "ab"[i % 2], "rate": i / 20}, 0.9 + i / 200, 1.0 + (i - 5) ** 2)
        for i in range(12)
    ]
    html, summary = page.render(a_study(trials, BOTH), "now")
    assert summary.startswith(
        "7 of 12 trials are on the Pareto front of val/accuracy and time/training_seconds"
    )
    assert "time/training_seconds against each setting" in html
    assert "Best so far" not in html
    assert "best_of" not in html


def test_two_hundred_trials_of_fifteen_settings_stay_a_small_page() -> None:
    html, _ = page.render(a_search(200, 15), "now")
    assert len(html) < 800_000
    assert "and 90 more, all in trials.csv" in html
    assert "http" not in html


def test_names_and_reasons_of_others_are_only_text() -> None:
    foreign = "<script>alert(1)</script>"
    trials = [
        a_trial(0, {foreign: foreign}, 0.9),
        a_trial(1, {foreign: "b"}, state=State.FAILED, reason=foreign),
    ]
    html, _ = page.render(a_study(trials, {foreign: True}, foreign), foreign)
    assert foreign not in html
    assert html.count("<script") == 1  # the page's own


def test_values_that_four_digits_do_not_tell_apart_are_two_rows_with_two_names() -> None:
    texts = ("0.123411", "0.123414", "0.009999999776482582")
    study = a_study([a_trial(i, {"rate": text}, i / 10) for i, text in enumerate(texts)])
    points = charts.points(study, 0)
    strips = charts.against(study, points, "rate", 0, charts.value_scale([0.0, 0.2], "val/cost"))
    assert isinstance(strips, Strips)
    assert [row.name for row in strips.rows] == ["0.01", "0.123411", "0.123414"]
