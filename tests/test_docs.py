"""What README, CONTRIBUTING, docs/ and .ci/run name is there: links, files, and tests."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [
    *(ROOT / name for name in ("README.md", "README.ko.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
CONFIGS = [*(ROOT / "conf").rglob("*.yaml"), *(ROOT / "sweeps").glob("*.yaml")]
FOLDERS = "mnist_exp|conf|sweeps|tests|benchmarks|docs|examples"


def headings(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    lines = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", line.lower()).replace(" ", "-") for line in lines}


def quoted(page: Path) -> list[str]:
    """Return all that a page has in backticks."""
    return re.findall(r"`([^`\n]+)`", page.read_text())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?://)([^)\s]+)\)", page.read_text()):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in headings(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_files_of_the_project_exist(page: Path) -> None:
    paths = [text for text in quoted(page) if re.fullmatch(rf"({FOLDERS})/[\w./-]*", text)]
    missing = [
        path for path in paths if not re.search("[A-Z]{4}", path) and not (ROOT / path).exists()
    ]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_tests_exist(page: Path) -> None:
    """A test is named as `test_x.py`, or in docs/situations.md as test_x::test_y."""
    sources: defaultdict[str, str] = defaultdict(str)  # several folders may have a test_command.py
    for path in (ROOT / "tests").rglob("test_*.py"):
        sources[path.stem] += path.read_text()
    text = page.read_text()
    files = re.findall(r"\b(test_\w+)\.py\b", text)
    cases = re.findall(r"\b(test_\w+)::(test_\w+)", text)
    assert not [name for name in files if name not in sources]
    assert not [f"{file}::{case}" for file, case in cases if f"def {case}(" not in sources[file]]


def typed(page: Path) -> list[str]:
    """Return what a page shows to be typed: commands, and settings in backticks."""
    text = re.sub(r"\\\n\s*", " ", page.read_text())
    lines = text.splitlines()
    if page.suffix == ".yaml":
        return [line for line in lines if line.startswith("#") and "python -m" in line]
    code = [line for line in lines if line.startswith("    ")]
    code += [part for line in lines for part in re.findall(r"`([^`]+)`", line)]
    return [part for part in code if "python -m" in part or re.match(r"[+\w./]+=\S", part)]


@pytest.mark.parametrize(
    "page", [*PAGES, *CONFIGS], ids=lambda page: f"{page.parent.name}/{page.stem}"
)
def test_what_is_to_be_typed_is_quoted_for_zsh(page: Path) -> None:
    """zsh, the shell of macOS, takes brackets and stars for names of files, and then refuses."""
    for command in typed(page):
        bare = re.sub(r"'[^']*'|\"[^\"]*\"", "", command.partition("   #")[0])
        assert not re.search(r"[\[\](){}*?<>]", bare), command


def test_ci_runs_every_file_with_slow_tests() -> None:
    named = {ROOT / path for path in re.findall(r"tests/[\w/.]+", (ROOT / ".ci/run").read_text())}
    for path in (ROOT / "tests").rglob("test_*.py"):
        if re.search(r"mark\.(slow|first_cases)", path.read_text()):
            assert named & {path, *path.parents}, path
