"""Small real data, a composed config, and a tracking store that costs no schema creation."""

import gzip
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest

from mnist_exp import config, data

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
# What hypothesis finds new belongs on a developer's screen, not in a check of somebody else's change.
hypothesis.settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    hypothesis.settings.load_profile("ci")
os.environ.pop("MLFLOW_TRACKING_URI", None)


@pytest.fixture(scope="session")
def mnist() -> data.Dataset:
    """The whole shipped MNIST."""
    return data.load()


@pytest.fixture(scope="session")
def small_mnist(mnist: data.Dataset) -> data.Dataset:
    """The first 300 images of every split of MNIST."""
    return data.Dataset(
        mnist.train.first(300), mnist.val.first(300), mnist.test.first(300), "a slice of MNIST"
    )


@pytest.fixture
def settings() -> Callable[..., config.Config]:
    """Compose a config from overrides, as the command line does."""
    return lambda *overrides: config.compose(overrides).config


def idx_bytes(values: np.ndarray) -> bytes:
    """An IDX file of unsigned bytes: images [N, 28, 28] or labels [N]."""
    magic = 0x800 + values.ndim
    return np.array([magic, *values.shape], ">u4").tobytes() + values.astype(np.uint8).tobytes()


@pytest.fixture
def idx_folder(tmp_path: Path, mnist: data.Dataset) -> Path:
    """A data folder with 200 training and 100 test images, two files gzipped and two plain."""
    folder = tmp_path / "idx"
    folder.mkdir()
    for part, split, count in (("train", mnist.train, 200), ("t10k", mnist.test, 100)):
        images, labels = split.images[:count, :, :, 0], split.labels[:count]
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx_bytes(images)))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx_bytes(labels))
    return folder


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An MLflow database with its schema and nothing in it; making one takes seconds, copying it none."""
    import mlflow

    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    mlflow.MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def workdir(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, but for a fresh mlflow.db."""
    folder = tmp_path / "work"
    folder.mkdir()
    shutil.copy(empty_store, folder / "mlflow.db")
    monkeypatch.chdir(folder)
    return folder


def only_run(workdir: Path, experiment: str = "mnist_exp") -> Any:
    """The one run in the folder's database."""
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")
    found = client.get_experiment_by_name(experiment)
    assert found is not None
    (run,) = client.search_runs([found.experiment_id])
    return run
