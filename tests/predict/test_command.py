"""`python -m mnist_exp.predict` as a user meets it."""

import base64
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import drawn
from mnist_exp import data
from mnist_exp.errors import UserError
from mnist_exp.predict import __main__ as predict
from mnist_exp.predict.trained_models import Models, Prediction
from tests.support.pictures import encoded, large, png_header
from tests.support.runs import Trained
from tests.support.waiting import LIMIT


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


@pytest.mark.parametrize(("count", "shown"), [(20, 20), (21, 21), (22, 20)])
def test_the_last_row_is_the_only_other_class_or_all_others(count: int, shown: int) -> None:
    form = data.Form(image_shape=(2, 2, 1), class_names=tuple(f"c{k}" for k in range(count)))
    prediction = Prediction(
        label=0,
        name="c0",
        probabilities=np.full(count, 1 / count),
        pixels=np.zeros((2, 2, 1), np.uint8),
    )
    rows = [str(cell) for cell in predict._table(prediction, form).columns[0].cells]
    rest = [f"{count - shown} others"] if count > shown else []
    assert rows == [f"c{k}" for k in range(shown)] + rest


def test_test_images(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    predict.run(["--index", "0", "--output", "drawn.png"])
    out = capsys.readouterr().out
    assert out.startswith("test image 0, label 7: 7\n")
    assert out.endswith("\npicture: drawn.png\n")
    assert (here / "drawn.png").is_file()
    outputs = []
    for _ in range(2):
        predict.run(["--seed", "5", "--run", "best"])
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]
    assert outputs[0].startswith("test image ")


def test_what_is_no_digit_is_doubted(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = Image.new("L", (300, 300), 255)
    for at in range(40, 260, 44):  # a grid, which is larger than any digit's strokes
        page.paste(0, (40, at, 260, at + 12))
        page.paste(0, (at, 40, at + 12, 260))
    page.save(here / "grid.gif")
    predict.run(["--image", str(here / "grid.gif")])
    assert capsys.readouterr().out.startswith("grid.gif: not sure, perhaps ")


def test_drawn_letters_and_scribbles_are_doubted_and_digits_are_read(here: Path) -> None:
    """Of 24 letters and scribbles more than half, where about 80% are expected."""
    random, doubted = np.random.default_rng(0), 0
    strokes = [drawn.strokes_of(drawn.LETTERS[letter]) for letter in "AFHKMNWXTEYm"]
    model = Models(None).load("latest")
    for shape in [*strokes, *(drawn.scribble(random) for _ in range(12))]:
        content = encoded(drawn.drawn(shape, random))
        doubted += model.predict(base64.b64encode(content).decode()).doubt is not None
    assert doubted > 12
    for digit, text in drawn.DIGITS.items():
        content = encoded(drawn.drawn(drawn.strokes_of(text), random))
        assert model.predict(base64.b64encode(content).decode()).label == int(digit)


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
    name, content, reason = MISTAKES[kind]
    (here / name).write_bytes(content)
    with pytest.raises(UserError, match=f"--image {name}: .*{reason}") as refused:
        predict.run(["--image", name])
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--image", "https://a.b/c.png"], "--image https://a.b/c.png: is an address; expected a"),
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
        (["--output", f"{'a' * 300}.png"], "cannot be written .File name too long"),
        (["--output", "a.pdf"], "--output a.pdf: expected a name that ends in .png"),
        (
            ["--run", "bset"],
            r"--run bset: no such run in \S+; did you mean best\?\nexpected a run id",
        ),
        (["digit.jpg"], r"digit.jpg: has no option before it; did you mean --image digit.jpg\?\n"),
        (["7"], r"7: has no option before it; did you mean --index 7\?"),
        (["best"], r"best: has no option before it; did you mean --run best\?"),
        (["uri=x"], "unrecognized arguments: uri=x"),
        (["tracking.uri=sqlite:///nosuch.db"], "there is no database .*nosuch.db"),
    ],
    ids=str,
)
def test_mistakes(here: Path, arguments: list[str], reason: str) -> None:
    with pytest.raises(UserError, match=reason) as refused:
        predict.run(arguments)
    assert str(refused.value).count("\n") <= 1


def test_a_mistake_is_two_lines_and_exit_code_1(here: Path) -> None:
    done = subprocess.run(
        command("--image", "nosuch.png"), capture_output=True, text=True, timeout=LIMIT, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "mnist_exp: --image nosuch.png: No such file or directory\n"


@pytest.mark.slow
def test_draw_prints_its_address_and_ends_with_130(here: Path) -> None:
    before = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a shell may have left it ignored
    process = subprocess.Popen(
        command("--draw"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=here
    )
    signal.signal(signal.SIGINT, before)
    assert process.stdout is not None
    assert process.stdout.readline() == "loading 1 model ...\n", process.communicate(timeout=LIMIT)
    words, _, address = process.stdout.readline().strip().rpartition(" ")
    assert words == "draw a digit here:", process.communicate(timeout=LIMIT)
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
