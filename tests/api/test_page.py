"""docs/python.md: it has each public name, and its examples run from top to bottom."""

import re
from pathlib import Path

import keras
import pytest

import mnist_exp
from benchmarks.fake_runs import FakeRuns
from mnist_exp.config import bridge
from mnist_exp.data import Dataset
from tests.explain.conftest import add, value
from tests.support.notebook import Notebook
from tests.support.pages import ROOT

PAGE = (ROOT / "docs/python.md").read_text()


def test_each_public_name_has_a_section_with_an_example() -> None:
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
    for name in mnist_exp.__all__:
        assert "```python\n" in sections[name]
        assert f"| [`{name}`](#{name.lower()}) |" in PAGE


@pytest.mark.slow  # ten runs, with their models and figures
def test_the_examples_run(workdir: Path, mnist: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = FakeRuns(workdir)  # a study that takes an hour
    for number, point in enumerate(bridge.configurations(3, None, 3)):
        add(runs, point, number, value(point))
    train, test = mnist.train, mnist.test
    images = [split.images[..., 0] for split in (train, test)]
    arrays = (images[0], train.labels), (images[1], test.labels)
    monkeypatch.setattr(keras.datasets.fashion_mnist, "load_data", lambda: arrays)
    names = Notebook()
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        names.run(block)
    assert names["result"].config["optimizer.kind"] == "sgd"
    assert len(names["table"]) == 6
    assert len(names["best"]) > 0
    assert len(names["curves"]) == 12
    assert (workdir / "compare.html").exists()
    assert (workdir / "explain.html").exists()
