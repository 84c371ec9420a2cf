"""The wheel alone, in a virtual environment of its own, from an empty folder."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from subprocess import PIPE
from typing import TypeVar

import numpy as np
import pytest
from PIL import Image

from mnist_exp.outside import moments
from tests.support.kills import runs_of
from tests.support.pages import FASHION, ROOT, own_file, own_walk

_T = TypeVar("_T")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The console script of a wheel in a new environment, which sees this one's other packages."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    for name in filter(None, tracked.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "-w",
        str(folder),
        str(source),
    ]
    subprocess.run(build, check=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv")
    python = folder / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    subprocess.run([*pip, "install", "-q", "--no-deps", str(wheel)], check=True)
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()
    (Path(site) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "venv" / "bin" / "mnist-exp"


@pytest.mark.slow
def test_wheel_runs_from_an_empty_folder(installed: Path, workdir: Path) -> None:
    command = [str(installed), "model=softmax", "schedule.max_steps=20", "preflight=off"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "55,000 training, 5,000 validation, 10,000 test images" in done.stdout
    assert sorted(path.name for path in workdir.iterdir()) == [
        ".mlflow.db.lock",
        "mlflow.db",
        "mlruns",
        "outputs",
    ]


_NAMES = """
import sys
from dataclasses import fields
from pathlib import Path
from hydra.core.override_parser.overrides_parser import OverridesParser
from mnist_exp.config.schema import Config
from mnist_exp.config.sweeps_source import SWEEPS_DIR
from mnist_exp.config.tree import compose
import mnist_exp
settings = [setting.name for setting in fields(Config)]
for name in [*settings, "config", "experiment", "training", "debug"]:
    for parent in (Path(mnist_exp.__file__).parent, SWEEPS_DIR.parent, Path.cwd()):
        (parent / name).mkdir(exist_ok=True)
        (parent / name / "warn.yaml").write_text("seed: 77")
values = ["preflight=off", "seed=3", "run_name=warn", "variant=warn", "resume=warn"]
values += ["best_of=warn", "+tags.a=b", "tracking.experiment=warn", "checkpoint.every_seconds=5"]
values += ["threads=1", "deterministic=false", "objective=[val/cost]", "bridge.seeds=1"]
values += ["reference=null", "experiment=notebook_softmax", "debug=fast"]
composed = compose(values).config
assert (composed.preflight, composed.seed, composed.threads) == ("off", 3, 1), composed
assert composed.run_name == composed.variant == composed.tracking.experiment == "warn", composed
assert composed.model.kind == "softmax", composed
assert compose(["sweeps=variants"]).config.seed == 0
"""


@pytest.mark.slow
def test_a_folder_named_like_a_setting_hides_nothing(installed: Path, tmp_path: Path) -> None:
    """Neither in the installed package, nor beside its `sweeps/`, nor in the current folder."""
    done = subprocess.run(
        [installed.with_name("python"), "-c", _NAMES],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    command = [str(installed), "preflight=off", "seed=-3"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "seed=-3: expected a whole number from 0" in done.stderr


def test_wheel_is_what_runs(installed: Path, tmp_path: Path) -> None:
    code = """
import mnist_exp
from mnist_exp.config.groups import CONF_DIR
from mnist_exp.config.sweeps_source import SWEEPS_DIR
print(mnist_exp.__file__, CONF_DIR, SWEEPS_DIR, sep="\\n")
"""
    python = installed.with_name("python")
    done = subprocess.run(
        [python, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    package = Path(done.stdout.splitlines()[0]).parent
    assert installed.parent.parent in package.parents
    assert done.stdout.splitlines()[1:] == [str(package / "conf"), str(package / "sweeps")]
    assert (package / "sweeps" / "variants.yaml").is_file()


SMALL = ["data.train_limit=200", "data.eval_limit=100", "schedule.max_steps=2", "preflight=off"]
# What makes a command of README short, by what it contains; the first that fits.
QUICK: dict[str, list[str]] = {
    "--help": [],
    "mnist_exp.reproduce": ["--only", "notebook_softmax", "--seeds", "1"],
    "mnist_exp.": [],
    "-m sweeps=cnn3x3_tuning": [*SMALL, "hydra.sweeper.n_trials=2"],
    "-m sweeps=variants": [*SMALL, "seed=0,1"],
    "-m sweeps=bridge": ["bridge.epochs=1", "bridge.seeds=1", *SMALL[:2]],
    "": SMALL,
}
SERVES = ("mnist_exp.ui", "--draw")  # until Ctrl-C
SEARCH = "hydra/sweeper=optuna_study hydra/launcher=joblib model=softmax,mlp"
# What else is typed behind `python -m mnist_exp`, one after the other, with the exit code.
OTHERS = [
    (".preflight model=mlp init=zeros", 1),
    (" experiment=notebook_softmax_buggy preflight=error data.train_limit=200", 1),
    (" debug=overfit schedule.max_steps=2 schedule.epochs=1 preflight=off", 0),
    (" resume=RUN_ID schedule.epochs=2", 0),
    (".rerun RUN_ID", 0),
    (".sync", 0),
    (".predict --index 7", 0),
    (".predict --image digit.jpg", 0),
    (f" -m {SEARCH} hydra.sweeper.n_trials=2 preflight=off data.train_limit=200", 0),
    (".explain --study bridge", 0),
    (".compare --experiment mnist_exp", 0),
]


def readme_commands() -> list[str]:
    """Return each command of README that is this project's, whole: in backticks or indented."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").replace("\\\n", " ")
    return re.findall(r"(?:`|^    )(python -[mc] [^`\n]*mnist_exp[^`\n]*)", text, re.MULTILINE)


