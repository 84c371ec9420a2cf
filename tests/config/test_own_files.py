"""Files of --config-dir: the example of the docs, and the answer to each mistake in them."""

import re
import sys
from pathlib import Path

import pytest

from mnist_exp.__main__ import main
from tests.support.runs import output_of

PAGE = Path(__file__).parents[2] / "docs" / "howto" / "change_a_setting.md"
FIRST = "# @package _global_\n"
PRESET = "mine/experiment/my.yaml"
MODEL = "mine/model/my.yaml"

# (file, its text, the first line of the answer, what the second line holds)
MISTAKES = [
    (
        PRESET,
        f"{FIRST}seed: 1\nmodel: mlp\n",
        f"{PRESET}, line 3: model: mlp is a choice, which the list `defaults:` makes",
        "defaults: [override /model: mlp]",
    ),
    (
        PRESET,
        "defaults:\n  - override /model: mlp\n",
        f"{PRESET}: its first line is missing, without which its settings change nothing",
        "Write as the first line: # @package _global_",
    ),
    (
        PRESET,
        "schedule:\n  epochs: 3\n",
        f"{PRESET}: its first line is missing, without which its settings change nothing",
        "Write as the first line: # @package _global_",
    ),
    (
        PRESET,
        f"{FIRST}schedule:\n\tepochs: 3\n",
        f"{PRESET}, line 3: begins with a tab",
        "write two spaces in its place",
    ),
    (PRESET, f"{FIRST}seed: [1\n", f"{PRESET}, line 3: cannot be read as YAML (", ""),
    (
        PRESET,
        f"{FIRST}lr: 0.1  # large\n",
        f"{PRESET}, line 2: lr: no such setting; did you mean optimizer: {{learning_rate: 0.1}}?",
        "--help",
    ),
    (
        PRESET,
        f"{FIRST}schedule.epochs: 3\n",
        f"{PRESET}, line 2: schedule.epochs: no such setting; did you mean schedule: {{epo",
        "--help",
    ),
    (
        PRESET,
        f"{FIRST}schedule:\n  epochs: three\n",
        f"{PRESET}, line 3: three: expected a whole number",
        "",
    ),
    (
        PRESET,
        f"{FIRST}defaults:\n  - override /modle: mlp\n",
        f"{PRESET}, line 3: modle: no such group; did you mean model?",
        "Groups: data, ",
    ),
    (
        MODEL,
        "filters: [8]\n",
        f"{MODEL}, line 1: filters: the file does not say which model it starts from",
        "defaults: [cnn3x3] (possible: cnn3x3, cnn5x5)",
    ),
    (
        MODEL,
        "defaults: [cnn3x3]\nfilter: [8]\n",
        f"{MODEL}, line 2: filter: no such setting; did you mean filters: [8]?",
        "Settings: kind, filters, ",
    ),
    (
        MODEL,
        "defaults: [cnn3x3]\nwidth: 8\n",
        f"{MODEL}, line 2: width: no such setting",
        "Settings: kind, filters, ",
    ),
]


def typed(here: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """Return the answer of the command, typed in this folder."""
    monkeypatch.chdir(here)
    monkeypatch.setenv("HYDRA_FULL_ERROR", "0")  # the command sets it
    monkeypatch.setattr("mnist_exp.__main__._started", [])  # by tests before
    monkeypatch.delitem(sys.modules, "mnist_exp.sweeper.run", raising=False)
    monkeypatch.setattr(sys, "argv", ["mnist_exp", "--config-dir", "mine", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return str(ended.value.code)


@pytest.mark.parametrize(("file", "text", "first", "second"), MISTAKES)
def test_a_mistake_in_an_own_file_is_named_with_what_to_write(
    file: str, text: str, first: str, second: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(text)
    group = Path(file).parent.name
    answer = typed(tmp_path, monkeypatch, f"{group}=my").replace(f"{tmp_path}/", "")
    lines = answer.splitlines()
    assert lines[0].startswith(f"mnist_exp: {first}")
    assert second in lines[-1]
    assert len(lines) == (2 if second else 1)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_the_example_of_the_docs_is_a_preset(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert len(example.splitlines()) == 6
    folder, option = re.findall(r"--config-dir (\w+) experiment=(\w+)", page)[0]
    assert f"`{folder}/experiment/{option}.yaml`" in page
    (tmp_path / folder / "experiment").mkdir(parents=True)
    (tmp_path / folder / "experiment" / f"{option}.yaml").write_text(example)
    arguments = ("--config-dir", folder, f"experiment={option}", "--cfg", "job")
    shown = output_of(tmp_path, "mnist_exp", *arguments)
    assert "hidden_units:" in shown
    assert "epochs: 2\n" in shown
    assert "batch_size: 50\n" in shown
