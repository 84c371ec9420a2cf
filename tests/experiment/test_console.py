from dataclasses import replace
from pathlib import Path

import pytest

from mnist_exp.config.groups import use_folders
from mnist_exp.config.schema import ReferenceConfig
from mnist_exp.data import Dataset
from mnist_exp.experiment.console import Reporter, layer_text
from mnist_exp.tracking.links import Places
from mnist_exp.training import results
from mnist_exp.training.results import EpochResult, Evaluation, LayerRow, Progress
from tests.support.jobs import a_job
from tests.support.made_data import made
from tests.support.results import an_epoch

REFERENCE = ReferenceConfig(source="the blog post", test_accuracy=0.9872, cost=[0.342477704])


def epoch(number: int, val: float = 0.9, complete: bool = True) -> EpochResult:
    return an_epoch(number, val=Evaluation(0.3, val), complete=complete)


def test_epoch_line_is_the_tutorials(capsys: pytest.CaptureFixture[str]) -> None:
    Reporter().epoch(epoch(1), REFERENCE, seconds_left=140)
    out = capsys.readouterr().out
    assert out.startswith("Epoch: 0001 cost = 0.250000000 (tutorial 0.342477704)")
    assert "validation 0.9000  test 0.9500  5,500 images/s  2:20 min left" in out


def test_epoch_without_a_claim(capsys: pytest.CaptureFixture[str]) -> None:
    Reporter().epoch(epoch(2), REFERENCE, seconds_left=0)
    assert "tutorial" not in capsys.readouterr().out


def test_unfinished_epoch_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    Reporter().epoch(epoch(1, complete=False), None, seconds_left=0)
    assert "The last epoch ended at step 550, after 55,000 images." in capsys.readouterr().out


def test_summary_puts_the_claim_beside_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    job = a_job(run_name="blog-s0", reference=REFERENCE, changes=("schedule.epochs=2",))
    Reporter().summary(job, [epoch(1, 0.97), epoch(2, 0.96)])
    lines = capsys.readouterr().out.splitlines()
    assert "blog-s0: 1,100 steps, 20 s of training" in lines
    assert any(line.split() == ["test", "accuracy", "0.9500", "0.9872"] for line in lines)
    assert any("best validation accuracy, epoch 1" in line and "0.9700" in line for line in lines)
    assert "reference: the blog post" in lines
    assert "This run differs from the tutorial's in: schedule.epochs=2" in lines


def test_a_stopped_run_with_options_of_ones_own_needs_their_folder_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    use_folders(["my conf"])
    reporter = Reporter()
    reporter.run_id = "abc"
    reporter.interrupted(Progress(epoch=2, step=1300), a_job().settings)
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].endswith("is saved after epoch 2, at step 1,300.")
    assert lines[-1] == "To go on: python -m mnist_exp --config-dir 'my conf' resume=abc"


@pytest.mark.parametrize(
    ("given", "way"),
    [
        (["data.dir='session:arrays@0123456789ab'"], 'run(resume="None", data=...) with the same'),
        (
            ["model=own", "model.build='session:build@0123456789ab'"],
            "not possible: Python gave the code to mnist_exp.run",
        ),
    ],
)
def test_a_stopped_run_with_objects_of_a_session(
    capsys: pytest.CaptureFixture[str], given: list[str], way: str
) -> None:
    Reporter().interrupted(Progress(epoch=2, step=1300), a_job(*given).settings)
    assert capsys.readouterr().out.splitlines()[-1].startswith(f"To go on: {way}")


@pytest.mark.parametrize("has_model", [True, False])
def test_the_last_line_of_a_run_is_a_command_for_its_model_if_it_has_one(
    capsys: pytest.CaptureFixture[str], has_model: bool
) -> None:
    job = a_job("tracking.uri=sqlite:///my runs.db")
    places = Places(command="python -m mnist_exp.ui", run="http://run", all_runs="http://runs")
    Reporter().tracked(job, "abc", places, has_model=has_model)
    lines = capsys.readouterr().out.splitlines()
    assert "to see it: python -m mnist_exp.ui    then open http://run" in lines
    assert (
        "to draw a digit for it: python -m mnist_exp.predict --draw --run abc "
        "'tracking.uri=sqlite:///my runs.db'" in lines
    ) == has_model


def test_other_data_than_digits_is_described(capsys: pytest.CaptureFixture[str]) -> None:
    form, split = made((16, 160, 1), ("cat", "dog", "horse"))
    dataset = Dataset(train=split, val=split, test=split, source="/pets", form=form)
    job = replace(a_job(), dataset=dataset)
    Reporter().start(job, [])
    places = Places(command="ui", run="http://run", all_runs="http://runs")
    Reporter().tracked(job, "abc", places, has_model=True)
    out = capsys.readouterr().out
    assert (
        "data: /pets; 60 training, 60 validation, 60 test images\n"
        "3 classes (cat, dog and horse), grey images of 160x16 pixels (width x height)\n\n"
    ) in out
    assert out.endswith("python -m mnist_exp.predict --image FILE --run abc\n")
    assert "digit" not in out


def test_each_override_is_shown_once_with_its_last_value(
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = ("schedule.epochs=1", "seed=3", "+tags.x=a", "schedule.epochs=2", "++tags.x=b")
    job = a_job()
    Reporter().start(replace(job, settings=replace(job.settings, overrides=given)), [])
    shown = "overrides: schedule.epochs=2 seed=3 ++tags.x=b"
    assert shown in capsys.readouterr().out.splitlines()


def test_batch_accuracy_line_is_the_notebooks(capsys: pytest.CaptureFixture[str]) -> None:
    reporter, scored = Reporter(), ((0, 0.1), (100, 0.84))
    for step in (101, 102):
        reporter.progress(
            Progress(epoch=1, step=step, examples=50, batch_accuracies=scored), seconds_left=1
        )
    assert (
        capsys.readouterr().out
        == "step 0, training accuracy 0.1\nstep 100, training accuracy 0.84\n"
    )


def test_layer_text_adds_up() -> None:
    conv = LayerRow(name="conv1", shape=(28, 28, 32), parameters=288)
    text = layer_text([conv, LayerRow(name="readout", shape=(10,), parameters=31370)])
    assert "conv1     (?, 28, 28, 32)              288" in text
    assert text.splitlines()[-1].split() == ["total", "31,658"]


def test_best_epoch_is_the_first_of_equals() -> None:
    assert results.best_epoch([epoch(1, 0.8), epoch(2, 0.9), epoch(3, 0.9)]).epoch == 2
