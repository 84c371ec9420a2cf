"""`python -m mnist_exp --help`, as a person reads it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

import pytest

import mnist_exp
from mnist_exp.config.commands import commands
from mnist_exp.config.group_schemas import SCHEMAS
from mnist_exp.config.groups import CONF_DIR, group_names, option_files
from mnist_exp.config.help import topics
from mnist_exp.config.meanings import summary
from mnist_exp.config.ranges import without_none
from mnist_exp.config.schema import Config
from mnist_exp.sweeper.settings import MEANINGS, PRUNERS, SAMPLERS, SETTINGS, SUMMARIES
from tests.support.waiting import LIMIT

# Prints the page, and then what a page needs no library for.
WATCHED = """
import runpy, sys
try:
    runpy.run_module("mnist_exp", run_name="__main__", alter_sys=True)
finally:
    heavy = ("tensorflow", "keras", "mlflow", "matplotlib", "optuna", "numpy")
    print([name for name in heavy if name in sys.modules], file=sys.stderr)
"""


def shown(*arguments: str, cwd: Path, columns: int = 80) -> str:
    """Return the page; nothing else is printed, and nothing heavy is loaded."""
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, "--help", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=True,
        env={**os.environ, "COLUMNS": str(columns), "NO_COLOR": "1"},
    )
    assert done.stderr == "[]\n"
    assert list(cwd.glob("outputs")) == []
    return done.stdout


def entries(page: str) -> dict[str, str]:
    """Return {setting: what stands below it}, as one line each."""
    found: dict[str, list[str]] = {}
    below: list[str] = []
    for line in page.splitlines():
        if line.startswith("  ") and line[2] != " ":
            found[line.strip()] = below = []
        elif line.startswith("    ") and line[4] != " ":
            below = []  # an option
        elif line.startswith("      "):
            below.append(line.strip())
    return {key: " ".join(lines) for key, lines in found.items()}


def all_settings(schema: Any, prefix: str = "") -> Iterator[str]:
    """Yield the key of each setting of a schema, and of each option of a group in it."""
    hints = get_type_hints(schema)
    for entry in fields(schema):
        key, kind = f"{prefix}{entry.name}", without_none(hints[entry.name])
        kinds = SCHEMAS[key].values() if key in SCHEMAS else [kind]
        for one in kinds:
            if is_dataclass(one):
                yield from all_settings(one, f"{key}.")
            elif entry.name != "kind":  # GROUP=OPTION chooses it
                yield key


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return shown(cwd=tmp_path_factory.mktemp("help"))


def test_every_setting_has_a_meaning_its_values_and_a_default(page: str) -> None:
    found = entries(page)
    keys = {*all_settings(Config), *(f"hydra.sweeper.{name}" for name in MEANINGS)}
    assert len(keys) > 70
    for key in keys:
        meaning, _, facts = found[key].partition(". ")
        assert len(meaning) > 10, key
        assert "Default: " in facts, key
        assert not facts.startswith("Default: "), key
    assert {key for key in topics() if "." in key} - {"hydra.sweeper"} <= keys


def test_every_group_and_option_is_there_with_the_first_line_of_its_file(page: str) -> None:
    one_line = " ".join(page.split())
    for group in group_names():
        assert f"{group}=OPTION: " in one_line
        for file in option_files(group):
            assert len(summary(file)) > 5
            assert summary(file)[-1] in ".?"
            assert " ".join(f"{file.stem} {summary(file)}".split()) in one_line.replace(" * ", " ")
    for command, purpose in commands().items():
        assert f" {command} {purpose}" in one_line


@pytest.mark.parametrize(
    "word", ["${", "???", "None", "_target_", "$$", "null is", "schema", "\x1b"]
)
def test_no_word_of_python_or_yaml_is_there(page: str, word: str) -> None:
    assert word not in page


def test_examples_can_be_typed_in_zsh(page: str) -> None:
    examples = [line for line in page.splitlines() if line.startswith("    python -m")]
    assert len(examples) > 8
    for example in examples:
        command = example.strip().partition("  ")[0]
        assert not re.search(r"[\[\](){}*?<>]", re.sub("'[^']*'", "", command))


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("schedule.epochs", "Whole number, 1 or more. Default: 15 if max_steps is not set."),
        ("threads", "Default: the number of cores, in a sweep a worker's share."),
        ("data.dir", "the MNIST that comes with the package with mnist."),
        ("model.kernel_size", "Default: 3 with cnn3x3; 5 with cnn5x5."),
        ("model.filters", "A list: whole numbers from 1 to 65536. Only with cnn3x3 and cnn5x5."),
        ("model.dropout", "Number from 0 to below 1."),
        ("optimizer.weight_decay", "Only with adamw. Default: 0.01."),
        ("optimizer.beta_2", "Only with adam and adamw. Default: 0.999."),
        (
            "loss.reduction",
            "Default: mean with cross_entropy, keras and own; sum with cross_entropy_sum",
        ),
        ("init.readout_bias.stddev", "Default: 1 with blog; not set with glorot, he, notebook"),
        ("reference.cost", "A list: numbers. Default: none."),
        ("preflight", "One of off, warn, error. Default: warn."),
        ("deterministic", "One of true, false. Default: true."),
        ("hydra.sweeper.direction", "Default: maximize for an accuracy, minimize for"),
        ("hydra.sweeper.storage", "Default: sqlite:///optuna.db, a file in the current folder."),
    ],
)
def test_defaults_are_in_words(page: str, setting: str, words: str) -> None:
    assert words in entries(page)[setting]


@pytest.mark.first_cases(1)
@pytest.mark.parametrize("columns", [80, 100, 200])
def test_the_page_fits_the_terminal(tmp_path: Path, columns: int) -> None:
    lines = shown(cwd=tmp_path, columns=columns).splitlines()
    examples = [line for line in lines if "python -m mnist_exp" in line]  # are never wrapped
    assert max(map(len, examples)) <= 80
    assert max(len(line) for line in lines if line not in examples) <= min(columns, 100)


def test_options_of_an_own_folder_are_listed(tmp_path: Path) -> None:
    own = tmp_path / "my_conf"
    for name, text in {
        "experiment/mine.yaml": "# @package _global_\n# Wide and shallow: ${x}\nseed: 3\n",
        "model/wide.yaml": "defaults: [cnn3x3]\nfilters: [64]\n",
        "course/week1.yaml": "# @package _global_\n# The first week.\nseed: 1\n",
    }.items():
        (own / name).parent.mkdir(parents=True, exist_ok=True)
        (own / name).write_text(text)
    page = shown("--config-dir", str(own), "model=wide", cwd=tmp_path)
    lines = [" ".join(line.split()) for line in page.splitlines()]
    assert "mine Wide and shallow: ${x} (Your own.)" in lines
    assert "wide * (Your own.)" in lines
    assert "course=OPTION: Options of your own." in lines
    assert "week1 The first week. (Your own.)" in lines
    assert entries(page)["model.filters"].endswith(
        "[32,64] with cnn3x3 and cnn5x5; [64] with wide."
    )


def test_what_is_given_is_shown_beside_the_default(tmp_path: Path) -> None:
    given = ["model=mlp", "seed=3", "tracking.uri=${oc.env:UNSET}", "debug=fast"]
    found = entries(shown(*given, cwd=tmp_path))
    here = {key: text.partition(" Here: ")[2] for key, text in found.items() if " Here: " in text}
    assert here == {
        "seed": "3.",
        "tracking.uri": "as given.",
        "tracking.experiment": "mnist_exp_debug.",
        "preflight": "off.",
        "schedule.epochs": "1.",
        "schedule.max_steps": "2.",
        "data.train_limit": "200.",
        "data.eval_limit": "200.",
    }


def test_the_lists_of_commands_and_of_the_sweepers_settings_are_whole() -> None:
    package = Path(mnist_exp.__file__).parent
    found = {path.parent.name for path in package.glob("*/__main__.py")}
    found |= {path.stem for path in package.glob("*.py") if "\n    main(" in path.read_text()}
    assert set(commands()) == found - {"__main__"}
    assert set(MEANINGS) == SETTINGS - {"sampler", "pruner"}
    assert set(SUMMARIES["sampler"]) == set(SAMPLERS) - {"motpe"}  # which Optuna has removed
    assert set(SUMMARIES["pruner"]) == set(PRUNERS)


def test_the_first_line_of_a_file_is_the_same_for_conf_and_sweeps() -> None:
    assert summary(CONF_DIR / "optimizer" / "sgd.yaml").startswith("Gradient descent")
    assert summary(CONF_DIR / "debug" / "fast.yaml").startswith("Two batches")
