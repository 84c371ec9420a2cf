"""The commands of README and of the how-to pages fit each other, and those who type them."""

import itertools
import re
import shlex
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.override_parser.overrides_parser import OverridesParser

from mnist_exp.config.tree import as_meant, compose
from tests.support.pages import ROOT, commands
from tests.support.runs import output_of

README = ROOT / "README.md"
REFERENCE = [ROOT / "docs" / name for name in ("sweeps.md", "own.md")]
PAGES = [README, *sorted((ROOT / "docs" / "howto").glob("*.md")), *REFERENCE]
NO_SETTING = re.compile(r"-|sweeps=|hydra|resume=|best_of=|tracking\.uri=")
PLACEHOLDER = re.compile(r"\b[A-Z]{3,}(_[A-Z]+)*\b")
# Of a page's sweeps: small data, and few trials of a search.
SMALL = ["data.train_limit=200", "data.eval_limit=100", "preflight=off"]
SMALLER = {
    "variants": [*SMALL, "schedule.max_steps=2", "seed=range(0,2)"],
    "cnn3x3_tuning": [*SMALL, "schedule.epochs=1", "hydra.sweeper.n_trials=2"],
    "bridge": ["data.train_limit=200", "data.eval_limit=100", "bridge.seeds=1", "bridge.epochs=1"],
}


ALL = [pytest.param(c, id=f"{p.stem}: {c}") for p in PAGES for c in dict.fromkeys(commands(p))]


@pytest.mark.parametrize("command", ALL)
def test_a_command_can_be_typed(command: str) -> None:
    """Its module and its settings exist, and zsh expands nothing outside of quotes."""
    outside = re.sub(r"'[^']*'|\"[^\"]*\"", "", command)
    assert not set("[](){};*?!<>") & set(outside)
    _, _, module, *words = shlex.split(command)
    assert find_spec(module) is not None
    if "--config-dir" in words or PLACEHOLDER.search(command):
        return
    if module == "mnist_exp.compare":
        assert {"--study", "--experiment", "--filter"} & set(words), "nothing is selected"
    settings = [word for word in words if not NO_SETTING.match(word)]
    if module not in ("mnist_exp", "mnist_exp.preflight") or "hydra/sweeper" in command:
        return
    parsed = OverridesParser.create().parse_overrides(as_meant(settings))
    (jobs,) = BasicSweeper.split_arguments(parsed, None)
    for job in (jobs[0], jobs[-1]):
        compose(job)


def sweeps(page: Path) -> dict[str, list[str]]:
    """Return the words of each sweep of a page, of its quick form if there are two, by its name."""
    found: dict[str, list[str]] = {}
    for command in commands(page):
        words = shlex.split(command)[3:]
        names = [w.partition("=")[2] for w in words if w.startswith(("sweeps=", STUDY_NAME))]
        if "-m" in words and names and len(words) >= len(found.get(names[0], [])):
            found[names[0]] = words
    return found


STUDY_NAME = "hydra.sweeper.study_name="


def followers(page: Path) -> list[tuple[str, list[str]]]:
    """Return (study, words) of each command of a page that needs a study."""
    found = []
    for command in commands(page):
        words = shlex.split(command)[2:]
        studies = [after for word, after in itertools.pairwise(words) if word == "--study"]
        studies += [word.partition("=")[2] for word in words if word.startswith("best_of=")]
        found += [(study, words) for study in studies if not PLACEHOLDER.search(study)]
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_study_is_made_on_the_page_that_uses_it(page: Path) -> None:
    made = sweeps(page)
    for study, words in followers(page):
        names = [" ".join([name, *made[name][2:]]) for name in made]
        assert any(name.startswith(study) for name in names), words


PAIRS = {shlex.join(words): (study.split()[0], words) for study, words in followers(README)}
STUDIES = {study for study, _ in PAIRS.values()}


def test_readme_has_pairs() -> None:
    assert "variants" in STUDIES


LENGTHS = ("bridge.epochs", "bridge.seeds")  # which SMALLER sets


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return what runs README's sweep of a study, once, and gives its folder."""

    @cache
    def folder_of(study: str) -> Path:
        folder = tmp_path_factory.mktemp("sweep")
        words = [word for word in sweeps(README)[study] if word.partition("=")[0] not in LENGTHS]
        out = output_of(folder, "mnist_exp", *words, *SMALLER[study])
        assert f"To compare the trials: python -m mnist_exp.compare --study '{study} " in out
        return folder

    return folder_of


@pytest.mark.slow
@pytest.mark.parametrize("pair", PAIRS)
def test_a_pair_of_readme(swept: Callable[[str], Path], pair: str) -> None:
    study, words = PAIRS[pair]
    assert output_of(swept(study), *words).strip()
