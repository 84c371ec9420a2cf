"""results.csv: a line for each run and number, from which the page's numbers can be computed."""

from collections.abc import Iterator, Mapping

import pandas as pd

from mnist_exp.reproduce.bug_numbers import PREFIX, numbers
from mnist_exp.reproduce.claims import Assessment
from mnist_exp.reproduce.presets import BUGGY, METRIC
from mnist_exp.reproduce.results import BATCH_ACCURACY, COST, Reproduction, Result

TRAINING = "training seconds"  # a quantity that nothing is computed from


def table(reproduction: Reproduction) -> pd.DataFrame:
    """Return the lines of results.csv.

    Columns: preset, quantity, step, seed, value, run_id, shortened, and what was computed from
    all values of the same preset, quantity and step.
    """
    lines = [line for result in reproduction.results for line in _lines(result)]
    lines += [
        {"preset": BUGGY, "quantity": f"{PREFIX}{name}", "value": value}
        for name, value in (numbers(reproduction.bug) if reproduction.bug else ())
    ]
    return pd.DataFrame(lines)


def _lines(result: Result) -> Iterator[dict[str, object]]:
    run_ids = result.runs.run_ids
    for quantity, step, assessment, values in _quantities(result):
        for seed, value in values.items():
            yield {
                "preset": result.name,
                "quantity": quantity,
                "step": step,
                "seed": seed,
                "value": value,
                "run_id": run_ids[seed],
                "shortened": result.is_shortened,
                **_numbers(assessment, quantity),
            }
    for seed, value in result.seconds.items():
        yield {
            "preset": result.name,
            "quantity": TRAINING,
            "seed": seed,
            "value": value,
            "run_id": run_ids[seed],
        }


def _quantities(
    result: Result,
) -> Iterator[tuple[str, int | None, Assessment, Mapping[int, float]]]:
    """Yield (quantity, step, assessment, values by seed)."""
    yield METRIC, None, result.assessment, result.runs.accuracies
    for curve in result.curves:
        for point in curve.points:
            yield curve.metric, point.step, point.assessment, point.values
        yield f"{curve.metric}, mean", None, curve.mean, curve.means


def _numbers(assessment: Assessment, quantity: str) -> dict[str, object]:
    description = assessment.description
    plain: dict[str, object] = {
        "claim": assessment.claim,
        "n": description.n,
        "mean": description.mean,
        "sd": description.deviation,
    }
    if quantity == BATCH_ACCURACY:
        return plain  # 50 images have too few different accuracies for an interval
    below, above = assessment.noticed
    return {
        **plain,
        "ci_low": description.interval.low,
        "ci_high": description.interval.high,
        "ci_method": description.interval.method,
        "one_more_low": assessment.prediction.low,
        "one_more_high": assessment.prediction.high,
        "noticed_below": below,
        "noticed_above": above,
        "points_above_mean": None if quantity.startswith(COST) else assessment.points,
        "deviations_above_mean": assessment.deviations,
        "verdict": assessment.verdict,
    }