def first(table: dict[str, _T], command: str, default: _T) -> _T:
    """The value of the first key that is a part of the command."""
    return next((value for part, value in table.items() if part in command), default)


def test_readme_has_commands() -> None:
    assert len(readme_commands()) >= 12


@pytest.mark.slow
def test_every_command_of_readme_runs_from_the_wheel(installed: Path, workdir: Path) -> None:
    """One after the other in one folder, as a reader types them, with less data and fewer steps."""
    python = str(installed.with_name("python"))

    def run(words: list[str], code: int) -> str:
        before = signal.signal(
            signal.SIGINT, signal.default_int_handler
        )  # a shell may have left it ignored
        process = subprocess.Popen(
            [python, *words], stdout=PIPE, stderr=subprocess.STDOUT, text=True
        )
        signal.signal(signal.SIGINT, before)
        assert process.stdout is not None
        if any(word in words for word in SERVES):
            assert any("http://127.0.0.1:" in line for line in process.stdout)
            process.send_signal(signal.SIGINT)
            code = 130
        said = process.communicate(timeout=900)[0]
        assert process.returncode == code, f"{words}: {process.returncode}\n{said}"
        assert "Traceback" not in said, f"{words}:\n{said}"
        return said

    Image.fromarray(np.pad(np.zeros((30, 8), np.uint8), 20, constant_values=255)).save("digit.jpg")
    epochs = ["model=softmax", "preflight=off", "data.train_limit=200", "data.eval_limit=100"]
    said = run(["-m", "mnist_exp", *epochs, "schedule.epochs=1"], 0)
    run_id = said.split("\nrun ")[1].split()[0]
    for command in readme_commands():
        words = [word.replace("RUN_ID", run_id) for word in shlex.split(command)[1:]]
        digits = FASHION if "data=fashion_mnist" in words else []
        run([*words, *first(QUICK, command, []), *digits], 0)
    for text, code in OTHERS:
        run(shlex.split(f"-m mnist_exp{text}".replace("RUN_ID", run_id)), code)


LITTLE = [*FASHION, "data.train_limit=600", "data.eval_limit=100"]


@pytest.mark.slow
def test_the_five_commands_of_own_from_the_wheel(installed: Path, workdir: Path) -> None:
    """Its ResNet is preflighted, stopped with Ctrl-C, resumed and compared, in an empty folder."""
    (workdir / "my_models.py").write_text(own_file())
    preflight, train, resume, widths, compare = own_walk()

    def run(words: list[str], code: int = 0, environment: dict[str, str] | None = None) -> str:
        done = subprocess.run(
            [str(installed.with_name("python")), "-m", *words],
            env=os.environ | (environment or {}),
            start_new_session=True,  # Ctrl-C is for the whole group
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stdout + done.stderr
        return done.stdout

    assert "preflight: 0 errors" in run([*preflight, *FASHION])
    ctrl_c = {moments.VARIABLE: f"SIGINT@checkpoint written@{workdir / 'stopped'}"}
    assert "To go on: python -m mnist_exp" in run([*train, *LITTLE], 130, ctrl_c)
    (stopped,) = runs_of(workdir)
    assert "10" in run([*resume, *LITTLE])
    (resumed,) = runs_of(workdir)
    assert resumed.info.run_id == stopped.info.run_id
    assert (stopped.info.status, resumed.info.status) == ("KILLED", "FINISHED")
    source = Path(str(resumed.info.artifact_uri)) / "own_code" / "my_models.py"
    assert source.read_text() == own_file()
    run([*widths, *LITTLE, "preflight=off"])
    options = [
        (r.data.params["model.options.width"], r.data.tags["seed"])
        for r in runs_of(workdir, "widths")
    ]
    assert sorted(options) == sorted((w, s) for w in ("8", "16") for s in ("1", "2", "3"))
    said = run(compare)
    assert "width8" in said, said
    assert (workdir / "compare.html").is_file()
