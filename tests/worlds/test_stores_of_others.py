"""What a store, its URI and MLflow's environment can be, and what is reported."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import mlflow
import pytest

from mnist_exp import data, runs
from mnist_exp.predict.trained_models import Models
from mnist_exp.tracking import store
from mnist_exp.tracking.addresses import check_uri, store_uri
from mnist_exp.tracking.lifetime import track_run
from mnist_exp.tracking.store import uri_to_read
from tests.support.jobs import a_job
from tests.support.runs import TINY, Started, only_run
from tests.support.stores import refused, use
from tests.support.waiting import LIMIT


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("postgres://me@h/db", "postgres is no kind of store; did you mean postgresql?"),
        ("htp://h:5000", "htp is no kind of store; did you mean http?"),
        ("oracle://h/db", "oracle is no kind of store"),
        ("C:\\runs\\mlflow.db", "is no URI of a database or server"),
        ("sqlite:///C:\\runs\\mlflow.db", "names no file of this system"),
        ("./mlruns", "is no URI of a database or server"),
        ("mlruns/mlflow.db", "is no URI of a database or server"),
        ("file:///tmp/mlruns", "is no URI of a database or server"),
        ("", "is no URI of a database or server"),
        ("sqlite://", "names no file of this system"),
        ("sqlite:///:memory:", "names no file of this system"),
        ("sqlite://mlflow.db", "names no file of this system"),
        ("sqlite:/mlflow.db", "names no file of this system"),
        ("http://[::1", "is no address (Invalid IPv6 URL)"),
        ("http://h:99999", "is no address (Port out of range 0-65535)"),
        ("http://h:port", "is no address (Port could not be cast"),
        ("https:///x", "names no host"),
    ],
)
def test_a_uri_that_can_be_no_store(
    uri: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = refused(lambda: check_uri(uri))
    assert shown.startswith(f"tracking.uri={uri}: {words}")
    assert "sqlite:///FILE" in shown
    if uri:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        for action in (lambda: check_uri(None), use, lambda: Models(None)):
            assert refused(action).startswith(f"MLFLOW_TRACKING_URI={uri}: {words}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        (f"sqlite:////tmp/{'x' * 3000}/mlflow.db", "File name too long"),
        ("sqlite:////proc/nowhere/x.db", "No such file or directory"),
        ("postgresql://me@h:port/db", "invalid literal for int"),
        ("sqlite:////proc/x.db", "No such file or directory"),
        ("http://127.0.0.1:9", "cannot be used (NewConnectionError("),
        ("mssql://h/db", "its driver, the Python module pyodbc, is not installed"),
        ("mysql://me@127.0.0.1:1/db", "its driver, the Python module MySQLdb, is not installed"),
    ],
)
def test_a_store_that_cannot_be_opened_is_told_at_once(
    uri: str, words: str, tmp_path: Path
) -> None:
    with contextlib.chdir(tmp_path):
        shown = refused(lambda: use(uri))
    assert shown.startswith(f"tracking.uri={uri[:100]}")
    assert words in shown
    assert list(tmp_path.iterdir()) == []


def test_a_password_need_not_be_part_of_a_url(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLAlchemy takes it, and urlsplit raises ValueError for it."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "postgresql://me:pass[word#:1@h/db")
    check_uri(None)


def _sql(file: Path, *statements: str) -> None:
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


OTHER_VERSION = ("UPDATE alembic_version SET version_num = 'ffffffffffff'",)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda file: file.write_bytes(b"no database" * 1000), "file is not a database"),
        (lambda file: os.truncate(file, 200_000), "malformed"),
        (
            lambda file: _sql(file, *OTHER_VERSION),
            "its tables are of another version of MLflow; `mlflow db upgrade",
        ),
        (
            lambda file: _sql(file, *OTHER_VERSION, "DROP TABLE webhooks"),
            "its tables are of another version of MLflow",
        ),
        (lambda file: (file.unlink(), file.mkdir()), "database file"),
        (lambda file: file.with_name(".mlflow.db.lock").mkdir(), "mlflow.db.lock"),
    ],
)
def test_a_database_that_cannot_be_used(
    workdir: Path, damage: Callable[[Path], object], words: str
) -> None:
    damage(workdir / "mlflow.db")
    before = sorted(path.name for path in workdir.iterdir())
    shown = refused(use)
    assert "mlflow.db: cannot be used (" in shown
    assert words in shown
    assert {path.name for path in workdir.iterdir()} - set(before) <= {".mlflow.db.lock"}
    if "lock" not in words:
        assert "mlflow.db" in refused(lambda: uri_to_read(None))


def test_a_locked_database_is_told(workdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mnist_exp.sweeper.database.WAIT_SECONDS", 0.2)
    with contextlib.closing(sqlite3.connect("mlflow.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "another program has locked the database" in refused(use)
        assert "another program has locked the database" in refused(lambda: uri_to_read(None))


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="becomes another user")
def test_what_belongs_to_another_user_is_told(tmp_path: Path, empty_store: Path) -> None:
    """In a process of its own that gives up being root, for whom nothing is read-only."""
    for name in ("mlflow.db", ".", ".mlflow.db.lock"):
        folder = tmp_path / f"theirs{name}"
        folder.mkdir()
        shutil.copy(empty_store, folder / "mlflow.db")
        if name != ".":
            (folder / ".mlflow.db.lock").touch()
        for path in (folder, *folder.iterdir()):
            os.chown(path, 65534, 65534)
        os.chown(folder / name, 0, 0)
        (folder / name).chmod(0o755)
    lines = [
        "import os, pathlib",
        "from mnist_exp import errors",
        "from mnist_exp.tracking import experiments, store",
        "import mlflow.store.tracking.sqlalchemy_store",
        "os.setuid(65534)",
        f"for folder in sorted(pathlib.Path({str(tmp_path)!r}).iterdir()):",
        "    os.chdir(folder)",
        "    try:",
        "        with store.opened(None): experiments.open_experiment('x')",
        "    except errors.UserError as error: print(error)",
    ]
    for path in [tmp_path, *tmp_path.parents]:
        if path != Path("/") and path.stat().st_uid == 0:
            path.chmod(path.stat().st_mode | 0o055)
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert done.stdout.count("mlflow.db: cannot be used (") == 3, done.stderr
    assert len(done.stdout.splitlines()) == 3
    assert "Traceback" not in done.stderr


def test_an_old_file_store_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlruns" / "1").mkdir(parents=True)
    (tmp_path / "mlruns" / "1" / "meta.yaml").touch()
    assert "holds runs in files" in refused(lambda: check_uri(None))
    assert store_uri("sqlite:///mlflow.db") == f"sqlite:///{tmp_path}/mlflow.db"


def test_an_experiment_in_the_trash_is_told(workdir: Path, small_mnist: data.Dataset) -> None:
    client = mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")
    client.delete_experiment(client.create_experiment("mnist_exp"))
    shown = refused(use)
    assert shown.startswith(
        "tracking.experiment=mnist_exp: is in MLflow's trash; tracking.experiment=NAME names"
    )
    assert shown.endswith("mlflow experiments restore --experiment-id 1")


FOREIGN = {
    "MLFLOW_RUN_ID": "0" * 32,
    "MLFLOW_EXPERIMENT_ID": "0",
    "MLFLOW_EXPERIMENT_NAME": "foreign",
    "MLFLOW_ACTIVE_MODEL_ID": "m-1",
    "MLFLOW_ENABLE_ASYNC_LOGGING": "true",
    "_MLFLOW_SERVER_ARTIFACT_ROOT": "/nowhere",
    "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING": "false",
    "MLFLOW_TRACKING_DIR": "/nowhere",
}


def test_what_a_surrounding_job_has_set_moves_nothing(
    workdir: Path, small_mnist: data.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")
    outer = client.create_run("0", run_name="outer").info.run_id
    client.set_terminated(outer)
    before = client.get_run(outer).to_dictionary()
    for name, value in (FOREIGN | {"MLFLOW_RUN_ID": outer}).items():
        monkeypatch.setenv(name, value)
    warnings: list[str] = []
    with track_run(a_job(dataset=small_mnist), warn=warnings.append) as tracker:
        tracker.log_text("text", "layers.txt")
        tracker.log_summary({"val/best_epoch": 1})
    run = only_run(workdir)
    assert (run.info.run_name, run.data.metrics["val/best_epoch"]) == ("a_name", 1)
    assert run.info.artifact_uri == f"{workdir}/mlruns/1/{run.info.run_id}/artifacts"
    assert client.get_run(outer).to_dictionary() == before
    assert client.get_experiment_by_name("foreign") is None
    assert [text.split()[0] for text in warnings] == list(store.IGNORED)
    assert {name: os.environ[name] for name in FOREIGN} == FOREIGN | {"MLFLOW_RUN_ID": outer}


@pytest.mark.parametrize("name", ["a${b}", os.fsdecode(b"no\xffutf")])
def test_a_folder_that_hydra_or_mlflow_cannot_name_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mnist_exp import __main__ as command

    (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / name)
    monkeypatch.setattr(sys, "argv", ["mnist_exp", *TINY])
    monkeypatch.setenv("HYDRA_FULL_ERROR", "0")  # which main() sets for this process
    with pytest.raises(SystemExit, match="the folder's name (holds|is not UTF-8)"):
        command.main()
    assert list((tmp_path / name).iterdir()) == []


@pytest.mark.slow
def test_hydra_may_change_the_folder(start: Callable[..., Started]) -> None:
    started = start(
        "-m", "mnist_exp", *TINY, "hydra.job.chdir=true", "tracking.uri=sqlite:///mlflow.db"
    )
    code, _, err = started.output()
    assert code == 0, err
    folder = started.folder
    assert [path.relative_to(folder).as_posix() for path in folder.rglob("*.db")] == ["mlflow.db"]
    assert only_run(folder).info.status == "FINISHED"
    assert (folder / "outputs" / "checkpoints").is_dir()


def test_a_copy_in_a_folder_that_is_only_read(
    workdir: Path, small_mnist: data.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A colleague's: the records are read as they are, without a lock or a change."""
    with track_run(a_job(dataset=small_mnist)) as tracked:
        pass
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    shutil.copy("mlflow.db", theirs / "mlflow.db")
    shutil.copytree("mlruns", theirs / "mlruns")  # it would be brought along
    before = (theirs / "mlflow.db").read_bytes()

    def no_writing(path: Path, mode: int) -> bool:  # root may write anywhere
        return not (mode & os.W_OK and Path(path) == theirs)

    def no_lock(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("mnist_exp.tracking.store.os.access", no_writing)
    monkeypatch.setattr("mnist_exp.sweeper.database.file_lock", no_lock)
    table = runs(uri=f"sqlite:///{theirs}/mlflow.db")
    assert list(table.index) == [tracked.run_id]
    assert sorted(path.name for path in theirs.iterdir()) == ["mlflow.db", "mlruns"]
    assert (theirs / "mlflow.db").read_bytes() == before


@pytest.mark.parametrize("content", [b"", None])
def test_a_file_without_mlflows_tables_is_not_said_to_be_absent(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "other.db"
    if content is None:
        with contextlib.closing(sqlite3.connect(file)) as other:
            other.execute("CREATE TABLE theirs (x)")
    else:
        file.write_bytes(content)
    shown = refused(lambda: uri_to_read(f"sqlite:///{file}"))
    assert f"no runs here: {file} has no tables of MLflow" in shown
