"""The words that the pages explain are those of docs/glossary.md."""

import re
from pathlib import Path

import pytest

from mnist_exp.compare.glossary import TERMS

DOCS = Path(__file__).parent.parent.parent / "docs/glossary.md"


@pytest.mark.parametrize("term", TERMS)
def test_a_word_is_explained_as_in_the_docs(term: str) -> None:
    entry = re.search(
        rf"^### {re.escape(term)}\n+(.+?)(?:\n\n|\Z)", DOCS.read_text(), re.DOTALL | re.MULTILINE
    )
    assert entry is not None, f"docs/glossary.md has no heading `### {term}`"
    assert " ".join(entry[1].split()) == TERMS[term]
