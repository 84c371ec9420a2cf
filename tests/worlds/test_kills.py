"""Kills at a named moment, for each command that writes runs; `kills` checks what is left."""

import contextlib
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mnist_exp import run
from tests.support.kills import (
    CODES,
    SETTINGS,
    State,
    Victim,
    check_registry,
    check_run,
    client_of,
    metrics_of,
    runs_of,
)
from tests.support.runs import output_of

SIGNALS = ["SIGKILL", "SIGTERM", "SIGINT"]
BEFORE_TRAINING = [
    "schema creation",
    "run begun",
    *(
        f"artifact {name}"
        for name in (
            "config/resolved.yaml",
            "config/overrides.yaml",
            "env/packages.txt",
            "env/hardware.json",
            "layers.txt",
        )
    ),
]
AFTER_TRAINING = [
    *(
        f"artifact {name}"
        for name in (
            "predictions/test.npz",
            "figures/learning_curves.png",
            "figures/random_digit.png",
        )
    ),
    "model linked",
    "model uploaded",
    "registered",
    "run ended",
]
MOMENTS = [*BEFORE_TRAINING, "checkpoint written", *AFTER_TRAINING]
NewFolder = Callable[[], Path]


@pytest.fixture(scope="module")
def new_folder(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> NewFolder:
    """A folder with a fresh mlflow.db."""

    def made() -> Path:
        folder = tmp_path_factory.mktemp("kills")
        shutil.copy(empty_store, folder / "mlflow.db")
        return folder

    return made


@pytest.fixture(scope="module")
def whole(new_folder: NewFolder) -> State:
    """What a run leaves that nobody killed."""
    folder = new_folder()
    with contextlib.chdir(folder):
        run(SETTINGS)
    state = check_run(folder, runs_of(folder)[0])
    check_registry(folder, runs_of(folder))
    return state


def check_words(out: str, moment: str, signal: str) -> None:
    """Ctrl-C and SIGTERM say what is saved and how to go on."""
    if signal == "SIGKILL":
        return
    last = out.strip().splitlines()[-2:]
    if moment in BEFORE_TRAINING:
        assert last[-1] == "Interrupted before the first checkpoint; the same command starts anew."
    else:
        where = r"(at step 0, before the first epoch|(in|after) epoch \d, at step [\d,]+)"
        assert re.fullmatch(
            rf"Interrupted; a checkpoint of run (\w+) is saved {where}\.\n"
            r"To go on: python -m mnist_exp resume=\1",
            "\n".join(last),
        )


def check_resumed(folder: Path, whole: State, moment: str, signal: str) -> None:
    """The same command with resume=auto, and then all that is there."""
    with contextlib.chdir(folder):
        resumed = run([*SETTINGS, "resume=auto"])
    *dead, last = runs_of(folder)
    assert resumed.run_id == last.info.run_id
    assert check_run(folder, last) == whole
    check_registry(folder, [last])
    assert len(dead) == (moment in BEFORE_TRAINING and moment != "schema creation")
    for earlier in dead:
        # At the first moment the request makes the run: the process does not know it yet.
        is_unknown = signal == "SIGKILL" or moment == "run begun"
        assert earlier.info.status == ("FAILED" if is_unknown else "KILLED")
        assert earlier.data.tags["failure_reason"]
        metrics_of(folder, earlier)


@pytest.mark.slow
def test_a_few_kills_of_a_run(new_folder: NewFolder, request: pytest.FixtureRequest) -> None:
    """They start together, which takes most of the time; the rest of all moments is slow."""
    chosen = [
        ("SIGKILL", "model linked"),
        ("SIGINT", "artifact figures/random_digit.png"),
        ("SIGTERM", "layers.txt"),
    ]
    chosen = [
        (signal, moment if " " in moment else f"artifact {moment}") for signal, moment in chosen
    ]
    folders = [new_folder() for _ in chosen]
    victims = [
        Victim(folder, ["mnist_exp", *SETTINGS], moment, signal)
        for folder, (signal, moment) in zip(folders, chosen, strict=True)
    ]
    whole = request.getfixturevalue("whole")
    for folder, victim, (signal, moment) in zip(folders, victims, chosen, strict=True):
        killed = victim.ended()
        assert killed.code in CODES[signal]
        check_words(killed.out, moment, signal)
        check_resumed(folder, whole, moment, signal)


@pytest.mark.slow
@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run(new_folder: NewFolder, whole: State, moment: str, signal: str) -> None:
    folder = new_folder()
    if moment == "schema creation":
        (folder / "mlflow.db").unlink()
    killed = Victim(folder, ["mnist_exp", *SETTINGS], moment, signal).ended()
    assert killed.code in CODES[signal]
    check_words(killed.out, moment, signal)
    check_resumed(folder, whole, moment, signal)


@pytest.mark.slow
@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize(
    "moment",
    [
        "trial 0 claimed",
        "checkpoint written",
        "run ended",
        "trial 0 ended",
        "trial 1 claimed",
        "trial 2 ended",
    ],
)
def test_a_sweep(new_folder: NewFolder, moment: str, signal: str) -> None:
    """`trial 1 claimed` is when trial 0 has been told to the study."""
    import optuna

    folder = new_folder()
    sweep = [
        "mnist_exp",
        "-m",
        "hydra/sweeper=optuna_study",
        *SETTINGS,
        "hydra.sweeper.study_name=s",
        "seed=0,1,2",
        "hydra.sweeper.n_trials=3",
        "hydra.sweeper.n_workers=1",
    ]
    killed = Victim(folder, sweep, moment, signal).ended()
    # A worker that dies alone is replaced, or its trial runs again, and the sweep goes on.
    assert killed.code in CODES[signal] | {0, 1, -9}
    output_of(folder, *sweep)
    trials = optuna.load_study(study_name="s", storage=f"sqlite:///{folder}/optuna.db").trials
    assert [(t.number, t.state.name) for t in trials] == [
        (number, "COMPLETE") for number in range(3)
    ]
    parent, *others = runs_of(folder)
    assert (parent.info.status, parent.data.tags["study_role"]) == ("FINISHED", "study")
    finished = [other for other in others if other.info.status == "FINISHED"]
    assert {trial.user_attrs["mlflow_run_id"] for trial in trials} == {
        r.info.run_id for r in finished
    }
    for trial in finished:
        assert trial.data.tags["trial_state"] == "COMPLETE"
        assert "failure_reason" not in trial.data.tags
        assert [step for step, _ in metrics_of(folder, trial)["train/cost"]] == [1, 2]
    for other in others:
        assert other.info.status in ("FINISHED", "KILLED", "FAILED")
    assert not list((folder / "outputs" / "checkpoints").glob("*/0*"))
    assert client_of(folder).search_registered_models() == []


@pytest.mark.slow
@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("moment", ["artifact layers.txt", *AFTER_TRAINING])
def test_a_sync(new_folder: NewFolder, whole: State, moment: str, signal: str) -> None:
    """Of a run of which all but its beginning waits to be sent."""
    from mnist_exp.tracking import operations

    def refuse(*_: object) -> None:
        raise OSError("the store is away")

    folder = new_folder()
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patch:
        for kind in operations.KINDS.values():
            patch.setattr(kind, "deliver", refuse)
        run(SETTINGS)
    killed = Victim(folder, ["mnist_exp.sync"], moment, signal).ended()
    assert killed.code in CODES[signal] | {
        -15
    }  # the default action on SIGTERM, for nothing has to be saved
    if signal == "SIGINT":
        assert "interrupted; the rest of" in killed.err
    if list((folder / "outputs" / "unsent").glob("*/operations.jsonl")):
        output_of(folder, "mnist_exp.sync")
    (synced,) = runs_of(folder)
    assert check_run(folder, synced) == whole
    check_registry(folder, [synced])


@pytest.fixture(scope="module")
def trained(new_folder: NewFolder) -> Path:
    """A folder with a finished run, to be copied into the same place for each kill."""
    folder = new_folder()
    with contextlib.chdir(folder):
        run(SETTINGS)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize(
    "moment", ["artifact layers.txt", "checkpoint written", "model linked", "run ended"]
)
def test_a_rerun(trained: Path, whole: State, moment: str, signal: str) -> None:
    """The same command again trains another run; the killed one can be resumed as every run."""
    first = runs_of(trained)[0]
    before = len(runs_of(trained))
    killed = Victim(trained, ["mnist_exp.rerun", first.info.run_id], moment, signal).ended()
    assert killed.code in CODES[signal]
    cut = runs_of(trained)[before]
    assert "identical: " in output_of(trained, "mnist_exp.rerun", first.info.run_id)
    second = runs_of(trained)[-1]
    assert second.data.tags["rerun_of"] == first.info.run_id
    assert check_run(trained, second) == whole
    if moment == "artifact layers.txt":
        return
    with contextlib.chdir(trained):
        run([f"resume={cut.info.run_id}"])
    (cut,) = [r for r in runs_of(trained) if r.info.run_id == cut.info.run_id]
    assert check_run(trained, cut) == whole


@pytest.mark.slow
@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize(
    "moment", ["artifact layers.txt", "checkpoint written", "model linked", "run ended"]
)
def test_a_reproduction(new_folder: NewFolder, moment: str, signal: str) -> None:
    folder = new_folder()
    command = ["mnist_exp.reproduce", "--quick", "--seeds", "1", "--only", "notebook_softmax"]
    killed = Victim(folder, command, moment, signal).ended()
    assert killed.code in CODES[signal]
    output_of(folder, *command)
    finished = [r for r in runs_of(folder) if r.info.status == "FINISHED"]
    (last,) = finished
    check_run(
        folder, last, is_marked=moment != "run ended"
    )  # a finished run is what it looks for, and leaves alone
    assert (folder / "results-quick" / "results.md").stat().st_size
