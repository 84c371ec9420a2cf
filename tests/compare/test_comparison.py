"""The comparison of a small study, and each of its numbers again with scipy alone."""

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from benchmarks.fake_runs import FakeRuns, predicted, trial
from mnist_exp.compare import table
from mnist_exp.compare.comparison import Comparison, compare
from mnist_exp.compare.question import Question
from mnist_exp.errors import UserError
from mnist_exp.tracking.runs import Selection, Store

LABELS = np.arange(200) % 10


@pytest.fixture
def study(fake_runs: FakeRuns) -> FakeRuns:
    """Study x: 7 seeds of softmax, 5 of mlp, 3 of cnn, 1 of tiny, and a run that failed."""
    rng = np.random.default_rng(1)
    number = 0
    for model, seeds, mean, wrong in (
        ("softmax", 7, 0.90, range(20)),
        ("mlp", 5, 0.92, range(12, 24)),
        ("cnn", 3, 0.95, range(3)),
        ("tiny", 1, 0.5, range(100)),
    ):
        for seed in range(seeds):
            fake_runs.add(
                seed,
                [0.3, 0.6, round(mean + rng.normal(0, 0.01), 4)],
                costs=[1.0, 0.5, 0.2],
                settings={"model": model},
                predictions=predicted(LABELS, wrong),
                tags=trial("x", number, "model seed"),
            )
            number += 1
    fake_runs.add(
        9,
        0.1,
        settings={"model": "mlp"},
        status="FAILED",
        tags=trial("x", number, "model seed", "FAIL"),
    )
    return fake_runs


def compared(**options: object) -> Comparison:
    return compare(Store(), Selection(study="x"), Question(**options))  # type: ignore[arg-type]


def test_every_number_again_from_the_csv_with_scipy_alone(study: FakeRuns) -> None:
    table.to_csv(compared()).to_csv("compare.csv", index=False)
    lines = pd.read_csv("compare.csv")
    assert len(lines) == 17
    counted = lines[lines["counted"]]
    groups = {str(name): part for name, part in counted.groupby("group")}
    (base,) = {name for name, part in groups.items() if part["is_baseline"].all()}
    assert base == "softmax"
    for part in groups.values():
        check_description(part)
    others = {name: part.iloc[0] for name, part in groups.items() if name != base}
    for name, row in others.items():
        pairs = groups[name].merge(groups[base], on="seed", suffixes=("", "_base"))
        check_difference(row, (pairs["value"] - pairs["value_base"]).to_numpy())
        alone = int(row["images_only_group_right"]), int(row["images_only_baseline_right"])
        assert row["mcnemar_p"] == pytest.approx(stats.binomtest(alone[0], sum(alone)).pvalue)
        assert row.filter(like="images_").sum() == 200
    for column in ("p", "mcnemar_p"):
        by_p = sorted(others.values(), key=lambda row: float(row[column]))
        adjusted = [(len(by_p) - i) * row[column] for i, row in enumerate(by_p)]
        expected = np.minimum(np.maximum.accumulate(adjusted), 1)
        assert [row[f"{column}_holm"] for row in by_p] == pytest.approx(list(expected))


def interval_again(x: np.ndarray, *, shares: bool = False) -> tuple[str, float, float]:
    """The method and the interval of the mean, with scipy alone."""
    n = len(x)
    if n == 1:
        return "none", np.nan, np.nan
    scale = special.logit(x) if shares else x
    ends = stats.t.interval(0.95, n - 1, loc=scale.mean(), scale=stats.sem(scale))
    low, high = special.expit(ends) if shares else ends
    if n < 5:
        return "t of logits" if shares else "t", low, high
    rng = np.random.default_rng(0)
    result = stats.bootstrap((x,), np.mean, n_resamples=9999, method="BCa", rng=rng)
    bca = result.confidence_interval
    return "BCa and t", min(low, bca.low), max(high, bca.high)


