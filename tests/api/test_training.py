"""`mnist_exp.run`: what it takes, and what its result holds."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib.figure
import numpy as np
import pytest

from mnist_exp import RunResult, run
from mnist_exp.errors import ConfigError, UserError
from tests.support.runs import only_run

SMALL = {"data.train_limit": 200, "data.eval_limit": 100, "schedule.epochs": 2, "preflight": "off"}


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> RunResult:
    """A run of the tutorial's CNN with preflight, on few images."""
    folder = tmp_path_factory.mktemp("my runs (2)")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        (folder / "mlflow.db").write_bytes(empty_store.read_bytes())
        return run({**SMALL, "preflight": "warn"}, model="cnn3x3", seed=3, quiet=True)


def test_the_names_load_neither_tensorflow_nor_mlflow_nor_hydra() -> None:
    heavy = "{'tensorflow', 'keras', 'mlflow', 'hydra', 'pandas'}"
    code = f"import sys, mnist_exp; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"


def test_no_name_is_that_of_a_package_or_module() -> None:
    import mnist_exp

    folder = Path(mnist_exp.__file__).parent
    modules = {path.stem for path in folder.iterdir() if not path.name.startswith("_")}
    assert not modules & set(mnist_exp.__all__)
    assert set(mnist_exp.__all__) <= set(dir(mnist_exp))
    for name in mnist_exp.__all__:
        assert getattr(mnist_exp, name).__doc__


@pytest.mark.usefixtures("bare_runs")
def test_keywords_and_dotted_names_are_the_overrides_of_the_command_line(workdir: Path) -> None:
    run({**SMALL, "seed": 1, "+tags.course": "ml"}, model="mlp", seed=3, run_name="1e5")
    tracked = only_run(workdir)
    assert tracked.info.run_name == "1e5"
    params = tracked.data.params
    assert (params["model"], params["seed"], params["schedule.epochs"]) == ("mlp", "3", "2")
    assert tracked.data.tags["course"] == "ml"


@pytest.mark.parametrize(
    ("arguments", "settings", "said"),
    [
        ((["optimzer=sgd"],), {}, "optimzer: no such setting; did you mean optimizer=sgd?"),
        ((), {"optimizer": "Adam"}, "optimizer=Adam: no such option; did you mean optimizer=adam?"),
        ((), {"lr": 0.1}, "lr: no such setting; did you mean optimizer.learning_rate=0.1?"),
        ((), {"seed": "x"}, "seed=x: expected a whole number"),
        ((), {"seed": print}, "seed: expected a number, a text, True, False, None or a list of"),
        (
            ("model=softmax",),
            {},
            "run: expected a list of texts, such as ['optimizer=adam'], found",
        ),
        ((3,), {}, "run: expected a list of texts, such as ['optimizer=adam'], found a int"),
        ((iter(["seed=x"]),), {}, "seed=x: expected a whole number"),
        (({3: 4},), {}, "3: expected the name of a setting, a text"),
    ],
)
def test_a_mistake_has_the_two_lines_of_the_command_line(
    arguments: Any, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(UserError) as caught:
        run(*arguments, **settings)
    assert str(caught.value).startswith(said)
    assert len(str(caught.value).splitlines()) <= 2
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    shown = caught.value._render_traceback_()  # what a notebook shows
    assert shown == [f"ConfigError: {caught.value}"]


def test_all_errors_are_shown_to_those_who_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(ConfigError) as caught:
        run(["optimzer=sgd"])
    assert caught.value.__cause__ is not None


@pytest.mark.usefixtures("bare_runs")
def test_a_quiet_run_prints_only_warnings(
    workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["data.train_limit=1", "data.eval_limit=1", "schedule.epochs=1"], model="mlp", quiet=True)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("warning: preflight is left out")
    assert only_run(workdir).info.status == "FINISHED"


def test_the_tables_of_a_result_are_of_its_run(result: RunResult) -> None:
    history = result.history
    assert list(history.index) == [1, 2]
    assert history["test/accuracy"].iloc[-1] == result.test_accuracy
    assert history["train/cost"].tolist() == [epoch.cost for epoch in result.epochs]
    assert history["step"].tolist() == [2, 4]
    predictions = result.predictions
    assert len(predictions) == 100
    assert (predictions.label == predictions.prediction).mean() == result.test_accuracy
    probabilities = predictions.filter(like="p(")
    assert list(probabilities)[:2] == ["p(0)", "p(1)"]
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    confusion = result.confusion
    assert confusion.to_numpy().sum() == 100
    assert np.trace(confusion) / 100 == pytest.approx(result.test_accuracy)
    wrong = predictions[(predictions.label == 3) & (predictions.prediction == 5)]
    assert confusion.loc["3", "5"] == len(wrong)
    assert result.config["schedule.epochs"] == 2
    assert result.config["optimizer.kind"] == "adam"


def test_the_model_gives_the_predictions(result: RunResult) -> None:
    images = result.test.images / np.float32(255)
    answers = np.argmax(result.model()(images, training=False), axis=1)
    assert answers.tolist() == result.predictions.prediction.tolist()


def test_the_figures_are_shown_by_a_notebook(result: RunResult) -> None:
    figures = result.figures()
    assert set(figures) == {"learning_curves", "confusion_matrix", "mistakes", "random_digit"}
    assert all(isinstance(figure, matplotlib.figure.Figure) for figure in figures.values())
    assert figures["mistakes"]._repr_png_().startswith(b"\x89PNG")


def test_what_a_prompt_and_a_notebook_show_is_small_and_has_the_results(result: RunResult) -> None:
    shown = repr(result)
    assert len(shown) < 250
    assert f"test accuracy {result.test_accuracy:.4f}" in shown
    assert result.run_id in shown
    page = result._repr_html_()
    assert f"<b>{result.test_accuracy:.4f}</b>" in page
    assert result.places.run.replace("&", "&amp;") in page
    assert "data:image/png;base64," in page
    assert result.preflight is not None
    assert all(f"<b>{code}</b>" in page for code in result.preflight.codes)
    assert len(page) < 150_000
