"""`python -m mnist_exp.predict` classifies a picture, a test image or a drawing of a digit."""

import argparse
import base64
import os
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mnist_exp.command import Parser, main, put
from mnist_exp.errors import UserError
from mnist_exp.outside import plot_style, printing
from mnist_exp.outside.browsers import open_page
from mnist_exp.sweeper.foreign_text import clean
from mnist_exp.sweeper.lasting_stream import LastingStream

if TYPE_CHECKING:
    from rich.table import Table

    from mnist_exp.data import Form
    from mnist_exp.predict.trained_models import Prediction, TrainedModel

_DESCRIPTION = """Which digit is that? Or, after a run on other images: what is that?

Classifies a picture or a test image with the logged model of a run, prints the answer with the
probabilities of the classes, and draws the picture, what the network sees of it, and the
probabilities. docs/predict.md says how a picture becomes the network's pixels."""
_EXAMPLES = """examples:
  python -m mnist_exp.predict --image digit.jpg
  python -m mnist_exp.predict --run best --index 7
  python -m mnist_exp.predict --run RUN_ID --index 7 data.dir=my_images
  python -m mnist_exp.predict --draw --run RUN_ID --run best

exit code: 0, 1 for a mistake, or 130 when --draw is ended with Ctrl-C"""
_MOST_BYTES = 100_000_000  # of a picture's file
_LONGEST_STEM = 200  # bytes, of the name of a file, which has at most 255
_MOST_MODELS = 2  # side by side
_MOST_ROWS = 20  # of the table of probabilities
_DATA = "data.dir="


def _parser() -> Parser:
    """Return the parser of this command's line."""
    usage = "[--image FILE | --index N | --draw] [options] [data.dir=FOLDER]"
    parser = Parser("mnist_exp.predict", _DESCRIPTION, _EXAMPLES, usage=usage)
    text = "best: the highest val/accuracy; default: latest; with --draw up to two, side by side"
    parser.add_argument("--run", action="append", metavar="RUN_ID|best|latest", help=text)
    what = parser.add_mutually_exclusive_group()
    text = "a picture in a format that Pillow reads; a digit may be dark on light or light on dark"
    what.add_argument("--image", metavar="FILE", help=text)
    text = (
        "read test image number N, counted from 0, of the run's data, which data.dir=FOLDER finds "
        "if they were moved; default: a random one"
    )
    what.add_argument("--index", type=int, metavar="N", help=text)
    what.add_argument("--draw", action="store_true", help="serve a page here to draw a digit on")
    text = "choose the random test image by this number: the same one each time"
    parser.add_argument("--seed", type=int, metavar="N", help=text)
    text = "the drawing, a PNG; default: predict-NAME.png in the current folder"
    parser.add_argument("--output", metavar="FILE", help=text)
    text = (
        "run the Python code stored in the model even if it differs from this version's; only for "
        "models that you trust"
    )
    parser.add_argument("--trust", action="store_true", help=text)
    parser.add_argument("words", nargs="*", help=argparse.SUPPRESS)  # to be answered
    return parser


def _refuse_word(word: str, parser: Parser) -> None:
    """Raise UserError for a word without its option: a picture's file, a run, an image's number."""
    if "=" in word or word.startswith("-"):
        parser.error(f"unrecognized arguments: {word}")
    if word in ("best", "latest") or re.fullmatch("[0-9a-f]{32}", word):
        option = "--run"
    else:
        option = "--index" if word.isdecimal() else "--image"
    parser.error(f"{word}: has no option before it; did you mean {option} {shlex.quote(word)}?")


