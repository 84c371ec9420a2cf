"""`python -m mnist_exp.predict` reads the digit of a picture, a test image or a drawing."""

import argparse
import base64
import io
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
    from mnist_exp.predict.trained_models import Prediction, TrainedModel

_DESCRIPTION = """Which digit is that?

Reads a digit with the logged model of a run, prints it with the probabilities of all ten, and draws
the picture, what the network sees of it, and the probabilities. docs/predict.md says how a picture
becomes 28x28 pixels."""
_EXAMPLES = """examples:
  python -m mnist_exp.predict --image digit.jpg
  python -m mnist_exp.predict --run best --index 7
  python -m mnist_exp.predict --draw --run RUN_ID --run best

exit code: 0, 1 for a mistake, or 130 when --draw is ended with Ctrl-C"""
_MOST_BYTES = 100_000_000  # of a picture's file
_MOST_MODELS = 2  # side by side


def _parser() -> Parser:
    """Return the parser of this command's line."""
    usage = "[--image FILE | --index N | --draw] [options]"
    parser = Parser("mnist_exp.predict", _DESCRIPTION, _EXAMPLES, usage=usage)
    text = "best: the highest val/accuracy; default: latest; with --draw up to two, side by side"
    parser.add_argument("--run", action="append", metavar="RUN_ID|best|latest", help=text)
    what = parser.add_mutually_exclusive_group()
    text = "one digit, dark on light or light on dark, in a format that Pillow reads"
    what.add_argument("--image", metavar="FILE", help=text)
    text = "read test image number N (0 to 9999); default: a random one"
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
    """Read a digit as the command line says.

    Raises UserError for a mistake of the user's, before TensorFlow loads.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.words:
        _refuse_word(options.words[0], parser)
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
    if options.draw:
        _draw(which, options.uri, options.trust)
        return
    image: str | NDArray[np.uint8]
    if options.image is not None:
        path = Path(os.path.expanduser(options.image))
        content = _read(path)
        image, name, title = base64.b64encode(content).decode(), path.stem, path.name
        original = _original(content)
    else:
        original, index, label = _test_image(options.index, options.seed)
        image, name, title = original, f"test-{index}", f"test image {index}, label {label}"
    output = Path(os.path.expanduser(options.output or f"predict-{name}.png"))
    if output.suffix.lower() != ".png" or not output.parent.is_dir():
        raise UserError(
            f"--output {output}: expected a name that ends in .png, in a folder that exists"
        )
    if options.image is not None and output.exists() and output.samefile(path):
        raise UserError(f"--output {output}: that is the picture of --image, which would be lost")
    from mnist_exp.predict.trained_models import Models

    model = Models(options.uri).load(which[0], options.trust)
    prediction = model.predict(image)
    _show(model, prediction, title)
    certainty = "" if prediction.doubt is None else ", not sure"
    _save(original, prediction, f"{title}: {prediction.digit}{certainty}", output)


def _read(path: Path) -> bytes:
    """Return the content of a picture's file from which a digit can be read.

    A picture that the model would refuse is reported before the model loads, which takes seconds.
    """
    from mnist_exp.serving import preprocessing

    try:
        if path.exists() and not path.is_file():
            raise UserError(f"--image {path}: not a file")
        if path.stat().st_size > _MOST_BYTES:
            raise UserError(
                f"--image {path}: {path.stat().st_size:,} bytes; at most {_MOST_BYTES:,} are read"
            )
        content = path.read_bytes()
        preprocessing.from_bytes(content)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UserError(f"--image {path}: {reason}") from error
    return content


def _original(content: bytes) -> NDArray[np.uint8]:
    """Return the picture as a person sees it, [H, W, 3], small enough to draw."""
    from mnist_exp.serving import picture_files

    return np.asarray(picture_files.shown(content, 800))


def _test_image(index: int | None, seed: int | None) -> tuple[NDArray[np.uint8], int, int]:
    """Return a test image [28, 28], its index and its label. Without an index it is a random one.

    Raises UserError for an index that no test image has.
    """
    from mnist_exp import data

    test = data.load().test
    if index is None:
        index = int(np.random.default_rng(seed).integers(len(test)))
    if not 0 <= index < len(test):
        raise UserError(f"--index {index}: expected 0 to {len(test) - 1}, the test images")
    return test.images[index, :, :, 0], index, int(test.labels[index])


def _show(model: "TrainedModel", prediction: "Prediction", title: str) -> None:
    """Print the answer, the probabilities as a table with bars, and the run."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    console = printing.console()
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("digit", justify="right")
    table.add_column("probability", justify="right")
    table.add_column("")
    for digit, probability in enumerate(prediction.probabilities):
        style = "bold" if digit == prediction.digit else None
        bar = "\N{FULL BLOCK}" * round(30 * probability)
        table.add_row(str(digit), f"{probability:.4f}", bar, style=style)
    answer, doubt = str(prediction.digit), ""
    if prediction.doubt is not None:
        answer, doubt = "not sure", f", perhaps {prediction.digit}: {prediction.doubt}"
    text = Text.assemble(f"{clean(title)}: ", (answer, "bold"), doubt)
    console.print(text, soft_wrap=True)
    console.print(table)
    console.print(clean(f"run {model.run_id}  {model.run_name}  {model.uri}"), soft_wrap=True)


@plot_style.plain()
def _save(original: NDArray[np.uint8], prediction: "Prediction", title: str, output: Path) -> None:
    """Draw the answer into a PNG file, and open it where a person looks at this terminal.

    Raises UserError if the file cannot be written.
    """
    from mnist_exp.data import MNIST
    from mnist_exp.figures import pictures
    from mnist_exp.outside.images import as_seen

    picture = as_seen(original[:, :, None], ink=True) if original.ndim == 2 else original
    pixels = prediction.pixels[:, :, None]
    figure = pictures.prediction(picture, pixels, prediction.probabilities, title, MNIST)
    drawing = io.BytesIO()
    figure.savefig(drawing, dpi=120, format="png")
    try:
        put(output, drawing.getvalue())
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
    loaded = [models.load(run_id, trust) for run_id in run_ids]
    with drawing.serving(loaded, models.roles()) as server:
        print(f"draw a digit here: {server.url}\nCtrl-C ends it.", flush=True)
        open_page(server.url)
        server.serve_forever()


if __name__ == "__main__":
    main(run)
