"""Each code has an example: its mistake gets the code, its repair does not."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from mnist_exp.preflight import PreflightReport, check, explain
from mnist_exp.preflight.__main__ import run
from mnist_exp.preflight.explanations import codes
from tests.support.zoo.programs import sample

PAGE = Path(__file__).parents[2] / "docs" / "preflight_codes.md"
MOST_LINES = 6


def report_of(program: str) -> PreflightReport:
    keras.backend.clear_session(free_memory=False)
    keras.utils.set_random_seed(0)
    x, y = sample(0)
    given: dict[str, Any] = {"keras": keras, "layers": layers, "tf": tf, "np": np, "x": x, "y": y}
    exec(program, given)  # noqa: S102
    others = {name: given[name] for name in ("validation_data", "steps") if name in given}
    return check(given["model"], given["x"], given["y"], **others)


def of_every(quick: list[str]) -> list[Any]:
    """Return all codes, those that are not quick for the slow tests."""
    assert set(quick) <= set(codes())
    return [pytest.param(c, marks=() if c in quick else pytest.mark.slow) for c in codes()]


@pytest.mark.parametrize("code", of_every(["LABELS_OUT_OF_RANGE", "OUTPUT_ALREADY_PROBABILITIES"]))
def test_the_mistake_gets_the_code(code: str) -> None:
    assert code in report_of(explain(code).mistake).codes


@pytest.mark.parametrize("code", of_every(["OUTPUT_UNITS"]))
def test_the_repair_gets_nothing(code: str) -> None:
    assert report_of(explain(code).repair).findings == ()


@pytest.mark.parametrize("code", codes())
def test_examples_are_short(code: str) -> None:
    for program in (explain(code).mistake, explain(code).repair):
        assert len(program.splitlines()) <= MOST_LINES
        assert max(map(len, program.splitlines())) <= 100


def test_the_page_has_every_example() -> None:
    page = PAGE.read_text()
    for code in codes():
        assert explain(code).to_markdown() in page, (
            "the page says at its beginning what makes its sections"
        )


def test_explain_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--explain", "dead_units"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("DEAD_UNITS\n  error: more than 80%")
    assert "  mistake:\n    low = " in printed
    assert "  repair:\n    hidden = " in printed
    assert run(["--explain"]) == 0
    assert capsys.readouterr().out.splitlines() == codes()


def test_a_code_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match=r"'DEAD_UNIT' is no code.*\nDid you mean DEAD_UNITS\?"):
        explain("DEAD_UNIT")


def test_a_notebook_shows_it_escaped() -> None:
    shown = explain("CANNOT_OVERFIT")._repr_html_()
    assert "layers.Dense(64, &quot;relu&quot;)" in shown
    assert "<script" not in shown
