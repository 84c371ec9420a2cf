import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_exp import printing

_PROGRAM = r"""
from rich.table import Table
from mnist_exp import printing
console = printing.console()
table = Table("\N{MINUS SIGN}0.5 \N{MIDDLE DOT}")
table.add_row(printing.line("[/x] \u65e5\u672c \x1b[31m \udcff"))
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


@settings(deadline=None)
@given(st.text(st.characters(codec=None), max_size=100))
def test_any_text_is_only_text_for_rich(text: str) -> None:
    from rich.text import Text

    from mnist_exp.sweeper.foreign_text import clean

    assert Text.from_markup(printing.line(text), emoji=False).plain == clean(text)
    assert not Text.from_markup(printing.line(text), emoji=False).spans


def test_the_users_own_choice_of_errors_stays() -> None:
    environment = {"PYTHONIOENCODING": "ascii:backslashreplace", "PATH": ""}
    program = "from mnist_exp import printing; printing.use_any_encoding(); print('\N{MINUS SIGN}')"
    ended = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, env=environment)
    assert ended.stdout == b"\\u2212\n"
