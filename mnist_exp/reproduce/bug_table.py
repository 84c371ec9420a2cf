"""bug.csv and the lines of runs.csv: every number of bug.md, one line for each training."""

from collections.abc import Sequence

import pandas as pd

from mnist_exp.reproduce.bug_training import Trained
from mnist_exp.tracking import costs, environment
from mnist_exp.tracking.code_digest import code_digest

PAGE = "bug.md"


def table(trained: Sequence[Trained]) -> pd.DataFrame:
    """Return bug.csv."""
    return pd.DataFrame([_line(one) for one in trained])


def _line(one: Trained) -> dict[str, object]:
    case = one.case
    given = [digit for digit, count in enumerate(one.answers) if count]
    return {
        "start": case.start,
        "loss": "cross entropy" if case.is_meant else "own entropy",
        "learning_rate": case.rate,
        "seed": one.seed,
        "steps": one.steps,
        "ended": "finished" if one.broken_at is None else "stopped",
        "first_bad_step": one.broken_at,
        "test_accuracy_before": one.accuracy_at_start,
        "test_accuracy": one.accuracy,
        "classes_answered": len(given),
        "most_frequent_answer": one.answer,
        "its_share": max(one.answers) / sum(one.answers),
        "same_answer_as_before": one.kept,
        "confidence": one.confidence,
        "test_cost": one.test_cost,
        "first_cost": one.course[0, 1] if len(one.course) else None,
        "last_cost": one.course[-1, 1] if len(one.course) else None,
        "last_train_accuracy": one.course[-1, 2] if len(one.course) else None,
        "largest_change_of_a_weight": one.largest_change,
        "change_like_average_image": one.like_average,
        "preflight": " ".join(one.codes),
        "command": " ".join(("python -m mnist_exp", *case.overrides, f"seed={one.seed}")),
    }


def runs(trained: Sequence[Trained]) -> pd.DataFrame:
    """Return the lines of runs.csv; these trainings are in no store, and so have no run id."""
    here = costs.this_machine(environment.hardware())
    lines = [
        {
            "page": PAGE,
            "program": one.case.name,
            "seed": str(one.seed),
            "run_id": "",
            "code_digest": code_digest(),
            "steps": float(one.steps),
            "training_seconds": round(one.seconds, 1),
            "processor_seconds": round(one.processor_seconds, 1),
            "resumed": 0.0,
            "machine": here,
        }
        for one in trained
    ]
    return pd.DataFrame(lines, columns=list(costs.COLUMNS))
