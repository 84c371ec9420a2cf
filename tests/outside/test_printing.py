import io
import shlex
import shutil
import subprocess
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mnist_exp.outside import printing
from mnist_exp.outside.printing import command_line
from mnist_exp.sweeper.foreign_text import clean

_PROGRAM = r"""
from rich.table import Table
from mnist_exp.outside import printing
from mnist_exp.outside.printing import command_line
from mnist_exp.sweeper.foreign_text import clean
console = printing.console()
table = Table("\N{MINUS SIGN}0.5 \N{MIDDLE DOT}")
table.add_row(clean("[/x] \u65e5\u672c \x1b[31m \udcff"))
console.print(table)
print("plain \N{MINUS SIGN}1 \u65e5 \udcff")
"""


@pytest.mark.parametrize(
    "encoding", ["ascii", "latin-1", "cp1252", "cp437", "utf-8", "ascii:strict", "utf-16"]
)
def test_everything_is_printed_in_any_encoding(encoding: str) -> None:
    environment = {"PYTHONIOENCODING": encoding, "PATH": ""}
    ended = subprocess.run(
        [sys.executable, "-c", _PROGRAM], check=False, capture_output=True, env=environment
    )
    assert ended.returncode == 0, ended.stderr.decode()
    out = ended.stdout.decode(encoding.partition(":")[0])
    assert "[/x]" in out
    assert r"\x1b[31m" in out
    assert "-0.5" in out or "\N{MINUS SIGN}0.5" in out


@given(st.text(st.characters(codec=None), max_size=100))
@example("\\[")
@example("[bold]")
def test_any_text_is_only_text_for_rich(text: str) -> None:
    file = io.StringIO()
    printing.console(file=file, width=500, color_system="truecolor").print(
        clean(text), soft_wrap=True
    )
    assert file.getvalue() == f"{clean(text)}\n"


def test_the_users_own_choice_of_errors_stays() -> None:
    environment = {"PYTHONIOENCODING": "ascii:backslashreplace", "PATH": ""}
    program = (
        "from mnist_exp.outside.printing import use_any_encoding; "
        "use_any_encoding(); print('\N{MINUS SIGN}')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, env=environment
    )
    assert ended.stdout == b"\\u2212\n"


HOSTILE = [
    "`",
    "``",
    "` `",
    "*x*",
    "_x_",
    "[a](http://evil)",
    "![a](b)",
    "<img src=x onerror=alert(1)>",
    "<http://evil>",
    "&lt;",
    "# h",
    "a|b",
    "http://evil",
    "www.evil.org",
    "\\",
    "\\`",
    "x\n\n# y",
    "~~x~~",
    "$(touch P)",
    "'; touch P; '",
    "",
    " ",
    "-rf",
]


@given(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=50), st.text("_a0 .\\", max_size=12)))
@example("__0__")
@example("_a__b_")
@example("a._b_.c")
def test_any_text_is_only_text_in_markdown(text: str) -> None:
    """By the parser that Jupyter has: one paragraph, in which the text stands as it is."""
    markdown_it = pytest.importorskip("markdown_it")
    parser = markdown_it.MarkdownIt("commonmark", {"html": True}).enable("strikethrough")
    shown = clean(text)

    (paragraph,) = [
        token for token in parser.parse(f"x {printing.markdown(text)} x") if token.type == "inline"
    ]
    assert {token.type for token in paragraph.children} <= {"text", "text_special"}
    assert "".join(token.content for token in paragraph.children) == f"x {shown} x"

    (paragraph,) = [
        token for token in parser.parse(f"x {printing.code(text)} x") if token.type == "inline"
    ]
    kinds = [token.type for token in paragraph.children]
    assert kinds == ["text", "code_inline", "text"]
    assert paragraph.children[1].content.strip() == shown.strip()


@settings(max_examples=40)
@given(
    st.one_of(
        st.sampled_from(HOSTILE),
        st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=50),
    )
)
def test_any_text_is_one_word_for_a_shell(text: str) -> None:
    assert shlex.split(f"x --study {printing.shell(text)} y") == ["x", "--study", text, "y"]
    assert printing.shell(text).startswith("'") or "'" in text


def test_a_text_of_several_lines_stays_so_without_control_characters(
    capsys: pytest.CaptureFixture[str],
) -> None:
    printing.say("one  two\n\x1b[31m[/x]\n\x00")
    assert capsys.readouterr().out == "one  two\n\\x1b[31m[/x]\n\\x00\n"
    printing.console(width=80).print("one  two\n\x1b[31m[/x] :smile: [red]\t")
    assert capsys.readouterr().out == "one  two\n\\x1b[31m[/x] :smile: [red]\\t\n"


WORDS = [
    "plain",
    "model.filters=[16,32]",
    "best_of='a b'",
    "it's",
    "'$HOME'",
    "'!!'",
    '"',
    "'`id`'",
]


@pytest.mark.parametrize("word", [*WORDS, "#", "", "a\\'b", "=ls", "~"])
def test_a_command_line_is_read_as_its_words(word: str) -> None:
    text = command_line("printf", "%s", word)
    for shell in filter(None, map(shutil.which, ("bash", "zsh"))):
        done = subprocess.run([shell, "-c", text], capture_output=True, text=True, check=True)
        assert done.stdout == word


def test_a_command_line_is_easy_to_read() -> None:
    assert command_line("python", "best_of='a b'") == "python \"best_of='a b'\""
    assert command_line("--study", "a b") == "--study 'a b'"
