from pathlib import Path

import mlflow
import pytest

from mnist_exp.tracking import metric_names
from mnist_exp.tracking.record import read_run
from mnist_exp.tracking.runs import Selection, Store


@pytest.mark.parametrize(
    ("earlier", "present"),
    [
        ("best/val_accuracy", metric_names.BEST_ACCURACY),
        ("reference/cost", metric_names.TUTORIAL_COST),
        ("preflight/errors", metric_names.PREFLIGHT_ERRORS),
        ("test/accuracy", "test/accuracy"),
        ("a.metric/of-a-user", "a.metric/of-a-user"),
    ],
)
def test_metrics_of_earlier_runs_have_their_present_names_wherever_they_are_read(
    earlier: str, present: str, workdir: Path
) -> None:
    client = mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")
    run_id = client.create_run("0").info.run_id
    client.log_metric(run_id, earlier, 0.25, step=1)
    client.log_metric(run_id, present, 0.5, step=2)  # a later version went on with the run
    assert read_run(None, run_id).metrics[present] == {1: "0.25", 2: "0.5"}
    assert list(Store().select(Selection(run_ids=(run_id,))).metrics) == [present]


def test_nothing_comes_before_the_test_accuracy_in_mlflows_lists() -> None:
    values = [value for key, value in vars(metric_names).items() if key.isupper() and key[0] != "_"]
    names = [name for value in values for name in ([value] if isinstance(value, str) else value)]
    assert len(names) == 9
    assert min([*names, "test/accuracy", "train/cost", "val/cost"]) == "test/accuracy"