def run(arguments: Sequence[str]) -> None:
    """Classify an image as the command line says.

    Raises UserError for a mistake of the user's, before TensorFlow loads.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    folder, words = _folder(options.words)
    if words:
        _refuse_word(words[0], parser)
    which = list(dict.fromkeys(options.run or ["latest"]))
    if len(which) > (_MOST_MODELS if options.draw else 1):
        raise UserError(
            f"--run: expected at most {_MOST_MODELS} with --draw, else one, found {len(which)}"
        )
    is_random = not (options.image or options.index is not None or options.draw)
    if options.seed is not None and not (is_random and options.seed >= 0):
        raise UserError(
            f"--seed {options.seed}: expected a number >= 0, for a random test image only"
        )
    if folder is not None and (options.draw or options.image):
        raise UserError(f"{_DATA}{folder}: names where test images are; expected --index N")
    if options.draw:
        _draw(which, options.uri, options.trust)
    else:
        _classify(which[0], options, folder)


def _classify(which: str, options: argparse.Namespace, folder: str | None) -> None:
    """Show the answer for a picture or a test image. All that can be wrong is reported first."""
    path, output = None, options.output
    if options.image is not None:
        if "://" in options.image:
            raise UserError(f"--image {options.image}: is an address; expected a file")
        path = Path(os.path.expanduser(options.image))
        stem = os.fsencode(path.stem)[:_LONGEST_STEM].decode(errors="ignore")
        content, output = _content(path), output or f"predict-{stem}.png"
    if output is not None:
        _check_output(Path(os.path.expanduser(output)), path)
    from mnist_exp.predict import test_images
    from mnist_exp.predict.trained_models import Models

    models = Models(options.uri)
    found, _ = models.find(which)
    form = models.form(found.info.run_id)
    image: str | NDArray[np.uint8]
    if path is not None:
        original = _readable(path, content, form)
        image, title = base64.b64encode(content).decode(), path.name
    else:
        image, index, label = test_images.chosen(found, form, folder, options.index, options.seed)
        original, output = image, output or f"predict-test-{index}.png"
        title = f"test image {index}, label {clean(form.class_names[label])}"
    model = models.load(found.info.run_id, options.trust)
    prediction = model.predict(image)
    _show(model, prediction, title)
    _save(original, prediction, title, form, Path(os.path.expanduser(output)))


def _folder(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """Return the folder of the last `data.dir=FOLDER` among the words, and the other words."""
    folders = [word.removeprefix(_DATA) for word in words if word.startswith(_DATA)]
    return (folders[-1] if folders else None), [
        word for word in words if not word.startswith(_DATA)
    ]


def _content(path: Path) -> bytes:
    """Return the content of a picture's file. Raises UserError if it cannot be read."""
    try:
        if path.exists() and not path.is_file():
            raise UserError(f"--image {path}: not a file")
        if path.stat().st_size > _MOST_BYTES:
            raise UserError(
                f"--image {path}: {path.stat().st_size:,} bytes; at most {_MOST_BYTES:,} are read"
            )
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"--image {path}: {error.strerror}") from error


def _check_output(output: Path, picture: Path | None) -> None:
    """Raise UserError for an output that is no PNG, has no folder, or is the picture itself."""
    try:
        is_usable = output.suffix.lower() == ".png" and output.parent.is_dir()
        is_picture = picture is not None and output.exists() and output.samefile(picture)
    except OSError as error:  # a name that is too long, a folder that is closed
        raise UserError(f"--output {output}: cannot be written ({error.strerror})") from error
    if not is_usable:
        raise UserError(
            f"--output {output}: expected a name that ends in .png, in a folder that exists"
        )
    if is_picture:
        raise UserError(f"--output {output}: that is the picture of --image, which would be lost")


def _readable(path: Path, content: bytes, form: "Form") -> NDArray[np.uint8]:
    """Return the picture as a person sees it, [H, W, 3], small enough to draw.

    Raises UserError for a picture that the model would refuse, before the model loads, which takes
    seconds.
    """
    from mnist_exp.serving import inputs, picture_files

    try:
        inputs.pixels_of(content, form.image_shape, is_digit=form.is_digits)
        return np.asarray(picture_files.shown(content, 800))
    except ValueError as error:
        raise UserError(f"--image {path}: {error}") from error


