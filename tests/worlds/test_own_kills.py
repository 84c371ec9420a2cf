"""The ResNet of docs/own.md, killed and resumed, repeated, and changed by one line."""

import re
import sys
from pathlib import Path

import pytest

from mnist_exp import RunResult, run
from mnist_exp.errors import UserError
from mnist_exp.rerun.__main__ import run as rerun
from tests.experiment.test_resume import final_weights, histories
from tests.support.kills import Victim, kill_at_random, runs_of
from tests.support.pages import FASHION, own_file, own_walk

pytestmark = pytest.mark.slow
FILE = Path("my_models.py")
LINE, CHANGED = "BatchNormalization(momentum=0.9)", "BatchNormalization(momentum=0.8)"


def training(*changes: str) -> list[str]:
    """Return the settings of the page's second command, on little data."""
    small = ["preflight=off", "data.train_limit=4000", "data.eval_limit=100"]
    return [*own_walk()[1][1:], *FASHION, *small, *changes]


@pytest.fixture
def whole(workdir: Path) -> RunResult:
    """A run that was never stopped, in a folder with the page's file alone."""
    FILE.write_text(own_file())
    return run(training("tracking.experiment=whole"))


def test_ten_kills(workdir: Path, whole: RunResult, pytestconfig: pytest.Config) -> None:
    """kill -9 at random moments, and the same weights, to the last bit."""
    wanted = min(10, pytestconfig.getoption("--kills"))
    settings = training("checkpoint.every_seconds=0.01", "resume=auto")
    kills = kill_at_random([sys.executable, "-m", "mnist_exp", *settings], wanted, longest=2.0)
    assert kills.count == wanted
    runs = runs_of(workdir)
    assert len(runs) == kills.completions
    for tracked in runs:
        assert tracked.info.status == "FINISHED"
        assert histories(workdir, tracked.info.run_id) == histories(workdir, whole.run_id)
        assert final_weights(tracked.info.run_id) == final_weights(whole.run_id)


def test_a_changed_line(
    workdir: Path, whole: RunResult, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same file gives an identical run; after a change no run goes on or is repeated so."""
    assert rerun([whole.run_id]) == 0
    assert "\nidentical: " in capsys.readouterr().out
    Victim(workdir, ["mnist_exp", *training()], "checkpoint written", "SIGKILL").ended()
    (stopped,) = runs_of(workdir)

    (number,) = (n for n, text in enumerate(own_file().splitlines(), start=1) if LINE in text)
    FILE.write_text(own_file().replace(LINE, CHANGED))
    change = f"my_models.py: line {number} was .*{re.escape(LINE)}.* and is .*{re.escape(CHANGED)}"
    for resume in (f"resume={stopped.info.run_id}", "resume=auto"):
        settings = training(resume) if resume == "resume=auto" else [resume]
        with pytest.raises(UserError, match=change):
            run(settings)
    with pytest.raises(UserError, match=f"{change}.*\ntrust_code=true"):
        rerun([whole.run_id])
    assert [tracked.info.run_id for tracked in runs_of(workdir)] == [stopped.info.run_id]

    capsys.readouterr()
    assert rerun([whole.run_id, "trust_code=true"]) == 1
    said = capsys.readouterr().out
    assert re.search(f"code differs:\n.*{change}", said), said
    assert "\nnot identical: " in said
