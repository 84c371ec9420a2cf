"""The lesson runs from top to bottom, and what its texts say is what its outputs show."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient

from mnist_exp.config.bridge import differences

ROOT = Path(__file__).parents[2]
NAMES = ["lesson.ipynb", "lesson.ko.ipynb"]
STORED = {name: nbformat.read(ROOT / "examples" / name, 4) for name in NAMES}

# What the English text says, the cell that shows it, a pattern of each number in what the cell
# prints, and whether the numbers agree. The Korean text has the same numbers, which another test
# holds.
CLAIMS: list[tuple[str, str, str, Callable[..., bool]]] = [
    ("it prints its accuracy: **0.098**", "tutorial", r"accuracy (\S+)", lambda a: a == 0.098),
    ("is still ln 10", "tutorial", r"cost at the end (\S+)", lambda cost: cost == 2.3026),
    ("ln 10", "slopes", r"start: (\S+), and ln 10 = (\S+)", lambda a, b: a == b == 2.3026),
    ("all its slopes are 0", "slopes", r"buggy loss: \[(.*)\]", lambda *all_: not any(all_)),
    (
        "negative slope at the label 3",
        "slopes",
        r"right loss: \[(.*)\]",
        lambda *all_: [value < 0 for value in all_] == [digit == 3 for digit in range(10)],
    ),
    ("takes the first of equals: the digit 0", "slopes", r"logit: (\d)", lambda d: d == 0),
    (
        "980 of 10,000 show a 0",
        "zeros",
        r"(\d+) of (\d+) test images show a 0: (\S+)",
        lambda zeros, all_, share: (zeros, all_, share) == (980, 10_000, 0.098),
    ),
    ("1,009 of 10,000, which is 0.1009", "zeros", r"(\d+)\s*$", lambda nines: nines == 1009),
    ("digit 1 it would be 0.1135", "zeros", r"test images +980 +(\d+)", lambda ones: ones == 1135),
    (
        "the accuracy is between 0.90 and 0.93",
        "repaired",
        r"test accuracy (\S+)",
        lambda accuracy: 0.90 < accuracy < 0.93,
    ),
    (
        "its steps take 100, the notebook's 50), and its learning rate",
        "cnns",
        r"the blog's CNN +\d+ +(\S+) +(\S+)[\s\S]*the notebook's CNN +\d+ +(\S+) +(\S+)",
        lambda *all_: all_ == (100, 0.001, 50, 0.0001),
    ),
    ("the blog's CNN is ahead", "cnns", r"blog (\S+), notebook (\S+)", lambda a, b: a > b),
    ("differs by more than 0.0020", "seeds", r"from (\S+) to (\S+)", lambda a, b: b - a > 0.0020),
    (
        "five seeds, 0.9853 to 0.9880",
        "recorded",
        r"blog_cnn3x3 (.*)",
        lambda *all_: (min(all_), max(all_)) == (0.9853, 0.9880),
    ),
    ("worst run, 0.9919", "recorded", r"cnn5x5 (.*)", lambda *all_: min(all_) == 0.9919),
    (
        "costs more than 0.03",
        "changes",
        r"(?m)^nothing .* (\S+)$[\s\S]*?^mean loss  .* (\S+)$",
        lambda before, after: before - after > 0.03,
    ),
    (
        "as good as the start",
        "changes",
        r"(?m)^nothing .* (\S+)$[\s\S]*?rate 0\.5 .* (\S+)$",
        lambda before, after: abs(before - after) < 0.001,
    ),
    ("p not be below 0.0625", "compared", r"p = (0\.\d+)", lambda p: p == 0.0625),
]


def text_of(cell: nbformat.NotebookNode) -> str:
    """Return what a cell shows, as plain text without colours."""
    shown = [one.get("text") or one.get("data", {}).get("text/plain", "") for one in cell.outputs]
    return re.sub(r"\x1b\[[\d;]*m", "", "\n".join(shown))


def cells(notebook: nbformat.NotebookNode) -> dict[str, nbformat.NotebookNode]:
    return {cell.id: cell for cell in notebook.cells}


def code(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def hold_claims(notebook: nbformat.NotebookNode) -> None:
    """Look at each number that the text claims in what the cells show."""
    found = cells(notebook)
    for claim, name, pattern, agrees in CLAIMS:
        shown = text_of(found[name])
        match = re.search(pattern, shown)
        assert match, (claim, shown)
        values = [float(value) for group in match.groups() for value in group.split()]
        assert agrees(*values), (claim, shown)
    assert "the same accuracy again: True" in text_of(found["preflight"])
    assert "LOSS_IGNORES_LABELS" in text_of(found["preflight"])
    assert "GRADIENT_ZERO" in text_of(found["preflight"])
    assert "loss.kind: self_entropy -> cross_entropy" in text_of(found["repaired"])
    assert text_of(found["repaired"]).count("->") == 1, "one setting is different"
    assert "my_digit.png: 7" in text_of(found["read"])
    assert "better" in text_of(found["compared"])


def test_the_text_makes_the_claims() -> None:
    text = " ".join(word for cell in STORED["lesson.ipynb"].cells for word in cell.source.split())
    assert not [claim for claim, *_ in CLAIMS if claim not in text]


@pytest.mark.parametrize("name", NAMES)
def test_stored_outputs_are_those_of_one_run_from_top_to_bottom(name: str) -> None:
    stored = code(STORED[name])
    assert [cell.execution_count for cell in stored] == list(range(1, len(stored) + 1))
    assert all(cell.outputs for cell in stored)
    assert not [out for cell in stored for out in cell.outputs if out.output_type == "error"]


@pytest.mark.parametrize("name", NAMES)
def test_stored_outputs_show_what_the_text_claims(name: str) -> None:
    hold_claims(STORED[name])


@pytest.mark.parametrize("name", NAMES)
def test_stored_outputs_say_nothing_of_the_machine_and_are_small(name: str) -> None:
    text = (ROOT / "examples" / name).read_text()
    assert not re.search(r"/(home|root|tmp|work|Users)/", text)
    assert len(text) < 500_000


def test_the_recorded_accuracies_are_those_of_the_results() -> None:
    results = pd.read_csv(ROOT / "docs" / "results" / "results.csv")
    source = cells(STORED["lesson.ipynb"])["recorded"].source
    for preset in ("blog_cnn3x3", "notebook_cnn5x5"):
        rows = results[(results.preset == preset) & (results.quantity == "test/accuracy")]
        first = rows[rows.seed < 5].sort_values("seed").value.tolist()
        assert f'"{preset}": {first}' in source


def test_the_two_cnns_differ_in_nine_settings() -> None:
    assert "differ in nine settings" in cells(STORED["lesson.ipynb"])["part-6"].source
    assert len(differences(15, None)) == 9


@pytest.mark.slow
@pytest.mark.parametrize(("name", "times"), [("lesson.ipynb", 2), ("lesson.ko.ipynb", 1)])
def test_it_runs_in_a_new_kernel(name: str, times: int, tmp_path: Path) -> None:
    """In a folder with a space, as a class has it, and again beside the runs of the first time."""
    folder = tmp_path / "our lesson"
    folder.mkdir()
    shutil.copy(ROOT / "examples" / name, folder)
    for _ in range(times):
        notebook = nbformat.read(folder / name, 4)
        resources = {"metadata": {"path": str(folder)}}
        NotebookClient(notebook, timeout=None, resources=resources).execute()
        hold_claims(notebook)
