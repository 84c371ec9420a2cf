"""Measure how well a run's model reads kinds of pictures, and how often it doubts its answer.

docs/predict.md has the tables. They are for the preset blog_cnn3x3; the model is that of a run in
the current folder's store. The rule of doubt was chosen on validation images and on one half of the
wrong pictures. Nothing here reports on these: digits are test images, and wrong pictures are drawn
with other fonts and seeds.
"""

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from benchmarks import wrong_pictures
from benchmarks.arguments import check_positive, command_line
from benchmarks.picture_kinds import KINDS
from mnist_exp import data
from mnist_exp.command import answered, output_folder, write
from mnist_exp.errors import UserError
from mnist_exp.serving.picture_files import PictureError
from mnist_exp.serving.preprocessing import from_bytes

Images = NDArray[np.uint8]


def main() -> None:
    write_table("pictures", __doc__, "number of test images of each kind", _tables)


def write_table(
    name: str, doc: str | None, count_help: str, tables: Callable[[object, int], Iterable[str]]
) -> None:
    """Write NAME.md with the lines that `tables` returns of a run's model and of `--count`."""
    parser = command_line(name, doc)
    parser.add_argument("--count", type=int, default=1000, metavar="N", help=count_help)
    run_help = "the run whose model reads them"
    parser.add_argument("--run", default="latest", metavar="RUN_ID|best|latest", help=run_help)
    with answered(UserError):
        given = parser.parse_args()
        check_positive(given, "count")
        folder = output_folder(given.output)
        from mnist_exp.predict.trained_models import Models

        lines = tables(Models(None).load(given.run).loaded, given.count)
        write(folder, {f"{name}.md": "\n".join(lines) + "\n"})


def _tables(model: object, count: int) -> Iterable[str]:
    return [*_digits(model, count), "", *_wrong(model, count)]


def _digits(model: object, count: int) -> Iterable[str]:
    """Yield a row for each kind: the shares right, not sure, wrong but sure, and refused."""
    test = data.load().test
    chosen = np.arange(0, len(test), max(1, len(test) // count))[:count]
    yield from printed(
        [
            f"| {count:,} test images each | right | not sure | wrong, but sure | refused |",
            "|---|---|---|---|---|",
        ]
    )
    for kind, make in {"the array itself": None, **KINDS}.items():
        random, answers = np.random.default_rng(1), []
        for index in chosen:
            digit = test.images[index, :, :, 0]
            answers.append(digit if make is None else scan(make(digit, random)))
        digits, sure = read(model, answers)
        right, refused = digits == test.labels[chosen], digits < 0
        parts = (right, ~refused & ~sure, sure & ~right, refused)
        yield from printed(
            [f"| {kind} | " + " | ".join(f"{part.mean():.1%}" for part in parts) + " |"]
        )


def _wrong(model: object, count: int) -> Iterable[str]:
    """Yield a row for each kind of wrong picture: the shares refused, not sure, and sure."""
    yield from printed(
        [
            "| what is no digit | pictures | refused | not sure | sure, though it is no digit |",
            "|---|---|---|---|---|",
        ]
    )
    total = np.zeros(4, int)
    for kind, (share, _) in wrong_pictures.WRONG.items():
        pictures = wrong_pictures.make(kind, 1, max(1, share * count // 1000))
        digits, sure = read(model, [scan(picture) for picture in pictures])
        counts = np.array(
            [len(digits), (digits < 0).sum(), ((digits >= 0) & ~sure).sum(), sure.sum()]
        )
        total += counts
        yield from printed([_row(kind, counts)])
    yield from printed([_row("all", total)])


def _row(kind: str, counts: NDArray[np.int64]) -> str:
    return (
        f"| {kind} | {counts[0]:,} | "
        + " | ".join(f"{n / counts[0]:.1%}" for n in counts[1:])
        + " |"
    )


def scan(picture: bytes) -> Images | None:
    """Return the pixels [28, 28], or None for a picture that is refused."""
    try:
        return from_bytes(picture)
    except PictureError:
        return None


def read(model: object, scans: list[Images | None]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the digit of each scan (-1 without a scan), and whether the model is sure of it."""
    digits, sure = np.full(len(scans), -1), np.zeros(len(scans), bool)
    read = [index for index, scan in enumerate(scans) if scan is not None]
    if read:
        images = np.stack([scan for scan in scans if scan is not None])
        answers = model.predict(images)  # type: ignore[attr-defined]
        digits[read], sure[read] = answers["digit"], answers["sure"]
    return digits, sure


def printed(lines: list[str]) -> list[str]:
    """Print the lines, so that they are seen while the rest is measured, and return them."""
    print("\n".join(lines), flush=True)
    return lines


if __name__ == "__main__":
    main()
