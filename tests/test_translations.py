"""README.ko.md and the Korean lesson say what the English ones say, as far as a test can see."""

import re
from collections import Counter
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parent.parent
READMES = [(ROOT / name).read_text() for name in ("README.md", "README.ko.md")]
LESSONS = [
    nbformat.read(ROOT / "examples" / name, 4).cells for name in ("lesson.ipynb", "lesson.ko.ipynb")
]
# Each README links to the other one, and to the lesson in its own language.
OWN_LINKS = {"README.md", "README.ko.md", "examples/lesson.ipynb", "examples/lesson.ko.ipynb"}
NUMBER_WORDS = {"July": "7", "zero": "0"}  # Korean writes these as numbers


def numbers(text: str) -> Counter[str]:
    """Return how often each number is in a text, addresses of links left out."""
    for word, number in NUMBER_WORDS.items():
        text = re.sub(rf"\b{word}\b", number, text)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    return Counter(re.findall(r"\d+(?:[.,]\d+)*(?:e-\d+)?", text))


def blocks(text: str) -> list[str]:
    """Return the indented and the fenced blocks of a page, as they are."""
    fences = re.findall(r"^```.*?^```$", text, re.DOTALL | re.MULTILINE)
    return [*fences, *re.findall(r"^    .*(?:\n    .*)*", text, re.MULTILINE)]


def links(text: str) -> Counter[str]:
    return Counter(link for link in re.findall(r"\]\(([^)\s]+)\)", text) if link not in OWN_LINKS)


def quoted(text: str) -> Counter[str]:
    """Return what stands in backticks outside of fenced blocks."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    return Counter(re.findall(r"`([^`\n]+)`", text))


@pytest.mark.parametrize("part", [blocks, numbers, links, quoted])
def test_both_readmes_have_the_same(part: object) -> None:
    assert callable(part)
    english, korean = (part(text) for text in READMES)
    assert english == korean


def test_both_readmes_have_as_many_headings_items_rows_pictures_and_bold_words() -> None:
    forms = (r"^# ", r"^## ", r"^- ", r"^\|", r"^!\[", r"\*\*")
    english, korean = ([len(re.findall(form, t, re.MULTILINE)) for form in forms] for t in READMES)
    assert english == korean


def test_both_lessons_have_the_same_cells_and_the_same_code() -> None:
    english, korean = (
        [(cell.id, cell.cell_type, cell.source if cell.cell_type == "code" else "") for cell in one]
        for one in LESSONS
    )
    assert english == korean


@pytest.mark.parametrize(
    ("english", "korean"), [*zip(*LESSONS, strict=True)], ids=lambda cell: cell.id
)
def test_a_text_of_both_lessons_has_the_same(
    english: nbformat.NotebookNode, korean: nbformat.NotebookNode
) -> None:
    if english.cell_type == "markdown":
        theirs = korean.source.replace("lesson.ko.ipynb", "lesson.ipynb")
        for part in (blocks, numbers, quoted):
            assert part(english.source) == part(theirs)
        for mark in ("<details>", "</details>", "\n|", "\n#", "\n- ", "**"):
            assert english.source.count(mark) == theirs.count(mark), mark
