"""Templates escape what they are given in HTML, and miss no value without a word."""

import re
import subprocess
import sys
from pathlib import Path

import jinja2
import pytest
from markupsafe import Markup

from mnist_exp.outside import templates

PACKAGE = Path(templates.__file__).parent.parent


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of templates in place of the package's."""
    monkeypatch.setattr(templates, "_PACKAGE", tmp_path)
    monkeypatch.setattr(templates, "_environment", templates._environment.__wrapped__)
    return tmp_path


def test_html_is_escaped_and_markdown_is_not(folder: Path) -> None:
    for name in ("page.html", "results.md"):
        (folder / name).write_text("{{ text }} {{ ready }}\n")
    values = {"text": "<b>&'\"", "ready": Markup("<i>")}
    assert templates.render("page.html", **values) == "&lt;b&gt;&amp;&#39;&#34; <i>\n"
    assert templates.render("results.md", **values) == "<b>&'\" <i>\n"


def test_a_block_tag_leaves_no_line_and_the_last_newline_stays(folder: Path) -> None:
    (folder / "a.md").write_text(
        "{% for x in xs %}\n  {% if x %}\n- {{ x }}\n  {% endif %}\n{% endfor %}\n"
    )
    assert templates.render("a.md", xs=[1, 0, 2]) == "- 1\n- 2\n"


def test_a_value_that_is_not_given_is_a_mistake(folder: Path) -> None:
    (folder / "page.html").write_text("{% if wrong %}{% endif %}")
    with pytest.raises(jinja2.UndefinedError, match="'wrong' is undefined"):
        templates.render("page.html")


def test_no_template_switches_escaping_off() -> None:
    """What is HTML already arrives as `Markup`, which mypy checks; a template cannot know it."""
    for path in PACKAGE.rglob("*.html"):
        assert not re.search(r"\|\s*safe|autoescape", path.read_text()), path


def test_jinja_is_not_imported_before_a_page_is_written() -> None:
    code = "import sys, mnist_exp.outside.templates; print('jinja2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"


def test_a_long_name_may_be_broken_and_stays_text(folder: Path) -> None:
    (folder / "page.html").write_text("{{ name|breakable }}")
    written = templates.render("page.html", name="<b>a_b=1/2 schedule.steps 0.5")
    assert written == "&lt;b&gt;a_<wbr>b=<wbr>1/<wbr>2 schedule.<wbr>steps 0.5"
    written = templates.render("page.html", name="a=1, <b>")
    assert written == ('<span class="part">a=<wbr>1</span>, <span class="part">&lt;b&gt;</span>')
