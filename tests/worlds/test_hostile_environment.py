"""Under other people's environments a command gives the same result, to the bit, and record.

The lists are the variables that Python, TensorFlow, Keras, MLflow, Hydra, Optuna, joblib,
matplotlib and Rich read and that change results, places or output, from their documentation and
their source. Variables with which a user chooses kernels and threads (TF_XLA_FLAGS,
TF_ENABLE_ONEDNN_OPTS, OMP_NUM_THREADS ...) may change the last bits: they are in the run's
env/hardware.json. Those that name a store or a run are in tests/tracking/test_tracker.py.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

SETTINGS = [
    "model=cnn3x3",
    "init=he",
    "preflight=off",
    "data.train_limit=200",
    "data.eval_limit=100",
]
COMMAND = [sys.executable, "-m", "mnist_exp", *SETTINGS, "schedule.max_steps=3"]
SECONDS = 900  # on a machine with a load of 20

PYTHON = {
    "PYTHONOPTIMIZE": "2",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONSAFEPATH": "1",
    "PYTHONNOUSERSITE": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONFAULTHANDLER": "1",
    "PYTHONINTMAXSTRDIGITS": "640",
}
TERMINAL = {
    "LC_ALL": "C",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONIOENCODING": "ascii",
    "COLUMNS": "1",
    "LINES": "1",
    "NO_COLOR": "1",
    "TERM": "dumb",
    "TTY_COMPATIBLE": "0",
}
HYDRA_AND_OTHERS = {
    "HYDRA_MAIN_MODULE": "foo.bar",
    "HYDRA_FULL_ERROR": "1",
    "HYDRA_DEPRECATION_WARNINGS_AS_ERRORS": "1",
    "COMP_LINE": "x",
    "OPTUNA_STORAGE": "sqlite:///optuna-x.db",
    "JOBLIB_MULTIPROCESSING": "0",
    "LOKY_PICKLER": "pickle",
    "GIT_DIR": "/proc/nope/.git",
    "GIT_WORK_TREE": "/proc/nope",
    "GIT_INDEX_FILE": "/proc/nope/index",
    "http_proxy": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "TZ": "Asia/Kathmandu",
    "MPLBACKEND": "module://nope",
    "MPLCONFIGDIR": "/proc/nope",
    "SQLITE_TMPDIR": "/proc/nope",
    "PANDAS_COPY_ON_WRITE": "0",
    "SOURCE_DATE_EPOCH": "0",
    "XDG_CACHE_HOME": "/proc/nope",
}
MLFLOW = {
    "MLFLOW_ENABLE_ASYNC_LOGGING": "true",
    "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING": "false",
    "MLFLOW_RUN_CONTEXT": '{"variant": "x", "seed": "9"}',
    "MLFLOW_WORKSPACE": "x",
    "MLFLOW_TRUNCATE_LONG_VALUES": "false",
    "MLFLOW_LOG_MODEL_COMPRESSION": "gzip",
    "MLFLOW_ACTIVE_MODEL_ID": "m-123",
    "MLFLOW_TRACKING_DIR": "/tmp/td",
    "MLFLOW_UV_AUTO_DETECT": "true",
    "MLFLOW_LOG_UV_FILES": "true",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_DEFAULT_PREDICTION_DEVICE": "gpu",
    "_MLFLOW_IN_CAPTURE_MODULE_PROCESS": "true",
    "MLFLOW_ALLOW_FILE_STORE": "true",
    "MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL": "0.01",
}
TENSORFLOW = {
    "TF2_BEHAVIOR": "0",
    "TF_FUNCTION_JIT_COMPILE_DEFAULT": "1",
    "TF_JIT_COMPILE_REWRITE": "1",
    "TF_ENABLE_CONTROL_FLOW_V2": "0",
    "TF_ENABLE_WHILE_V2": "0",
    "TF_ENABLE_COND_V2": "0",
    "TF_ENABLE_TENSOR_ARRAY_V2": "0",
    "TF_OPTIONALS_IN_GRADIENTS": "0",
    "TF_USE_LEGACY_KERAS": "1",
    "TF_CONFIG": '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 0}}',
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
    "KERAS_BACKEND": "torch",
    "KERAS_NNX_ENABLED": "1",
    "KERAS_MAX_EPOCHS": "x",
    "KERAS_MAX_STEPS_PER_EPOCH": "1",
}
KERAS_JSON = {
    "floatx": "float64",
    "image_data_format": "channels_first",
    "backend": "jax",
    "epsilon": 0.1,
}


@dataclass(frozen=True)
class Case:
    """A shell runs `before COMMAND after`; `{folder}` is a folder other than the current one."""

    variables: dict[str, str]
    before: str = ""
    after: str = ""
    keras_json: bool = False


CASES = {
    "python": Case(PYTHON),
    "terminal": Case(TERMINAL, "umask 077; ulimit -n 256;"),
    "others": Case(HYDRA_AND_OTHERS),
    "mlflow": Case(MLFLOW),
    "tensorflow": Case(TENSORFLOW, keras_json=True),
    "warnings": Case({"PYTHONWARNINGS": "error"}),
    "turkish": Case(
        {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "TZ": "No/Such", "PYTHONUTF8": "1"}
    ),
    "devmode": Case({"PYTHONDEVMODE": "1", "PYTHONPROFILEIMPORTTIME": "1"}),
    "colours": Case({"FORCE_COLOR": "1", "TTY_COMPATIBLE": "1", "TTY_INTERACTIVE": "1", "CI": "1"}),
    "no home": Case({}, "unset HOME;"),
    "home is a file": Case({"HOME": "/etc/hostname"}),
    "temporary folder with spaces": Case(
        {}, "mkdir '{folder}/t m p'; export TMPDIR='{folder}/t m p';"
    ),
    "no temporary folder": Case({"TMPDIR": "/proc/nope"}),
    "no streams": Case({}, after="<&- >&- 2>&-"),
    "closed pipe": Case({}, after="| head -1 >/dev/null; exit ${PIPESTATUS[0]}"),
    "full device": Case({}, after=">/dev/full 2>/dev/full"),
}
# But for PYTHONOPTIMIZE, with which all of TensorFlow is compiled anew.
TOGETHER = Case(
    {name: value for name, value in PYTHON.items() if name != "PYTHONOPTIMIZE"}
    | TERMINAL
    | HYDRA_AND_OTHERS
    | MLFLOW
    | TENSORFLOW,
    "umask 077; ulimit -n 256; mkdir '{folder}/t m p'; export TMPDIR='{folder}/t m p';",
    keras_json=True,
)


def outcome(tmp_path: Path, empty_store: Path, case: Case) -> dict[str, Any]:
    """All that a user has after the command; it must have ended with exit code 0."""
    folder, home = tmp_path / "work", tmp_path / "home"
    folder.mkdir()
    (home / ".keras").mkdir(parents=True)
    shutil.copy(empty_store, folder / "mlflow.db")
    if case.keras_json:
        (home / ".keras" / "keras.json").write_text(json.dumps(KERAS_JSON))
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TF_", "MLFLOW_", "PYTEST"))
    }
    command = " ".join(f"'{word}'" for word in COMMAND)
    script = f"{case.before.replace('{folder}', str(tmp_path))} {command} {case.after}"
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env={**own, "HOME": str(home), **case.variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Traceback" not in done.stderr, done.stderr[-3000:]
    return {**stored(folder / "mlflow.db"), **files(folder)}


def stored(database: Path) -> dict[str, Any]:
    """What MLflow's database says of the one run, but for times and places."""
    with sqlite3.connect(database) as connection:
        metrics = connection.execute(
            "select key, step, value from metrics "
            "where key not like 'time/%' and key not like 'system/%'"
        ).fetchall()
        params = connection.execute("select key, value from params").fetchall()
        tags = connection.execute(
            "select key, value from tags where key not like 'mlflow.%'"
        ).fetchall()
        runs = connection.execute("select name, status from runs").fetchall()
        models = connection.execute("select status from logged_models").fetchall()
        versions = connection.execute("select name, version from model_versions").fetchall()
        experiments = connection.execute("select name from experiments").fetchall()
    return {
        "metrics": sorted(metrics),
        "params": dict(params),
        "runs": runs,
        "models": models,
        "versions": versions,
        "experiments": sorted(experiments),
        "tags": {
            key: value
            for key, value in tags
            if key not in ("process", "host", "result", "git.dirty", "git.commit")
        },
    }


