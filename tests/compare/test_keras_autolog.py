"""Runs of a Keras program of somebody else, which MLflow's autologging recorded."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from mnist_exp import data
from mnist_exp.compare.results import compare_runs

pytestmark = pytest.mark.slow


@pytest.fixture
def autologged(workdir: Path, mnist: data.Dataset) -> Iterator[dict[int, list[float]]]:
    """The last val_accuracy of three runs without a seed, for each of two sizes of a batch."""
    import keras
    import mlflow

    mlflow.set_tracking_uri(f"sqlite:///{workdir}/mlflow.db")
    mlflow.set_experiment("theirs")
    mlflow.keras.autolog(log_models=False, log_datasets=False)
    images, labels = mnist.train.images[:400] / 255, mnist.train.labels[:400]
    last: dict[int, list[float]] = {}
    for batch in (8, 400):  # with the large one, it learns next to nothing
        for _ in range(3):
            model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
            model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
            with mlflow.start_run():
                fitted = model.fit(
                    images, labels, batch_size=batch, epochs=2, validation_split=0.25, verbose=0
                )
            last.setdefault(batch, []).append(fitted.history["val_accuracy"][-1])
    mlflow.keras.autolog(disable=True)
    yield last
    mlflow.set_tracking_uri(None)  # type: ignore[arg-type]


def test_runs_that_autologging_recorded(autologged: dict[int, list[float]]) -> None:
    compared = compare_runs(experiment="theirs", metric="val_accuracy", baseline="batch_size=400")
    assert compared.verdicts == {"batch_size=8": "better"}
    better, base = (np.array(autologged[batch]) for batch in (8, 400))
    row = compared.table.set_index("group").loc["batch_size=8"]
    assert row["mean"] == pytest.approx(better.mean())
    welch = stats.ttest_ind(better, base, equal_var=False).confidence_interval()
    assert (row["difference_low"], row["difference_high"]) == pytest.approx((welch.low, welch.high))
    assert row["p"] == pytest.approx(0.1)  # 2 of the 20 ways to sort six runs into two groups
    assert any("No seed was found" in note for note in compared.notes)
    page = compared.save().read_text()
    assert '<section id="learning-curves">' in page  # autologging records each epoch
    assert "val_accuracy" in page
