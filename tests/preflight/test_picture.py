"""The picture in README of what preflight answers is drawn from what the command prints."""

import html
import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from mnist_exp.preflight.__main__ import run

ARGUMENTS = ("mnist_exp.preflight", "experiment=notebook_softmax_buggy")
PICTURE = "preflight.svg"


def drawn(answer: str) -> str:
    """Return the SVG of a terminal in which the command was typed, with a font of the reader's."""
    console = Console(record=True, width=100, file=io.StringIO(), highlight=False)
    console.print(f"$ python -m {' '.join(ARGUMENTS)}", style="bold")
    console.print(answer, markup=False)
    svg = console.export_svg(title="before training")
    return re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)


def words(svg: str) -> list[str]:
    """Return the words in the picture, without the time that the checks took."""
    text = " ".join(re.findall(r"<text [^>]*>([^<]*)</text>", svg))
    return re.sub(r"in [\d.]+ s", "", html.unescape(text).replace("\xa0", " ")).split()


def test_the_picture_has_the_answer(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*ARGUMENTS[1:]]) == 1
    svg = drawn(capsys.readouterr().out)
    (pictures / PICTURE).write_text(svg)
    assert "LOSS_IGNORES_LABELS:" in words(svg)
    kept = Path(__file__).parents[2] / "docs" / "images" / PICTURE
    assert words(kept.read_text()) == words(svg), "run this test with --pictures docs/images"