def files(folder: Path) -> dict[str, Any]:
    """The artifacts' names, the predictions' bytes, and what lies in the current folder."""
    artifacts = sorted(path for path in (folder / "mlruns").rglob("*") if path.is_file())
    (predictions,) = [path for path in artifacts if path.name == "test.npz"]
    left_out = ("git.diff", "git_left_out.txt")
    return {
        "artifacts": sorted(path.name for path in artifacts if path.name not in left_out),
        "predictions": hashlib.sha256(predictions.read_bytes()).hexdigest(),
        "here": sorted(path.name for path in folder.iterdir()),
        "outputs": sorted(path.name for path in folder.glob("outputs/*") if path.name[0] != "2"),
    }


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> dict[str, Any]:
    result = outcome(tmp_path_factory.mktemp("clean"), empty_store, Case({}))
    assert result["runs"] == [("blog_cnn3x3-he-3steps-200images-eval100-s0", "FINISHED")]
    assert result["models"] == [("READY",)] or result["models"] == [(2,)]
    return result


@pytest.mark.slow
def test_all_at_once(tmp_path: Path, empty_store: Path, clean: dict[str, Any]) -> None:
    assert outcome(tmp_path, empty_store, TOGETHER) == clean


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_one_after_the_other(
    name: str, tmp_path: Path, empty_store: Path, clean: dict[str, Any]
) -> None:
    assert outcome(tmp_path, empty_store, CASES[name]) == clean