def _show(model: "TrainedModel", prediction: "Prediction", title: str) -> None:
    """Print the answer, the most probable classes as a table with bars, and the run."""
    from rich.text import Text

    console = printing.console()
    name = clean(prediction.name)
    answer, doubt = name, ""
    if prediction.doubt is not None:
        answer, doubt = "not sure", f", perhaps {name}: {prediction.doubt}"
    console.print(Text.assemble(f"{clean(title)}: ", (answer, "bold"), doubt), soft_wrap=True)
    console.print(_table(prediction, model.form))
    console.print(clean(f"run {model.run_id}  {model.run_name}  {model.uri}"), soft_wrap=True)


def _table(prediction: "Prediction", form: "Form") -> "Table":
    """Return the table of probabilities: of all classes in order, or of many the most probable."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    if form.is_digits:
        table.add_column("digit", justify="right")
    else:
        table.add_column("class", overflow="fold")
    table.add_column("probability", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    probabilities, classes = prediction.probabilities, range(len(form.class_names))
    if len(classes) > _MOST_ROWS + 1:  # the last row is of all others, or of the only other one
        classes = np.argsort(-probabilities, kind="stable")[:_MOST_ROWS].tolist()
    for label in classes:
        style = "bold" if label == prediction.label else None
        bar = "\N{FULL BLOCK}" * round(30 * probabilities[label])
        name = clean(form.class_names[label], 60)
        table.add_row(Text(name), f"{probabilities[label]:.4f}", bar, style=style)
    rest = len(form.class_names) - len(classes)
    if rest:
        others = 1 - sum(probabilities[label] for label in classes)
        table.add_row(f"{rest:,} others", f"{max(others, 0):.4f}", "")
    return table


@plot_style.plain()
def _save(
    original: NDArray[np.uint8], prediction: "Prediction", title: str, form: "Form", output: Path
) -> None:
    """Draw the answer into a PNG file, and open it where a person looks at this terminal.

    `original` is a picture [H, W, 3], or an image [H, W, C] of the data. Raises UserError if the
    file cannot be written.
    """
    from mnist_exp.figures import pictures
    from mnist_exp.outside.images import as_seen

    is_data = original.shape == form.image_shape
    picture = as_seen(original, ink=form.is_digits) if is_data else original
    certainty = "" if prediction.doubt is None else ", not sure"
    title = f"{title}: {prediction.name}{certainty}"
    figure = pictures.prediction(picture, prediction.pixels, prediction.probabilities, title, form)
    try:
        put(output, plot_style.png(figure))
    except OSError as error:
        raise UserError(f"--output {output}: cannot be written ({error.strerror})") from error
    printing.say(f"picture: {output}")
    if LastingStream().isatty():  # nobody looks at a script's windows
        open_page(output.absolute().as_uri())


def _draw(which: Sequence[str], uri: str | None, trust: bool) -> None:
    """Serve the page to draw on until Ctrl-C."""
    print(f"loading {printing.plural(len(which), 'model')} ...", flush=True)
    from mnist_exp.predict import drawing
    from mnist_exp.predict.trained_models import Models

    models = Models(uri)
    # All mistakes are reported before the first model loads; what names one run is shown once.
    run_ids = dict.fromkeys(models.find(name)[0].info.run_id for name in which)
    for run_id in run_ids:
        if not models.form(run_id).is_digits:
            raise UserError(
                f"--draw is for digits alone, and run {run_id} was trained on other images; "
                "expected --image or --index"
            )
    loaded = [models.load(run_id, trust) for run_id in run_ids]
    with drawing.serving(loaded, models.roles()) as server:
        print(f"draw a digit here: {server.url}\nCtrl-C ends it.", flush=True)
        open_page(server.url)
        server.serve_forever()


if __name__ == "__main__":
    main(run)
