"""Small real data, a composed config, and a tracking store that costs no schema creation."""

import contextlib
import gzip
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from benchmarks import postgresql as postgresql_server
from benchmarks.fake_runs import FakeRuns
from mnist_exp import data
from mnist_exp.config import groups, schema
from mnist_exp.config.tree import compose
from tests.support.idx import idx_bytes
from tests.support.runs import Started, Trained
from tests.support.surroundings import skip_unless_required

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
# No test measures time: a busy machine would fail it. New findings of hypothesis belong on a
# developer's screen, not into a check of another change.
hypothesis.settings.register_profile("mnist_exp", deadline=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("mnist_exp")
os.environ.pop("MLFLOW_TRACKING_URI", None)
# A shell leaves Ctrl-C ignored in what it starts in the background, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=25, help="kills of the slow test of resumption")
    parser.addoption(
        "--crowds", type=int, default=10, help="crowds of processes that start at once"
    )
    parser.addoption(
        "--cases", type=int, help="how many cases are run of each test that has parameters"
    )
    parser.addoption(
        "--pictures", type=Path, help="a folder for the pictures that tests make: docs/images"
    )


@pytest.hookimpl(tryfirst=True, specname="pytest_collection_modifyitems")  # before -m has chosen
def pytest_mark_later_cases(items: list[pytest.Item]) -> None:
    """Mark as slow what follows the first `n` cases of a test with `first_cases(n)`."""
    seen = Counter[str]()
    for item in items:
        if first := item.get_closest_marker("first_cases"):
            name = item.nodeid.partition("[")[0]
            seen[name] += 1
            if seen[name] > first.args[0]:
                item.add_marker(pytest.mark.slow)


@pytest.hookimpl(trylast=True)  # when -k and -m have chosen
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the first `--cases` of each test."""
    most: int | None = config.getoption("--cases")
    if most is None:
        return
    seen = Counter[str]()
    for item in items[:]:
        name = item.nodeid.partition("[")[0]
        seen[name] += 1
        if seen[name] > most:
            items.remove(item)
            config.hook.pytest_deselected(items=[item])


@pytest.fixture(autouse=True)
def no_folders_of_other_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command of an earlier test in this process may have had a --config-dir."""
    monkeypatch.setattr(groups, "_own_folders", ())


@pytest.fixture
def pictures(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The folder into which a test writes a picture of the docs: docs/images, if asked for."""
    asked: Path | None = request.config.getoption("--pictures")
    typed_in = request.config.invocation_params.dir  # a test may work in another folder
    folder = tmp_path / "pictures" if asked is None else typed_in / asked
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def mnist() -> data.Dataset:
    """The whole shipped MNIST."""
    return data.load()


@pytest.fixture(scope="session")
def small_mnist(mnist: data.Dataset) -> data.Dataset:
    """The first 300 images of every split of MNIST."""
    return data.Dataset(
        train=mnist.train.first(300),
        val=mnist.val.first(300),
        test=mnist.test.first(300),
        source="a slice of MNIST",
    )


@pytest.fixture
def settings() -> Callable[..., schema.Config]:
    """Compose a config from overrides, as the command line does."""
    return lambda *overrides: compose(overrides).config


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
    """An MLflow database with its schema alone; making one takes seconds, copying it none."""
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


@pytest.fixture(scope="session")
def start(
    tmp_path_factory: pytest.TempPathFactory, empty_store: Path
) -> Iterator[Callable[..., Started]]:
    """Start `python ARGUMENTS` and go on: other tests run while it loads TensorFlow."""
    processes = []

    def started(*arguments: str) -> Started:
        folder = tmp_path_factory.mktemp("started")
        shutil.copy(empty_store, folder / "mlflow.db")
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        processes.append(
            subprocess.Popen([sys.executable, *arguments], cwd=folder, text=True, **pipes)
        )
        return Started(folder, processes[-1])

    yield started
    for process in processes:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Trained:
    """Two epochs of a smaller cnn3x3 on all images: fifteen seconds on two idle cores."""
    from mnist_exp import run

    folder = tmp_path_factory.mktemp("trained")
    shutil.copy(empty_store, folder / "mlflow.db")
    small = [
        "model=cnn3x3",
        "model.filters=[16,32]",
        "init=he",
        "preflight=off",
        "schedule.epochs=2",
    ]
    fast = ["schedule=one_cycle", "optimizer.learning_rate=0.006", "schedule.batch_size=128"]
    with contextlib.chdir(folder):
        result = run([*small, *fast])
    assert result.test_accuracy > 0.985
    return Trained(
        folder=folder,
        uri=f"sqlite:///{folder}/mlflow.db",
        run_id=result.run_id,
        variant=result.run_name.removesuffix("-s0"),
        test_accuracy=result.test_accuracy,
    )


@pytest.fixture
def bare_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of this process make no figures and no model file, and look for no preset."""
    from mnist_exp.experiment import outcome, runner
    from mnist_exp.tracking.tracker import RunTracker

    monkeypatch.setattr(outcome, "log_figures", lambda *_: None)
    monkeypatch.setattr(RunTracker, "log_model", lambda *_: None)
    monkeypatch.setattr(runner, "find_preset", lambda _: None)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[postgresql_server.Server]:
    """A PostgreSQL server; without one, skip with the reason, or fail where CI has installed it."""
    try:
        with postgresql_server.running(durable=False) as server:
            yield server
    except postgresql_server.Unavailable as reason:
        skip_unless_required("postgresql", str(reason))


@pytest.fixture
def fake_runs(workdir: Path) -> FakeRuns:
    """Into the store of the current folder, which is empty."""
    return FakeRuns(workdir)
