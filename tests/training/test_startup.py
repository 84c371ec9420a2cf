"""TensorFlow's words are hidden while it loads, but never those with which it ends the process."""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from mnist_exp.training import startup
from tests.support.runs import Started

BODIES = {
    "pass": (0, ""),
    "raise SystemExit(3)": (3, "C++ says this\n"),
    "os.abort()": (-6, "C++ says this\n"),
    "os._exit(1)": (1, "C++ says this\n"),  # as TensorFlow does for an unknown flag in TF_XLA_FLAGS
    "os.kill(os.getpid(), 9)": (-9, "C++ says this\n"),
}


@pytest.mark.parametrize("body", BODIES)
def test_what_ends_the_process_is_shown(body: str) -> None:
    code = (
        "import os, sys\nfrom mnist_exp.training import startup\n"
        f"with startup.quiet():\n    os.write(2, b'C++ says this\\n')\n    {body}\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == BODIES[body]


def test_standard_error_is_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    descriptors = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()
    for _ in range(3):
        with startup.quiet():
            os.write(2, b"noise\n")
        os.write(2, b"words\n")
    assert capfd.readouterr().err == "words\n" * 3
    if descriptors:
        assert set(os.listdir("/proc/self/fd")) == descriptors


def test_without_a_standard_error_there_is_nothing_to_hide() -> None:
    code = "from mnist_exp.training import startup\nwith startup.quiet():\n    pass\nprint('well')"
    done = subprocess.run(
        ["sh", "-c", f'"{sys.executable}" -c "{code}" 2>&-'],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "well\n")


@pytest.mark.slow
def test_an_unknown_flag_of_tensorflows_is_named() -> None:
    run = [sys.executable, "-m", "mnist_exp", "debug=fast", "model=softmax"]
    variables = {**os.environ, "TF_XLA_FLAGS": "--tf_xla_nosuch=8"}
    done = subprocess.run(run, env=variables, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "tf_xla_nosuch" in done.stderr


@pytest.mark.slow
def test_what_the_first_run_imports_is_not_searched_for_garbage(
    start: Callable[..., Started],
) -> None:
    code = """
import gc, sys
from mnist_exp.experiment import runner
from mnist_exp.training import startup
for _ in range(2):
    with startup.quick_imports():
        assert gc.isenabled() == ("tensorflow" in sys.modules)
        import tensorflow
    assert gc.isenabled()
    print(gc.get_freeze_count() > 300_000)
    gc.unfreeze()
"""
    assert start("-c", code).output()[:2] == (0, "True\nFalse\n")


@pytest.mark.slow
def test_what_no_training_uses_is_loaded_when_somebody_uses_it(
    start: Callable[..., Started],
) -> None:
    code = """
import sys
from mnist_exp.training import startup
with startup.quick_imports():
    import tensorflow, keras
unused = ("sklearn", "scipy.stats", "matplotlib.pyplot")
print([name for name in unused if name in sys.modules])
print(keras.wrappers.SKLearnClassifier is tensorflow.keras.wrappers.SKLearnClassifier)
print(callable(keras.visualization.plot_image_gallery))
print([name for name in unused if name in sys.modules])
"""
    everything = ["sklearn", "scipy.stats", "matplotlib.pyplot"]
    assert start("-c", code).output()[:2] == (0, f"[]\nTrue\nTrue\n{everything}\n")