def check_description(part: pd.DataFrame) -> None:
    """Compare a group's own numbers with those of its lines' values."""
    row, x = part.iloc[0], part["value"].to_numpy()
    own = part.drop(columns=["run_id", "run_name", "seed", "value", "reason"])
    assert (own.nunique() <= 1).all()
    assert row["n"] == len(x)
    assert row["mean"] == pytest.approx(x.mean(), rel=1e-12)
    assert row["sd"] == pytest.approx(stats.tstd(x) if len(x) > 1 else np.nan, nan_ok=True)
    assert (row["median"], row["min"], row["max"]) == (np.median(x), x.min(), x.max())
    method, low, high = interval_again(x, shares=True)
    assert (row["ci_method"] if len(x) > 1 else "none") == method
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((low, high), rel=1e-9, nan_ok=True)


def check_difference(row: pd.Series, d: np.ndarray) -> None:
    """Compare a group's difference, its p and its verdict with those of the paired differences."""
    n = len(d)
    assert row["pairs"] == n
    assert row["difference"] == pytest.approx(d.mean())
    _, low, high = interval_again(d)
    ends = (row["difference_low"], row["difference_high"])
    assert ends == pytest.approx((low, high), rel=1e-9, nan_ok=True)
    if n > 1:
        exact = stats.permutation_test(
            (d,), np.mean, permutation_type="samples", n_resamples=np.inf
        )
        assert row["p"] == pytest.approx(exact.pvalue)
    shown = n >= 3 and (low > 0 or high < 0)
    verdict = "better" if d.mean() > 0 else "worse"
    none = "no difference shown" if n >= 3 else "too few seeds"
    assert row["verdict"] == (verdict if shown else none)


@pytest.mark.slow
def test_every_number_about_the_margin_again_with_scipy_alone(study: FakeRuns) -> None:
    table.to_csv(compared().against(0.08)).to_csv("compare.csv", index=False)
    lines = pd.read_csv("compare.csv")
    counted = lines[lines["counted"]].set_index("seed")
    base = counted[counted["is_baseline"]]["value"]
    others = [part for _, part in counted[~counted["is_baseline"]].groupby("group")]
    p_values = {}
    for part in others:
        row, d = part.iloc[0], (part["value"] - base).dropna().to_numpy()
        assert row["margin"] == 0.08
        if len(d) < 3:
            assert np.isnan(row["p_equivalence"])
            continue
        one_sided = [
            stats.ttest_1samp(d, end, alternative=side).pvalue
            for end, side in ((-0.08, "greater"), (0.08, "less"))
        ]
        assert row["p_equivalence"] == pytest.approx(max(one_sided))
        p_values[row["group"]] = max(one_sided)
        ends = stats.t.interval(0.9, len(d) - 1, loc=d.mean(), scale=stats.sem(d))
        assert (row["difference_90_low"], row["difference_90_high"]) == pytest.approx(ends)
        (needed,) = [n for n in range(3, 9999) if power(0.08 / stats.tstd(d), n) >= 0.8][:1]
        assert row["seeds_needed"] == needed
        assert row["seeds_needed_low"] <= needed <= row["seeds_needed_high"]
    holm = [row["p_equivalence_holm"] for row in (part.iloc[0] for part in others)]
    assert np.nanmin(holm) == pytest.approx(len(p_values) * min(p_values.values()))


def power(effect: float, n: int) -> float:
    """How often a two-sided t test at 5% of n pairs finds an effect above zero."""
    return float(stats.nct.sf(stats.t.ppf(0.975, n - 1), n - 1, effect * n**0.5))


def test_the_failed_run_is_in_the_csv_and_in_no_number(study: FakeRuns) -> None:
    lines = table.to_csv(compared())
    failed = lines[lines["status"] == "failed"]
    assert list(failed["seed"]) == ["9"]
    assert not failed["counted"].any()
    assert (lines[lines["group"] == "mlp"]["n"] == 5).all()


def test_images_only_one_group_gets_right(study: FakeRuns) -> None:
    mlp = {row.group.label: row.agreement for row in compared().others}["mlp"]
    assert mlp is not None
    assert (mlp.only_group, mlp.only_baseline, mlp.neither, mlp.both) == (12, 4, 8, 176)


