"""What a reader takes from a page of the docs: its commands, and the Python file of docs/own.md."""

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).parents[2]
OWN = ROOT / "docs" / "own.md"
# Without Debian's package the commands of docs/own.md train on the shipped digits.
FASHION = [] if Path("/usr/share/datasets/fashion-mnist").is_dir() else ["data.dir=null"]


def commands(page: Path) -> list[str]:
    """Return the commands `python -m mnist_exp...` of a page, in its order.

    They stand in backticks, in fences, or in indented lines, of which `\\` joins two. `-m sweeps=X`
    stands for the whole command.
    """
    text = re.sub(r" *\\\n\s*", " ", page.read_text())
    blocks = re.sub(r"`([^`\n]+)`", r"\n    \1\n", text)
    lines = re.findall(r"^ *(?:\.venv/bin/)?(python -m mnist_exp\b.*|-m .*)$", blocks, re.MULTILINE)
    whole = [line if line[0] == "p" else f"python -m mnist_exp {line}" for line in lines]
    return [re.sub(r"\s+# .*", "", line) for line in whole]


def own_file() -> str:
    """Return the Python file that docs/own.md has its reader save as my_models.py."""
    found = re.search(r"as `my_models\.py`:\n\n```python\n(.*?)```\n", OWN.read_text(), re.DOTALL)
    assert found is not None
    return found.group(1)


def own_walk() -> list[list[str]]:
    """Return the numbered commands of docs/own.md, without `python -m`: module, then words."""
    walk = OWN.read_text().partition("\n## From an empty folder")[2].partition("\n## ")[0]
    steps = re.findall(r"^\*\*\d\..*?\n\n    (python -m .*?)\n\n", walk, re.DOTALL | re.MULTILINE)
    return [shlex.split(step.replace("\\\n", " "))[2:] for step in steps]
