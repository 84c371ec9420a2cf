"""No message counts "1 runs": a number of things goes through `plural`, or cannot be 1."""

import ast
import re
from itertools import pairwise
from pathlib import Path

import mnist_exp
from mnist_exp.outside.printing import plural

PACKAGE = Path(mnist_exp.__file__).parent
VERBS = ("is", "was", "has", "does", "needs")
# Texts behind a number that is never 1: of several groups, points or objectives, of a large file.
NEVER_ONE = {
    "compare/baseline.py": {"groups have that; expected one"},
    "compare/charts.py": {"groups"},
    "compare/sentences.py": {"groups compared", "groups have"},
    "data/classes.py": {"names, one for each of the classes"},
    "data/reading.py": {"training images in"},
    "explain/contributions.py": {"points with a"},
    "explain/sentences.py": {"tests (Holm)"},
    "data/idx_files.py": {"bytes"},
    "preflight/data/balance.py": {"labels (even:"},
    "preflight/data/features.py": {"examples.", "examples are the same"},
    "preflight/data/labels.py": {"classes, from"},
    "preflight/data/noise.py": {"examples of which a probe"},
    "preflight/running.py": {"examples the model makes"},
    "preflight/structure/evaluation.py": {"examples twice"},
    "preflight/structure/gradients.py": {"layers (", "examples are 0"},
    "reproduce/__main__.py": {"presets begin so"},
    "reproduce/stored.py": {"folders."},
    "serving/pieces.py": {"digits: draw or cut out one"},
    "sweeper/plan.py": {"configurations, only the first"},
    "sweeper/samplers.py": {"objectives, which"},
}

# Verbs of another subject, or of a number that is never 1.
NO_SUBJECTS = {
    "data/classes.py": {" have the label"},
    "training/own_program.py": {" are NaN"},
    "tuning/words.py": {" do not show"},
}


def counted(path: Path) -> list[str]:
    """The texts that follow a `len(...)` in the f-strings of a module and begin with a plural."""
    texts = []
    for string in ast.walk(ast.parse(path.read_text())):
        for value, text in pairwise(string.values if isinstance(string, ast.JoinedStr) else []):
            if isinstance(value, ast.FormattedValue) and "len(" in ast.unparse(value.value):
                after = str(text.value) if isinstance(text, ast.Constant) else ""
                noun = re.match(r" (?:(?:more|other|test|training) )?([a-z]+s)\b", after)
                texts += [after.strip()] if noun and noun[1] not in VERBS else []
    return texts


def test_every_number_of_things_can_be_one() -> None:
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        allowed = tuple(NEVER_ONE.get(name, ()))
        wrong += [f"{name}: {text}" for text in counted(path) if not text.startswith(allowed)]
    assert wrong == []


def verbs(path: Path) -> list[str]:
    """The texts that follow a number of things in a module's f-strings and begin with a plural."""
    texts = []
    for string in ast.walk(ast.parse(path.read_text())):
        for value, text in pairwise(string.values if isinstance(string, ast.JoinedStr) else []):
            if isinstance(value, ast.FormattedValue) and isinstance(text, ast.Constant):
                is_number = re.search(r"\b(len|plural)\(", ast.unparse(value.value))
                after = str(text.value)
                texts += [after] if is_number and re.match(r" (have|are|were|do)\b", after) else []
    return texts


def test_every_verb_agrees_with_one_thing() -> None:
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        allowed = tuple(NO_SUBJECTS.get(name, ()))
        wrong += [f"{name}:{text}" for text in verbs(path) if not text.startswith(allowed)]
    assert wrong == []


def test_plural() -> None:
    assert [plural(count, "run") for count in (0, 1, 2, 2000)] == [
        *("0 runs", "1 run", "2 runs", "2,000 runs")
    ]
