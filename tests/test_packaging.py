"""The wheel alone, in a virtual environment of its own, from an empty folder."""

import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


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
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(source)]
    subprocess.run(build, check=True)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv")
    python = folder / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    subprocess.run([*pip, "install", "-q", "--no-deps", str(wheel)], check=True)
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    (Path(site) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "venv" / "bin" / "mnist-exp"


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
from mnist_exp import config
for name in [setting.name for setting in fields(config.Config)] + ["config", "experiment", "training", "debug"]:
    for parent in (Path(config.__file__).parent, config.SWEEPS_DIR.parent, Path.cwd()):
        (parent / name).mkdir(exist_ok=True)
        (parent / name / "warn.yaml").write_text("seed: 77")
values = ["preflight=off", "seed=3", "run_name=warn", "variant=warn", "resume=warn", "best_of=warn", "+tags.a=b"]
values += ["tracking.experiment=warn", "checkpoint.every_seconds=5", "threads=1", "deterministic=false"]
values += ["objective=[val/cost]", "bridge.seeds=1", "reference=null", "experiment=notebook_softmax", "debug=fast"]
composed = config.compose(values).config
assert (composed.preflight, composed.seed, composed.threads) == ("off", 3, 1), composed
assert composed.run_name == composed.variant == composed.tracking.experiment == "warn", composed
assert composed.model.kind == "softmax", composed
assert config.compose(["sweeps=variants"]).config.seed == 0
"""


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
    assert "seed=-3: expected a number >= 0" in done.stderr


def test_wheel_is_what_runs(installed: Path, tmp_path: Path) -> None:
    code = "import mnist_exp.config as c; print(c.__file__); print(c.CONF_DIR); print(c.SWEEPS_DIR)"
    python = installed.with_name("python")
    done = subprocess.run([python, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    package = Path(done.stdout.splitlines()[0]).parent
    assert installed.parent.parent in package.parents
    assert done.stdout.splitlines()[1:] == [str(package / "conf"), str(package / "sweeps")]
    assert (package / "sweeps" / "variants.yaml").is_file()
