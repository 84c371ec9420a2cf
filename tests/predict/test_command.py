"""The command as a user meets it; `python -m mnist_exp.predict` reads with the very model that a run logged."""

import base64
import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
from PIL import Image

from mnist_exp import data
from mnist_exp.errors import UserError
from mnist_exp.predict import __main__ as predict
from mnist_exp.predict.trained_models import Models, TrainedModel
from tests.support.pictures import KINDS, dark_on_light, encoded, large, png_header
from tests.support.runs import Trained
from tests.support.surroundings import free_port
from tests.support.waiting import LIMIT, answers, until


@pytest.fixture(scope="module")
def model(trained: Trained) -> TrainedModel:
    return Models(trained.uri).load("latest")


@pytest.fixture
def here(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the trained run, without a display."""
    monkeypatch.chdir(trained.folder)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return trained.folder


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mnist_exp.predict", *arguments]


def test_a_picture(
    here: Path, trained: Trained, mnist: data.Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "$a[b]$.jpg").write_bytes(encoded(large(mnist.test.images[0, :, :, 0], 2000), "JPEG"))
    predict.run(["--image", "$a[b]$.jpg", "--run", trained.run_id])
    out = capsys.readouterr().out
    assert out.startswith("$a[b]$.jpg: 7\n")
    assert trained.run_id in out
    rows = [line.split() for line in out.splitlines() if line.strip()[:1].isdigit()]
    assert [row[0] for row in rows] == list("0123456789")
    assert sum(float(row[1]) for row in rows) == pytest.approx(1, abs=1e-3)
    with Image.open(here / "predict-$a[b]$.png") as drawn:
        assert min(drawn.size) > 300


def test_test_images(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    predict.run(["--index", "0", "--output", "drawn.png"])
    assert capsys.readouterr().out.startswith("test image 0, label 7: 7\n")
    assert (here / "drawn.png").is_file()
    said = []
    for _ in range(2):
        predict.run(["--seed", "5", "--run", "best"])
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
    assert said[0].startswith("test image ")


def test_index_gives_what_the_run_recorded(
    trained: Trained, model: TrainedModel, mnist: data.Dataset
) -> None:
    """Through the logged model as in the run's own evaluation, which is in predictions/test.npz."""
    (path,) = trained.folder.rglob("test.npz")
    recorded = np.load(path)["probability"]
    for index in (0, 1, 9999):
        found = model.predict(mnist.test.images[index, :, :, 0])
        assert found.probabilities == pytest.approx(recorded[index], abs=1e-5)
        assert (found.pixels == mnist.test.images[index, :, :, 0]).all()


def test_what_is_no_digit_is_doubted(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = Image.new("L", (300, 300), 255)
    for at in range(40, 260, 44):  # a grid, which is larger than any digit's strokes
        page.paste(0, (40, at, 260, at + 12))
        page.paste(0, (at, 40, at + 12, 260))
    page.save(here / "grid.gif")
    predict.run(["--image", str(here / "grid.gif")])
    assert capsys.readouterr().out.startswith("grid.gif: not sure, perhaps ")


def test_several_digits_are_reported(here: Path, mnist: data.Dataset) -> None:
    page = np.concatenate(
        [np.asarray(large(mnist.test.images[i, :, :, 0], 200)) for i in (0, 1)], axis=1
    )
    Image.fromarray(page).save(here / "two.webp", lossless=True)
    with pytest.raises(UserError, match="^--image .*two.webp: 2 digits: draw or cut out one$"):
        predict.run(["--image", str(here / "two.webp")])


MISTAKES = {
    "text": ("text.png", b"seven", "not a picture in PNG, JPEG, GIF"),
    "broken": ("broken.png", encoded(Image.new("L", (90, 90)))[:60], "the file is damaged"),
    "empty": ("empty.jpg", encoded(Image.new("L", (90, 90), 255), "JPEG"), "the page is empty"),
    "huge": (
        "huge.png",
        png_header(30_000, 30_000),
        "900,000,000 pixels; at most 64,000,000 are read",
    ),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_pictures_that_cannot_be_read(here: Path, kind: str) -> None:
    name, content, said = MISTAKES[kind]
    (here / name).write_bytes(content)
    with pytest.raises(UserError, match=f"--image {name}: .*{said}") as refused:
        predict.run(["--image", name])
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--image", "nosuch.png"], "--image nosuch.png: No such file or directory"),
        (["--image", "."], "--image .: not a file"),
        (["--index", "10000"], "--index 10000: expected 0 to 9999"),
        (["--index", "-1"], "--index -1: expected 0 to 9999"),
        (["--index", "x"], "argument --index: invalid int value: 'x'"),
        (
            ["--image", "a.png", "--index", "1"],
            "argument --index: not allowed with argument --image",
        ),
        (["--draw", "--index", "1"], "not allowed with argument --draw"),
        (["--run", "0" * 32], "--run 0{32}: no such run in sqlite"),
        (["--run", "no/such"], "--run no/such: no such run in sqlite"),
        (
            ["--run", "best", "--run", "latest"],
            "--run: expected at most 2 with --draw, else one, found 2",
        ),
        (["--seed", "-1"], "--seed -1: expected a number >= 0"),
        (
            ["--index", "1", "--seed", "1"],
            "--seed 1: expected a number >= 0, for a random test image only",
        ),
        (["--output", "nosuch/a.png"], "--output nosuch/a.png: expected a name that ends in .png"),
        (["--output", "a.pdf"], "--output a.pdf: expected a name that ends in .png"),
        (["uri=x"], "unrecognized arguments: uri=x"),
        (["tracking.uri=sqlite:///nosuch.db"], "there is no database .*nosuch.db"),
    ],
    ids=str,
)
def test_mistakes(here: Path, arguments: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said) as refused:
        predict.run(arguments)
    assert str(refused.value).count("\n") <= 1


def test_runs_without_a_model(workdir: Path) -> None:
    client = mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")
    for which in ("latest", "best"):
        with pytest.raises(UserError, match=f"--run {which}: no finished run in .* has a model"):
            predict.run(["--run", which])
    run = client.create_run("0").info.run_id
    with pytest.raises(UserError, match=f"--run {run}: the run .RUNNING. has no model"):
        predict.run(["--run", run])


def test_a_mistake_is_two_lines_and_exit_code_1(here: Path) -> None:
    done = subprocess.run(
        command("--image", "nosuch.png"), capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "mnist_exp: --image nosuch.png: No such file or directory\n"


def test_best_and_latest(workdir: Path) -> None:
    """By the metric val/accuracy, of finished runs with a model that takes pictures, over all validation images."""
    from mlflow.entities import LoggedModelOutput, Metric, Param

    client = mlflow.MlflowClient(f"sqlite:///{workdir}/mlflow.db")

    def add(
        accuracy: float,
        *,
        status: str = "FINISHED",
        model: bool = True,
        whole: bool = True,
        **params: str,
    ) -> str:
        run = client.create_run("0").info.run_id
        shown = {
            "data.validation_size": "5000",
            "data.eval_limit": "None",
            "data.eval_on_train": "False",
        }
        shown |= {f"data.{name}": value for name, value in params.items()}
        client.log_batch(
            run, [Metric("val/accuracy", accuracy, 0, 1)], [Param(*pair) for pair in shown.items()]
        )
        if model:
            logged = client.create_logged_model(
                "0", "model", source_run_id=run, tags={"mnist_exp.takes": "pictures"}
            )
            client.log_outputs(run, [LoggedModelOutput(logged.model_id, 1)])
            if whole:
                client.finalize_logged_model(logged.model_id, "READY")
        client.set_terminated(run, status)
        return run

    add(0.90)
    best = add(0.99)
    latest = add(0.98)
    add(0.995, status="FAILED")
    add(0.996, model=False)
    half = add(0.997, whole=False)
    assert Models(None).find("latest")[0].info.run_id == latest
    assert Models(None).find("best")[0].info.run_id == best
    few = add(1.0, eval_limit="100")
    add(1.0, eval_on_train="True")
    assert Models(None).find("best")[0].info.run_id == best
    assert Models(None).find(few)[0].info.run_id == few
    with pytest.raises(UserError, match="has no model"):
        Models(None).find(half)


def test_a_run_registers_its_model(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    client = mlflow.MlflowClient(trained.uri)
    (version,) = client.search_model_versions("name='cnn3x3-adam'")
    assert version.run_id == trained.run_id
    assert client.get_model_version_by_alias("cnn3x3-adam", "best").version == version.version
    monkeypatch.setenv("MLFLOW_TRACKING_URI", trained.uri)
    for address in ("cnn3x3-adam@best", "cnn3x3-adam@latest", f"cnn3x3-adam/{version.version}"):
        assert mlflow.models.get_model_info(f"models:/{address}").run_id == trained.run_id


def test_the_logged_model_loads_without_mnist_exp(
    trained: Trained, model: TrainedModel, mnist: data.Dataset
) -> None:
    picture = base64.b64encode(
        encoded(dark_on_light(large(mnist.test.images[0, :, :, 0])))
    ).decode()
    code = (
        "import sys, json; sys.modules['mnist_exp'] = None; import mlflow, pandas\n"
        f"m = mlflow.pyfunc.load_model('{model.uri}')\n"
        "print(json.dumps(m.predict(pandas.DataFrame({'image': [sys.argv[1]]}))['probabilities'][0]))"
    )
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {
        "MLFLOW_TRACKING_URI": trained.uri
    }
    done = subprocess.run(
        [sys.executable, "-c", code, picture],
        env=environment,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
        cwd=trained.folder,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert found == pytest.approx(model.predict(picture).probabilities.tolist(), abs=1e-6)


FORMS = [
    "a line of 1 px at one to four edges",
    "a box drawn around it",
    "transparent paper, indexed",
    "28 px, noise of 10%",
]


@pytest.mark.parametrize("form", FORMS)
def test_accuracy_of_changed_pictures(model: TrainedModel, mnist: data.Dataset, form: str) -> None:
    assert accuracy(model, mnist, form, 60) >= 0.9  # 97% less three standard deviations of sixty


@pytest.mark.slow
@pytest.mark.parametrize("form", KINDS)
def test_changed_pictures_are_read_as_well(
    model: TrainedModel, mnist: data.Dataset, form: str
) -> None:
    found = accuracy(model, mnist, form, 1000)
    print(f"| {form} | {found:.1%} |")
    assert found >= 0.93


def accuracy(model: TrainedModel, mnist: data.Dataset, form: str, count: int) -> float:
    """On that many test images, evenly spread, changed to that form; a picture that is refused is a wrong answer."""
    random, right = np.random.default_rng(1), 0
    for index in np.arange(0, 10_000, 10_000 // count)[:count]:
        file = KINDS[form](mnist.test.images[index, :, :, 0], random)
        with contextlib.suppress(UserError):
            right += (
                model.predict(base64.b64encode(file).decode()).digit == mnist.test.labels[index]
            )
    return right / count


@pytest.fixture
def endpoint(trained: Trained) -> Iterator[str]:
    """Where `mlflow models serve` answers for the alias `best`."""
    port = free_port()
    serve = [
        "models",
        "serve",
        "-m",
        "models:/cnn3x3-adam@best",
        "--env-manager",
        "local",
        "--port",
        str(port),
    ]
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {
        "MLFLOW_TRACKING_URI": trained.uri
    }
    environment["PATH"] = (
        f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # MLflow calls uvicorn
    )
    log = (trained.folder / "served.log").open("w")
    process = subprocess.Popen(
        [sys.executable, "-m", "mlflow", *serve],
        env=environment,
        cwd=trained.folder,
        start_new_session=True,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        until(
            lambda: answers(f"http://127.0.0.1:{port}/ping") or process.poll() is not None,
            "the model server",
        )
        assert process.poll() is None, (trained.folder / "served.log").read_text()
        yield f"http://127.0.0.1:{port}/invocations"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(LIMIT)
        log.close()


@pytest.mark.slow
def test_a_served_model_gives_the_same_answer(
    endpoint: str, model: TrainedModel, mnist: data.Dataset
) -> None:
    def ask(body: Any) -> tuple[int, Any]:
        kind, text = (
            ("text/csv", body) if isinstance(body, str) else ("application/json", json.dumps(body))
        )
        request = urllib.request.Request(endpoint, text.encode(), {"Content-Type": kind})
        try:
            with urllib.request.urlopen(request, timeout=LIMIT) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    digit = mnist.test.images[0, :, :, 0]
    picture = base64.b64encode(encoded(dark_on_light(large(digit)), "JPEG")).decode()
    expected = model.predict(picture).probabilities.tolist()
    for body in (
        {"dataframe_split": {"columns": ["image"], "data": [[picture]]}},
        {"dataframe_records": [{"image": picture}]},
        {"inputs": {"image": [picture]}},
        {"instances": [{"image": picture}]},
        {"instances": [picture]},
        f"image\n{picture}\n",
    ):
        status, answer = ask(body)
        assert status == 200, answer
        (row,) = answer["predictions"]
        assert row["digit"] == 7
        assert row["probabilities"] == pytest.approx(expected, abs=1e-6)
        assert row["sure"] is True
        assert 0.5 < row["confidence"] <= 1
    for array in (digit.tolist(), (digit / 255)[:, :, None].tolist()):
        status, answer = ask({"inputs": [array]})
        assert status == 200, answer
        found = answer["predictions"][0]["probabilities"]
        assert found == pytest.approx(model.predict(digit).probabilities.tolist(), abs=1e-6)
    status, answer = ask({"dataframe_records": [{"image": base64.b64encode(b"text").decode()}]})
    assert status == 400
    assert "not a picture in PNG, JPEG" in str(answer["message"])


def test_draw_prints_its_address_and_ends_with_130(here: Path) -> None:
    before = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell may have left it ignored
    process = subprocess.Popen(
        command("--draw"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=here
    )
    signal.signal(signal.SIGINT, before)
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    assert address.startswith("http://127.0.0.1:"), process.communicate(timeout=LIMIT)
    assert b"<title>Draw a digit" in urllib.request.urlopen(address, timeout=LIMIT).read()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=LIMIT)
    assert process.returncode == 130
    assert errors == ""


def test_the_picture_itself_is_never_the_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    picture = Image.new("L", (60, 60), 255)
    picture.paste(0, (20, 10, 30, 50))
    picture.save("digit.png")
    content = Path("digit.png").read_bytes()
    Path("link.png").symlink_to("digit.png")
    Path("hard.png").hardlink_to("digit.png")
    for image, output in [
        ("digit.png", "./digit.png"),
        ("link.png", "digit.png"),
        ("digit.png", "link.png"),
        ("digit.png", "hard.png"),
        ("digit.png", str(tmp_path / "digit.png")),
    ]:
        with pytest.raises(UserError, match="--output .*: that is the picture of --image"):
            predict.run(["--image", image, "--output", output])
    Path("predict-digit.png").symlink_to("digit.png")
    with pytest.raises(
        UserError, match="--output predict-digit.png: that is the picture of --image"
    ):
        predict.run(["--image", "digit.png"])
    assert Path("digit.png").read_bytes() == content