def test_groups_tested_on_other_images_are_not_compared_on_them(fake_runs: FakeRuns) -> None:
    for model, labels in (("softmax", LABELS), ("mlp", LABELS[:100]), ("cnn", (LABELS + 1) % 10)):
        fake_runs.add(
            0,
            0.9,
            settings={"model": model},
            predictions=predicted(labels, [1]),
            tags=trial("x", 0, "model"),
        )
    fake_runs.add(0, 0.9, settings={"model": "none"}, tags=trial("x", 1, "model"))
    comparison = compared()
    assert [row for row in comparison.rows if row.predictions is not None] == []
    assert "mlp was tested on other images than softmax" in comparison.warnings


def test_a_damaged_predictions_file_is_as_none(study: FakeRuns) -> None:
    runs = Store().select(Selection(study="x"))
    path = runs.info["artifacts"].iloc[0] + "/predictions/test.npz"
    with open(path, "wb") as file:
        file.write(b"PK\x03\x04 no zip")
    comparison = compared()
    assert "1 of 16 runs has no predictions/test.npz that can be read" in comparison.warnings
    assert sum(row.predictions is not None for row in comparison.rows) == 3


def test_curves_are_median_and_range_over_seeds(fake_runs: FakeRuns) -> None:
    for seed, last in enumerate((0.7, 0.9, 0.8)):
        fake_runs.add(seed, [0.5, last], tags=trial("x", seed, "seed"))
    (curve,) = compared().curves["test/accuracy"]
    assert curve.step.tolist() == [1, 2]
    assert (curve.low[1], curve.middle[1], curve.high[1]) == (0.7, 0.8, 0.9)


def test_a_metric_that_is_better_when_lower(fake_runs: FakeRuns) -> None:
    for model, cost in (("softmax", 0.3), ("mlp", 0.1)):
        for seed in range(4):
            fake_runs.add(
                seed,
                0.9,
                settings={"model": model},
                costs=[cost + seed / 100 + (seed == 3 and model == "mlp") / 50],
                tags=trial("x", 0, "model"),
            )
    comparison = compared(metric="train/cost")
    assert [row.group.label for row in comparison.rows] == ["mlp", "softmax"]
    assert comparison.others[0].difference is not None
    assert comparison.others[0].difference.verdict == "better"
    assert compared(metric="train/cost", higher_is_better=True).rows[0].group.label == "softmax"


def test_environment_and_data_differences_are_warned_of(fake_runs: FakeRuns) -> None:
    fake_runs.add(0, 0.9, tags=trial("x", 0, "seed") | {"data.digest": "a" * 64})
    fake_runs.add(
        1,
        0.9,
        packages="numpy==2.4.5\n",
        tags=trial("x", 1, "seed") | {"data.digest": "b" * 64, "git.commit": "d" * 40},
    )
    assert compared().warnings == (
        "data differs: aaaaaaaaaaaa (1 run), bbbbbbbbbbbb (1 run)",
        "code (git commit) differs: cccccccccccc (1 run), dddddddddddd (1 run)",
        "numpy differs: 2.4.6 (1 run), 2.4.5 (1 run)",
    )


def test_effects_only_of_a_study_that_varies_several_settings(fake_runs: FakeRuns) -> None:
    for i, (loss, rate) in enumerate([("a", "0.001"), ("b", "0.001"), ("a", "0.1"), ("b", "0.1")]):
        settings = {"loss": loss, "optimizer.learning_rate": rate}
        fake_runs.add(
            0,
            0.5 + i / 10,
            settings=settings,
            tags=trial("x", i, "loss optimizer.learning_rate seed"),
        )
    effects = {effect.key: effect for effect in compared().effects}
    assert list(effects) == ["loss", "optimizer.learning_rate"]
    assert (effects["loss"].numeric, effects["optimizer.learning_rate"].logarithmic) == (
        False,
        True,
    )
    assert effects["loss"].levels == ("a", "b", "a", "b")
    assert compare(Store(), Selection(filter="params.loss = 'a'")).effects == ()


def test_nothing_to_compare(fake_runs: FakeRuns) -> None:
    fake_runs.add(0, 0.9, status="FAILED", tags=trial("x", 0, "seed", "FAIL"))
    with pytest.raises(UserError, match="^no run selected by study x counts: 1 failed"):
        compared()
    with pytest.raises(UserError, match="--metric val/acuracy: no selected run has it"):
        compared(metric="val/acuracy")
